/** `kill -9` of workers and of their primary, again and again under load, and the power with them now and then. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { journalDirectory } from '../../../extproc/journal/places.ts';
import type { Position } from '../../../extproc/journal/position.ts';
import { waitUntil } from '../../environment/wait.ts';
import { wholeIndex } from '../../environment/whole-index.ts';
import { isAlive, workerPid } from '../../environment/workers.ts';
import { seededRandom } from '../../fakes/file-system.ts';
import { inBatches } from '../batches.ts';
import type { Torture, TortureReport } from '../torture.ts';
import { Evidence } from './evidence.ts';
import { Load } from './load.ts';
import { nameOf } from './plan.ts';
import { failPower } from './power.ts';
import type { Life } from './spares.ts';
import type { KillStand } from './stand.ts';
import { startKillStand } from './stand.ts';
import { workerProcesses } from './worker-processes.ts';
import { type WorkersPlan, workersPlanOf } from './workers-plan.ts';

export type WorkerKillsOptions = { seed: number; lives: number; progress?: (line: string) => void };

const workers = 2;
const callers = 4;
const settings = {
  journal: { segmentMaxBytes: 64 * 1024, journalMaxBytes: 128 * 1024 * 1024 },
  limits: { requestBodyMaxBytes: 1024 * 1024 },
  log: { level: 'warn' },
  // What a dead primary leaves drains this long.
  drainMaxMs: 300,
};
const cursorProvenEvery = 5;
const indexTimeoutMs = 120_000;
const firstAnswerMs = 6_000;
/** A worker is started again after a pause that doubles with each death in a row. */
const backMaxMs = 30_000;

export async function tortureWorkersByKills(options: WorkerKillsOptions): Promise<TortureReport> {
  await using stand = await startKillStand(settings, workers);
  await using load = new Load(stand.gateway, stand.authorization, callers);
  const random = seededRandom(options.seed);
  const run = new Run({ ...stand, load });
  for (let count = 0; count < options.lives; count += 1) {
    await run.liveOnce(workersPlanOf(random, workers));
    const { violations } = run.evidence;
    if ((count + 1) % 10 === 0) options.progress?.(`${count + 1} lives, violations: ${JSON.stringify(violations)}`);
  }
  const report = await run.finish();
  await stand.spares.endAll();
  return report;
}

/** A batch has a gateway and journals of its own, so that the checks do not get slower with each life. */
const batchLives = 50;

export const killsWorkers: Torture = {
  name: 'kills-workers',
  description:
    'kill -9 of workers, their primary or all of them under load, power failures too; a round is one primary',
  roundsDefault: 200,
  run: (options) =>
    inBatches(options, batchLives, ({ seed, rounds, progress }) =>
      tortureWorkersByKills({ seed, lives: rounds, progress }),
    ),
};

type Parts = Pick<KillStand, 'gateway' | 'spares' | 'durableFile'> & { load: Load };

