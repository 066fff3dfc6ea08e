import { journalDirectory } from '../../../extproc/journal/places.ts';
import type { Position } from '../../../extproc/journal/position.ts';
import { envoyStat } from '../../environment/envoy-stats.ts';
import { waitUntil } from '../../environment/wait.ts';
import type { KillPoint } from '../../fakes/kill-point.ts';
import type { Torture, TortureReport } from '../torture.ts';
import { Evidence } from './evidence.ts';
import type { Kind } from './load.ts';
import { callOnce } from './load.ts';
import { failPower } from './power.ts';
import type { KillStand } from './stand.ts';
import { startKillStand } from './stand.ts';

/** Every write and sync that one request needs, one after the other. */
const lines: readonly Pick<KillPoint, 'operation' | 'moment'>[] = [
  { operation: 'journal write', moment: 'before' },
  { operation: 'journal write', moment: 'amid' },
  { operation: 'journal write', moment: 'after' },
  { operation: 'journal sync', moment: 'before' },
  { operation: 'journal sync', moment: 'after' },
];
const kinds: readonly Kind[] = ['stream', 'large', 'refused'];
/** No request needs as many. */
const nthMax = 60;

export const killSweep: Torture = {
  name: 'kill-sweep',
  description: 'one request, killed before, amid and after each write and sync of it; a round is one kind of request',
  roundsDefault: kinds.length,
  async run({ seed, rounds, progress }) {
    await using stand = await startKillStand({});
    const sweep = new Sweep(stand, seed);
    for (const kind of kinds.slice(0, rounds)) {
      for (const line of lines) await sweep.all(kind, line);
      progress(`${kind}: ${sweep.kills} kills, ${sweep.evidence.violations.length} violations`);
    }
    return sweep.report();
  },
};

class Sweep {
  readonly evidence: Evidence;
  kills = 0;
  readonly #stand: KillStand;
  readonly #seed: number;
  #whole = 0;

  constructor(stand: KillStand, seed: number) {
    this.#stand = stand;
    this.#seed = seed;
    this.evidence = new Evidence(stand.gateway.dataDirectory);
  }

  /** Until the request passes whole, because it has no such call left. */
  async all(kind: Kind, line: Pick<KillPoint, 'operation' | 'moment'>): Promise<void> {
    for (let nth = 1; nth <= nthMax; nth += 1) {
      const point: KillPoint = { thread: 'main', ...line, nth, share: ((this.#seed + nth) % 10) / 10 };
      if (await this.#passes(kind, point)) return;
    }
    this.evidence.violations.push(`${kind}: more than ${nthMax} of ${line.operation}`);
  }

  report(): TortureReport {
    const { exchanges, violations } = this.evidence;
    const arrivals = this.#stand.gateway.fake.requestCount();
    return { counts: { kills: this.kills, exchanges, arrivals, whole: this.#whole }, violations };
  }

  async #passes(kind: Kind, point: KillPoint): Promise<boolean> {
    const { gateway, spares, authorization, durableFile } = this.#stand;
    const life = await spares.begin(point);
    const recovered = (await life.recording) === 'recording';
    let passed = false;
    if (recovered) {
      await isReached(this.#stand);
      const marker = `<sweep ${this.kills}>`;
      const seen = await callOnce(gateway, { marker, kind, life: this.kills, authorization });
      passed = seen.whole && seen.exchangeId !== '' && !(await isGone(life.exited));
      if (passed) this.#whole += 1;
      life.signal('SIGKILL');
      await life.exited;
      const directory = journalDirectory(gateway.dataDirectory, 1);
      const lostFrom = new Map<number, Position>();
      if (point.nth % 2 === 0) lostFrom.set(1, await failPower({ directory, durableFile, share: 0 }));
      await this.evidence.afterDeath({ life: this.kills, recovered, lostFrom });
      this.evidence.proveSeen(seen);
    } else await this.evidence.afterDeath({ life: this.kills, recovered, lostFrom: new Map() });
    this.evidence.proveArrivals(gateway.fake.requests);
    this.kills += 1;
    return passed;
  }
}

/** Envoy has found the new processor. */
async function isReached({ gateway }: KillStand): Promise<void> {
  const before = await envoyStat(gateway.envoy, 'cluster.skilltape.health_check.success');
  await waitUntil('the health check of the new processor', async () => {
    return (await envoyStat(gateway.envoy, 'cluster.skilltape.health_check.success')) > before;
  });
}

/** A kill after the last frame may come a moment after the answer. */
async function isGone(exited: Promise<unknown>): Promise<boolean> {
  const later = new Promise<false>((resolve) => setTimeout(() => resolve(false), 100));
  return Promise.race([exited.then(() => true), later]);
}
