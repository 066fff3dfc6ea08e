import { approvalMetrics } from '../../../extproc/operations/approval-metrics.ts';
import { coverageMetrics } from '../../../extproc/operations/coverage-metrics.ts';
import { grantMetrics } from '../../../extproc/operations/grant-metrics.ts';
import { Operations } from '../../../extproc/operations/operations.ts';
import { policyMetrics } from '../../../extproc/operations/policy-metrics.ts';
import { retentionMetrics } from '../../../extproc/operations/retention-metrics.ts';
import { ShippingState } from '../../../extproc/operations/shipping-state.ts';
import { workerMetrics } from '../../../extproc/operations/worker-metrics.ts';
import { createRig } from '../exchange/rig.ts';

export type Metric = { name: string; type: string; help: string; labelNames: readonly string[] };

/** Every metric that a process can have, of whichever side it is. */
export function allMetrics(): Metric[] {
  const { metrics } = new Operations(['claude']);
  metrics.exchange.watch(createRig().context);
  metrics.journal.watch({ usage: () => ({ bytes: 0, maxBytes: 1 }), admits: () => true });
  metrics.journal.watchVolume({ usedShare: 0, isRefusing: false });
  metrics.shipping.watch(new ShippingState(Date.now));
  policyMetrics(metrics.registry);
  workerMetrics(metrics.registry, () => []);
  grantMetrics(metrics.registry, () => 0);
  approvalMetrics(metrics.registry, Date.now);
  retentionMetrics(metrics.registry, { ageSeconds: () => 0, toDo: () => 0 });
  coverageMetrics(metrics.registry, { counts: () => ({}), lagSeconds: () => 0 });
  return metrics.registry.getMetricsAsArray().map((metric) => {
    const { name, type, help, labelNames = [] } = metric as unknown as Metric;
    return { name, type, help, labelNames };
  });
}