class Run {
  readonly evidence: Evidence;
  readonly #parts: Parts;
  readonly #counts: Record<string, number> = {};
  #lives = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.evidence = new Evidence(parts.gateway.dataDirectory);
  }

  async liveOnce(plan: WorkersPlan): Promise<void> {
    const { spares, load } = this.#parts;
    load.life = this.#lives;
    const onceFile = this.#onceFile();
    rmSync(onceFile, { force: true });
    const { killPoint } = plan;
    const life = await spares.begin(
      killPoint === null ? null : { ...killPoint.point, among: { role: killPoint.role, onceFile } },
    );
    const recovered = (await life.recording) === 'recording';
    const over = life.exited.then(() => 'over' as const);
    await Promise.race([over, this.#firstAnswer()]);
    for (const kill of plan.workerKills) {
      if ((await Promise.race([over, pause(kill.afterMs)])) === 'over') break;
      await this.#killWorker(life, kill);
    }
    await Promise.race([over, pause(plan.last.afterMs)]);
    await this.#end(life, plan, recovered);
    await this.#judge(plan, recovered);
    if (killPoint !== null && this.#isPointMet()) this.#count(`${killPoint.role} ${nameOf(killPoint.point)}`);
    this.#lives += 1;
  }

  async finish(): Promise<TortureReport> {
    const { gateway, spares, load } = this.#parts;
    load.life = this.#lives;
    const life = await spares.begin(null);
    const { answered } = load;
    await waitUntil('answers after the last death', () => load.answered > answered + callers);
    await load.stop();
    await this.evidence.afterDeath({ life: this.#lives, recovered: true, lostFrom: new Map() });
    this.#proveCalls();
    const { dataDirectory } = gateway;
    const isIndexed = async () => this.evidence.isIndexed(await wholeIndex(dataDirectory));
    // What is missing then is told one by one below.
    await waitUntil('everything in the index', isIndexed, indexTimeoutMs).catch(() => {});
    life.signal('SIGTERM');
    const status = await life.exited;
    if (status !== 0) this.evidence.violations.push(`the last primary ended with ${status}`);
    await this.evidence.proveJournals();
    this.evidence.proveIndex(await wholeIndex(dataDirectory));
    this.#proveWorkersEndedByForce();
    const { exchanges, unrecordedRefusals, wholeWithoutEnd, violations } = this.evidence;
    const { answered: whole, failed } = load;
    const figures = { lives: this.#lives, exchanges, answered: whole, failed, unrecordedRefusals, wholeWithoutEnd };
    return { counts: { ...figures, arrivals: gateway.fake.requestCount(), ...this.#counts }, violations };
  }

  async #firstAnswer(): Promise<void> {
    const { load } = this.#parts;
    const { answered } = load;
    await waitUntil('an answer in this life', () => load.answered > answered, firstAnswerMs).catch(() => {});
  }

  /** While its primary takes a journal over, or was killed meanwhile, there is no such worker. */
  async #killWorker(life: Life, { worker, settled }: WorkersPlan['workerKills'][number]): Promise<void> {
    const pid = this.#pidOf(life, worker);
    if (pid === undefined) return;
    const killedAtMs = Date.now();
    killIfThere(pid);
    this.#count('worker signal');
    if (!settled) return;
    const back = waitUntil(
      `worker ${worker} again`,
      () => {
        const now = this.#pidOf(life, worker);
        return now !== undefined && now !== pid;
      },
      backMaxMs,
    );
    if ((await Promise.race([life.exited.then(() => 'over' as const), back])) === 'over') return;
    // First what arrived, then what is recorded: a record that comes after its request is none.
    const arrivals = [...this.#parts.gateway.fake.requests];
    await this.evidence.readOn(this.#lives);
    this.evidence.proveArrivals(arrivals);
    this.evidence.proveTakenOver(worker, killedAtMs);
  }

  #pidOf(life: Life, worker: number): number | undefined {
    const pid = workerPid(this.#parts.gateway, worker);
    return pid === life.pid ? undefined : pid;
  }

  /** Nobody writes afterwards: what a dead primary leaves drains and ends by itself. */
  async #end(life: Life, { last, killPoint }: WorkersPlan, recovered: boolean): Promise<void> {
    const { durableFile } = this.#parts;
    const isOver = !isAlive(life.pid);
    // So that it starts no other worker between the look and the kill.
    life.signal('SIGSTOP');
    if (last.victim === 'everything') for (const pid of workerProcesses(durableFile)) killIfThere(pid);
    life.signal('SIGKILL');
    const status = await life.exited;
    const isFailedStart = status === 1 && !recovered && killPoint?.role === 'worker' && this.#isPointMet();
    // One whose worker ends before it ever records gives up, as at any other fault of a start.
    if (status !== 'SIGKILL' && !isFailedStart) this.evidence.violations.push(`a primary ended by itself: ${status}`);
    this.#count(isFailedStart ? 'failed starts' : isOver ? 'primary by itself' : `${last.victim} signal`);
    await waitUntil('the last workers to end', () => workerProcesses(durableFile).length === 0, backMaxMs);
  }

  #isPointMet(): boolean {
    return existsSync(this.#onceFile());
  }

  /** Made by whoever dies at the kill point. */
  #onceFile(): string {
    return join(this.#parts.gateway.directory, 'died-at-its-point');
  }

  async #judge({ last }: WorkersPlan, recovered: boolean): Promise<void> {
    const { gateway, durableFile } = this.#parts;
    const { dataDirectory } = gateway;
    const lostFrom = new Map<number, Position>();
    if (last.unsyncedShare !== null) {
      this.#count('power failures');
      for (let journal = 1; journal <= workers; journal += 1) {
        const directory = journalDirectory(dataDirectory, journal);
        lostFrom.set(journal, await failPower({ directory, durableFile, share: last.unsyncedShare }));
      }
    }
    await this.evidence.afterDeath({ life: this.#lives, recovered, lostFrom });
    this.#proveCalls();
    if (this.#lives % cursorProvenEvery === 0) await this.evidence.proveCursor(await wholeIndex(dataDirectory));
  }

  #proveCalls(): void {
    const { gateway, load } = this.#parts;
    this.evidence.proveCalls(gateway.fake.requests, load.seen);
  }

  /** A worker that ends by itself finds something wrong that nobody put there. */
  #proveWorkersEndedByForce(): void {
    const lines = readFileSync(this.#parts.spares.logFile, 'utf8').split('\n');
    // A primary whose worker was killed before it recorded anything ends with a trace, which is no line of its log.
    const told = lines.filter((text) => text.startsWith('{') && text.includes('a worker ended'));
    for (const line of told) {
      const { worker, ended } = JSON.parse(line) as { worker: number; ended: unknown };
      if (ended !== 'SIGKILL') this.evidence.violations.push(`worker ${worker} ended by itself: ${ended}`);
    }
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

function pause(ms: number): Promise<'paused'> {
  return new Promise((resolve) => setTimeout(() => resolve('paused'), ms));
}
