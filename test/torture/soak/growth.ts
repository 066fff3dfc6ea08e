/** Whether a measure grows over time, judged by the line through its later half. */

export type Point = { atMs: number; value: number };

/** Slope of the least-squares line, in units an hour; 0 for fewer than two points in time. */
export function slopePerHour(points: readonly Point[]): number {
  const meanAt = mean(points.map(({ atMs }) => atMs));
  const meanValue = mean(points.map(({ value }) => value));
  let covariance = 0;
  let variance = 0;
  for (const { atMs, value } of points) {
    covariance += (atMs - meanAt) * (value - meanValue);
    variance += (atMs - meanAt) ** 2;
  }
  return variance === 0 ? 0 : (covariance / variance) * 3_600_000;
}

/** What came in the second half of the time: before, caches fill and code is compiled. */
export function secondHalf(points: readonly Point[]): Point[] {
  const last = points.at(-1)?.atMs ?? 0;
  const first = points[0]?.atMs ?? 0;
  return points.filter(({ atMs }) => atMs >= (first + last) / 2);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
