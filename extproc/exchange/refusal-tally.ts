/** Requests that one record counts together: how many, when, why. */
export type Tally = { more: number; firstMs: number; lastMs: number; reasons: Record<string, number> };

/** Reasons of one tally that are told apart. */
const reasonsMax = 8;
const otherReasons = 'other reasons';
const reasonMaxChars = 80;

export function emptyTally(): Tally {
  return { more: 0, firstMs: 0, lastMs: 0, reasons: named({}) };
}

/** Without a prototype: a reason may have any name. */
export function named(reasons: Record<string, number>): Record<string, number> {
  return Object.assign(Object.create(null), reasons);
}

export function countInto(tally: Tally, timeMs: number, why: string): void {
  tally.firstMs = tally.more === 0 ? timeMs : Math.min(tally.firstMs, timeMs);
  tally.lastMs = Math.max(tally.lastMs, timeMs);
  tally.more += 1;
  const reason = why.slice(0, reasonMaxChars);
  const isNamed = reason in tally.reasons || Object.keys(tally.reasons).length < reasonsMax;
  const key = isNamed ? reason : otherReasons;
  tally.reasons[key] = (tally.reasons[key] ?? 0) + 1;
}

/** What the record says; `whose` is such as `of this source`. */
export function tallyDetail({ more, firstMs, lastMs, reasons }: Tally, whose: string): string {
  const [first, last] = [new Date(firstMs).toISOString(), new Date(lastMs).toISOString()];
  const why = Object.entries(reasons).map(([reason, times]) => `${times} x ${reason}`);
  return `${more} more requests ${whose} from ${first} to ${last}: ${why.join(', ')}`;
}
