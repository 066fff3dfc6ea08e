/** How the next death comes. */
import type { KillOperation, KillPoint } from '../../fakes/kill-point.ts';

export type KillPlan = {
  /** Sent from outside this long after the first answer; with a kill point too, in case it is not come to. */
  signalAfterMs: number;
  killPoint: KillPoint | null;
  /** The power fails as well: of what the disk was not told to keep, this share stays (0 to 1). */
  unsyncedShare: number | null;
};

/** The processor does each of these some 1 to `often` times in the time that a life has. */
const places: readonly KillPlace[] = [
  { thread: 'main', operation: 'journal write', often: 50, weight: 6 },
  { thread: 'main', operation: 'journal sync', often: 30, weight: 6 },
  { thread: 'main', operation: 'journal create', often: 3, weight: 3 },
  { thread: 'main', operation: 'journal read', often: 6, weight: 1 },
  { thread: 'main', operation: 'journal remove', often: 2, weight: 1 },
  { thread: 'main', operation: 'small write', often: 1, weight: 1 },
  { thread: 'main', operation: 'rename', often: 1, weight: 1 },
  { thread: 'main', operation: 'directory sync', often: 4, weight: 2 },
  { thread: 'shipping', operation: 'journal read', often: 6, weight: 1 },
  { thread: 'shipping', operation: 'index begin', often: 3, weight: 2 },
  { thread: 'shipping', operation: 'index row', often: 15, weight: 3 },
  { thread: 'shipping', operation: 'index commit', often: 3, weight: 4 },
  { thread: 'shipping', operation: 'small write', often: 1, weight: 2 },
  { thread: 'shipping', operation: 'small sync', often: 1, weight: 1 },
  { thread: 'shipping', operation: 'rename', often: 1, weight: 2 },
  { thread: 'shipping', operation: 'directory sync', often: 1, weight: 1 },
];
const moments = ['before', 'amid', 'after'] as const;
const lifeMaxMs = 700;
/** With a kill point the signal only ends lives that do not come to it. The shipping thread begins later than the rest. */
const pointMaxMs = { main: 900, shipping: 2_500 } as const;

export function planOf(random: () => number): KillPlan {
  const unsyncedShare = random() < 0.4 ? random() : null;
  if (random() < 0.3) return { signalAfterMs: random() * lifeMaxMs, killPoint: null, unsyncedShare };
  const killPoint = pointAt(weighted(random, places), random);
  return { signalAfterMs: pointMaxMs[killPoint.thread], killPoint, unsyncedShare };
}

export type KillPlace = { thread: KillPoint['thread']; operation: KillOperation; often: number; weight: number };

export function pointAt({ thread, operation, often }: KillPlace, random: () => number): KillPoint {
  const nth = 1 + Math.floor(random() * often);
  const moment = moments[Math.floor(random() * moments.length)] ?? 'before';
  return { thread, operation, nth, moment, share: random() };
}

export function nameOf({ thread, operation, moment }: KillPoint): string {
  return `${thread}: ${moment} ${operation}`;
}

export function weighted(random: () => number, places: readonly KillPlace[]): KillPlace {
  let left = random() * places.reduce((sum, { weight }) => sum + weight, 0);
  for (const place of places) {
    left -= place.weight;
    if (left < 0) return place;
  }
  throw new Error('there is no place to die at');
}
