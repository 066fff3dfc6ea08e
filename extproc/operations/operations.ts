import { Gauge, type Registry } from 'prom-client';
import type { ProcessMetrics } from './aggregate.ts';
import { aggregateMetrics } from './aggregate.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { MergedReport, ReadinessReport } from './readiness.ts';
import { mergeReports, Readiness } from './readiness.ts';
import { sharedWhileUnderWay } from './shared.ts';

/** What a worker tells its primary when it is asked; plain data. */
export type ProcessReport = { readiness: ReadinessReport; metrics: ProcessMetrics };

/** By the worker's number; null for one that does not answer. */
export type WorkerReports = ReadonlyMap<number, ProcessReport | null>;

/** What this process, and where it has some its workers, tell the operator. */
export class Operations {
  readonly metrics: Metrics;
  readonly readiness = new Readiness();
  #workers: (() => Promise<WorkerReports>) | undefined;

  /** @param connections their configured names */
  constructor(connections: readonly string[]) {
    this.metrics = createMetrics(connections);
    watchReadiness(this.metrics.registry, this.readiness);
  }

  /** From now on this process speaks for its workers too. `ask` must answer in bounded time, whatever they do. */
  watchWorkers(ask: () => Promise<WorkerReports>): void {
    this.#workers = sharedWhileUnderWay(ask);
  }

  async report(): Promise<ProcessReport> {
    return { readiness: this.readiness.report(), metrics: await this.metrics.registry.getMetricsAsJSON() };
  }

  async ready(): Promise<ReadinessReport | MergedReport> {
    const own = this.readiness.report();
    if (this.#workers === undefined) return own;
    const reports = [...(await this.#workers())].map(([worker, report]) => {
      return [String(worker), report?.readiness ?? silent] as const;
    });
    return mergeReports(own, new Map(reports));
  }

  /** In Prometheus' text format. */
  async exposition(): Promise<string> {
    if (this.#workers === undefined) return this.metrics.registry.metrics();
    const workers = [...(await this.#workers())].flatMap(([worker, report]) => {
      return report === null ? [] : [[String(worker), report.metrics] as const];
    });
    return aggregateMetrics(new Map([['primary', (await this.report()).metrics], ...workers]));
  }
}

const silent: ReadinessReport = {
  ready: false,
  conditions: [{ name: 'worker', state: 'failed', reason: 'it is not there, or does not answer' }],
};

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
