import { Gauge, type Registry } from 'prom-client';
import { createMetrics, type Metrics } from './metrics.ts';
import { Readiness } from './readiness.ts';

/** What one process tells its operator: figures, and whether it should be given traffic. */
export type Operations = { metrics: Metrics; readiness: Readiness };

/** @param connections their configured names */
export function createOperations(connections: readonly string[]): Operations {
  const readiness = new Readiness();
  const metrics = createMetrics(connections);
  watchReadiness(metrics.registry, readiness);
  return { metrics, readiness };
}

function watchReadiness(registry: Registry, readiness: Readiness): void {
  new Gauge({
    name: 'skilltape_ready',
    help: '1 while this process should be given traffic, else 0.',
    registers: [registry],
    collect() {
      this.set(Number(readiness.report().ready));
    },
  });
  new Gauge({
    name: 'skilltape_condition_ok',
    help: '1 while the condition holds, else 0; /readyz says why.',
    labelNames: ['condition'],
    registers: [registry],
    collect() {
      for (const { name, state } of readiness.report().conditions)
        this.set({ condition: name }, Number(state === 'ok'));
    },
  });
}
