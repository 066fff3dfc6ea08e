/** How a life of a primary with workers goes: deaths of workers first, and then its own. */
import type { KillPoint, KillRole } from '../../fakes/kill-point.ts';
import { type KillPlace, pointAt, weighted } from './plan.ts';

export type WorkersPlan = {
  /** Signals to workers, one after the other. `settled`: the next one waits until that worker is there again. */
  workerKills: readonly { worker: number; afterMs: number; settled: boolean }[];
  /** Met by the first process of this role that comes to it; the others of its role go on. */
  killPoint: { role: KillRole; point: KillPoint } | null;
  /** The end of the life. The power fails only where everything dies. */
  last: { victim: 'primary' | 'everything'; afterMs: number; unsyncedShare: number | null };
};

type Place = KillPlace & { role: KillRole };

const places: readonly Place[] = [
  { role: 'worker', thread: 'main', operation: 'journal write', often: 40, weight: 6 },
  { role: 'worker', thread: 'main', operation: 'journal sync', often: 20, weight: 5 },
  { role: 'worker', thread: 'main', operation: 'journal create', often: 3, weight: 2 },
  { role: 'worker', thread: 'main', operation: 'directory sync', often: 3, weight: 1 },
  { role: 'worker', thread: 'main', operation: 'small write', often: 1, weight: 1 },
  // The primary writes to a journal when it takes it over.
  { role: 'primary', thread: 'main', operation: 'journal write', often: 16, weight: 2 },
  { role: 'primary', thread: 'main', operation: 'journal sync', often: 16, weight: 2 },
  { role: 'primary', thread: 'main', operation: 'journal create', often: 8, weight: 2 },
  { role: 'primary', thread: 'main', operation: 'journal read', often: 12, weight: 2 },
  { role: 'primary', thread: 'main', operation: 'directory sync', often: 8, weight: 1 },
  { role: 'primary', thread: 'main', operation: 'rename', often: 4, weight: 1 },
  { role: 'primary', thread: 'shipping', operation: 'journal read', often: 12, weight: 1 },
  { role: 'primary', thread: 'shipping', operation: 'index row', often: 20, weight: 2 },
  { role: 'primary', thread: 'shipping', operation: 'index commit', often: 5, weight: 3 },
  { role: 'primary', thread: 'shipping', operation: 'rename', often: 2, weight: 2 },
];
const workerKillsMax = 3;
const betweenMaxMs = 1_200;

export function workersPlanOf(random: () => number, workers: number): WorkersPlan {
  const workerKills = Array.from({ length: Math.floor(random() * (workerKillsMax + 1)) }, () => ({
    worker: 1 + Math.floor(random() * workers),
    afterMs: random() * betweenMaxMs,
    settled: random() < 0.5,
  }));
  const place = random() < 0.5 ? (weighted(random, places) as Place) : null;
  const victim = random() < 0.5 ? 'primary' : 'everything';
  return {
    workerKills,
    killPoint: place === null ? null : { role: place.role, point: pointAt(place, random) },
    last: {
      victim,
      afterMs: random() * betweenMaxMs,
      unsyncedShare: victim === 'everything' && random() < 0.7 ? random() : null,
    },
  };
}
