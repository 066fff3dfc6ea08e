/** The first retry comes soon, each further one after about twice the time, up to the longest. */
const firstMs = 2_000;
const longestMs = 300_000;

/**
 * How long to wait before the next attempt: between half and all of a time that doubles, so that messages that failed
 * together do not come together again; never sooner than the receiver wants.
 *
 * @param attempts that failed, at least 1
 * @param random 0 to 1
 */
export function backoffMs(attempts: number, random: number, retryAfterMs: number | null): number {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(attempts - 1, 20));
  return Math.max(Math.round(whole * (0.5 + 0.5 * random)), retryAfterMs ?? 0);
}
