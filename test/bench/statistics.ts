/** Medians and their intervals, with a generator of random numbers that gives the same again for the same seed. */

export type Interval = { median: number; low: number; high: number };

/** mulberry32 (public domain, Tommy Ettinger): numbers from 0 up to 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** NaN for no values. */
export function median(values: readonly number[]): number {
  return quantile(values.toSorted(ascending), 0.5);
}

const resamples = 4_000;

/**
 * The median with its 95 % interval: the percentile bootstrap (Efron 1979) over the given values. With fewer than three
 * values an interval says nothing, and is given as the range of the values.
 */
export function medianInterval(values: readonly number[], random: () => number): Interval {
  const sorted = values.toSorted(ascending);
  if (sorted.length < 3) return { median: quantile(sorted, 0.5), low: quantile(sorted, 0), high: quantile(sorted, 1) };
  const medians = Array.from({ length: resamples }, () => {
    const drawn = sorted.map(() => sorted[Math.floor(random() * sorted.length)] ?? Number.NaN);
    return quantile(drawn.toSorted(ascending), 0.5);
  }).toSorted(ascending);
  return { median: quantile(sorted, 0.5), low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** Of values in order, linear between the neighbours. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

function ascending(left: number, right: number): number {
  return left - right;
}
