import { type Interval, medianInterval, seededRandom } from '../statistics.ts';

/** Megabytes a second of one core, one for each round. */
export type Speeds = { name: string; megabytesPerSecond: readonly number[] };

export type SpeedSummary = { name: string; megabytesPerSecond: Interval; timesSlower: Interval };

export function megabytesPerSecond(bytes: number, cpuSeconds: number): number {
  return bytes / 1e6 / cpuSeconds;
}

/** Each tool beside the first one: how many times slower it was, round by round, as the two share a round. */
export function summarised(all: readonly Speeds[], seed: number): SpeedSummary[] {
  const first = all[0]?.megabytesPerSecond ?? [];
  return all.map(({ name, megabytesPerSecond: own }) => ({
    name,
    megabytesPerSecond: medianInterval(own, seededRandom(seed)),
    timesSlower: medianInterval(
      own.map((speed, round) => (first[round] ?? Number.NaN) / speed),
      seededRandom(seed),
    ),
  }));
}
