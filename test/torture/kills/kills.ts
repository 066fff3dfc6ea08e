/** `kill -9` again and again under load, and the power with it now and then. */
import { journalDirectory } from '../../../extproc/journal/places.ts';
import type { Position } from '../../../extproc/journal/position.ts';
import { waitUntil } from '../../environment/wait.ts';
import { wholeIndex } from '../../environment/whole-index.ts';
import { seededRandom } from '../../fakes/file-system.ts';
import { inBatches } from '../batches.ts';
import type { Torture } from '../torture.ts';
import { Evidence } from './evidence.ts';
import { Load } from './load.ts';
import type { KillPlan } from './plan.ts';
import { nameOf, planOf } from './plan.ts';
import { failPower } from './power.ts';
import type { KillStand } from './stand.ts';
import { startKillStand } from './stand.ts';

export type KillsOptions = { seed: number; kills: number; progress?: (line: string) => void };

export type KillsReport = {
  kills: number;
  /** Deaths by the place where they came; `signal` is from outside. */
  places: Record<string, number>;
  powerFailures: number;
  exchanges: number;
  answered: number;
  failed: number;
  unrecordedRefusals: number;
  wholeWithoutEnd: number;
  arrivals: number;
  violations: readonly string[];
};

const callers = 4;
/**
 * Small segments and a small journal, so that deaths meet the changes of files and the freeing of space; not so small
 * that it is full before a life is long enough for the index, since a full journal refuses without a record.
 */
const settings = {
  journal: { segmentMaxBytes: 64 * 1024, journalMaxBytes: 48 * 1024 * 1024 },
  limits: { requestBodyMaxBytes: 1024 * 1024 },
  log: { level: 'warn' },
};
/** The index is read as a whole, which gets slower as it grows. */
const cursorProvenEvery = 10;
/** Short lives deliver little, so the last one has a backlog. */
const indexTimeoutMs = 120_000;
const firstAnswerMs = 3_000;

export async function tortureByKills(options: KillsOptions): Promise<KillsReport> {
  await using stand = await startKillStand(settings);
  await using load = new Load(stand.gateway, stand.authorization, callers);
  const run = new Run({ ...stand, load, random: seededRandom(options.seed) });
  for (let count = 0; count < options.kills; count += 1) {
    await run.killOnce();
    const { violations } = run.evidence;
    if ((count + 1) % 25 === 0) options.progress?.(`${count + 1} kills, violations: ${JSON.stringify(violations)}`);
  }
  const report = await run.finish();
  // Calls still open end with the processor.
  await stand.spares.endAll();
  return report;
}

/** A batch has a gateway and a journal of its own, so that the checks do not get slower with each kill. */
const batchKills = 100;

export const kills: Torture = {
  name: 'kills',
  description: 'kill -9 of the processor at random places under load, power failures too; a round is one kill',
  roundsDefault: 1_000,
  run: (options) =>
    inBatches(options, batchKills, async ({ seed, rounds, progress }) => {
      const { violations, places, ...figures } = await tortureByKills({ seed, kills: rounds, progress });
      return { counts: { ...figures, ...places }, violations };
    }),
};

type Parts = Pick<KillStand, 'gateway' | 'spares' | 'durableFile'> & { load: Load; random: () => number };

class Run {
  readonly evidence: Evidence;
  readonly #parts: Parts;
  readonly #places: Record<string, number> = {};
  #kills = 0;
  #powerFailures = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.evidence = new Evidence(parts.gateway.dataDirectory);
  }

  async killOnce(): Promise<void> {
    const { spares, load, random } = this.#parts;
    const plan = planOf(random);
    load.life = this.#kills;
    const life = await spares.begin(plan.killPoint);
    const recovered = (await life.recording) === 'recording';
    await Promise.race([life.exited, this.#firstAnswer()]);
    let signalled = false;
    const timer = setTimeout(() => {
      signalled = true;
      life.signal('SIGKILL');
    }, plan.signalAfterMs);
    const status = await life.exited;
    clearTimeout(timer);
    if (status !== 'SIGKILL') this.evidence.violations.push(`a processor ended by itself: ${status}`);
    const place = signalled || plan.killPoint === null ? 'signal' : nameOf(plan.killPoint);
    this.#places[place] = (this.#places[place] ?? 0) + 1;
    await this.#judge(plan, recovered);
    this.#kills += 1;
  }

  /** Envoy takes a while to find a new processor: a life that is over before has nothing to lose. */
  async #firstAnswer(): Promise<void> {
    const { load } = this.#parts;
    const { answered } = load;
    await waitUntil('an answer in this life', () => load.answered > answered, firstAnswerMs).catch(() => {});
  }

  async finish(): Promise<KillsReport> {
    const { gateway, spares, load } = this.#parts;
    const life = await spares.begin(null);
    const answered = load.answered;
    await waitUntil('answers after the last kill', () => load.answered > answered + callers);
    await load.stop();
    await this.evidence.afterDeath({ life: this.#kills, recovered: true, lostFrom: new Map() });
    this.#proveCalls();
    const { dataDirectory } = gateway;
    const isIndexed = async () => this.evidence.isIndexed(await wholeIndex(dataDirectory));
    // What is missing then is told one by one below.
    await waitUntil('everything in the index', isIndexed, indexTimeoutMs).catch(() => {});
    life.signal('SIGTERM');
    const status = await life.exited;
    if (status !== 0) this.evidence.violations.push(`the last processor ended with ${status}`);
    await this.evidence.proveJournals();
    this.evidence.proveIndex(await wholeIndex(dataDirectory));
    return {
      ...{ kills: this.#kills, places: this.#places, powerFailures: this.#powerFailures },
      ...{ exchanges: this.evidence.exchanges, answered: load.answered, failed: load.failed },
      unrecordedRefusals: this.evidence.unrecordedRefusals,
      wholeWithoutEnd: this.evidence.wholeWithoutEnd,
      ...{ arrivals: gateway.fake.requestCount(), violations: this.evidence.violations },
    };
  }

  async #judge(plan: KillPlan, recovered: boolean): Promise<void> {
    const { gateway, durableFile } = this.#parts;
    const { dataDirectory } = gateway;
    const lostFrom = new Map<number, Position>();
    if (plan.unsyncedShare !== null) {
      this.#powerFailures += 1;
      const directory = journalDirectory(dataDirectory, 1);
      lostFrom.set(1, await failPower({ directory, durableFile, share: plan.unsyncedShare }));
    }
    await this.evidence.afterDeath({ life: this.#kills, recovered, lostFrom });
    this.#proveCalls();
    if (this.#kills % cursorProvenEvery === 0) await this.evidence.proveCursor(await wholeIndex(dataDirectory));
  }

  #proveCalls(): void {
    const { gateway, load } = this.#parts;
    this.evidence.proveCalls(gateway.fake.requests, load.seen);
  }
}
