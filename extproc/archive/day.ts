/** Which day, UTC, an exchange belongs to, and when nothing more is to come for one. */
const dayMs = 86_400_000;

export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** What ended before midnight and comes after it is kept a day longer. A clock that was wrong is not followed for ever. */
export function isOfDay(open: string, day: string): boolean {
  const behindMs = Date.parse(open) - Date.parse(day);
  return behindMs >= 0 && behindMs <= dayMs;
}

/** Late exchanges had a day to come. */
export function isOver(day: string, nowMs: number): boolean {
  return nowMs - Date.parse(day) >= 2 * dayMs;
}
