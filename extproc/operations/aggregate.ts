import { AggregatorRegistry, type Registry } from 'prom-client';

/** The figures of one process as plain data, which survives JSON: what a worker hands to its primary. */
export type ProcessMetrics = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/**
 * One exposition of the figures of several processes, each series with the label `worker`. They are not summed here:
 * when one worker starts again, its counters begin at 0, and Prometheus can only see that in a series of its own.
 *
 * @param processes by the name of the process, which must be one of a closed set (a slot's number, not a process id)
 */
export async function aggregateMetrics(processes: ReadonlyMap<string, ProcessMetrics>): Promise<string> {
  const labelled = [...processes].map(([worker, metrics]) =>
    metrics.map((metric) => ({
      ...metric,
      // prom-client leaves the start of a process out of a sum, which this is not.
      aggregator: 'sum',
      values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker } })),
    })),
  );
  return AggregatorRegistry.aggregate(labelled).metrics();
}
