import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The three kinds of figures, under one registry. Names end in their unit, counters in `_total`. */
export function instrumentsOf(registry: Registry) {
  const registers = [registry];
  return {
    counter: <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Counter<L>({ name, help, labelNames: [...labelNames], registers }),
    /** @param buckets upper bounds, in the unit of the name */
    histogram: <L extends string = never>(
      name: string,
      help: string,
      buckets: readonly number[],
      labelNames: readonly L[] = [],
    ) => new Histogram<L>({ name, help, buckets: [...buckets], labelNames: [...labelNames], registers }),
    /** A gauge that is read when somebody asks for it, and costs nothing else. */
    gauge: (name: string, help: string, read: () => number) => {
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(read());
        },
      });
    },
  };
}

/** Buckets for what takes microseconds when all is well and seconds when it is not: a sync, a write, a policy. */
export const latencyBucketsSeconds: readonly number[] = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025],
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

/** Seconds since `startMs`, a value of `performance.now()`. */
export function secondsSince(startMs: number): number {
  return (performance.now() - startMs) / 1_000;
}
