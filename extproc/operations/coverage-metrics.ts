import { Counter, type Registry } from 'prom-client';
import { instrumentsOf } from './instruments.ts';

/** What the figures need of whoever compares Envoy's access log with the record. */
export type CoverageCounts = {
  /** Findings since the start of the process by their kind, which is one of a closed set; kinds with 0 too. */
  counts(): Readonly<Record<string, number>>;
  /** How far behind Envoy's access log the comparison is. */
  lagSeconds(): number;
};

/** Only in the process that compares: where nobody does, no figure says that all is well. */
export function coverageMetrics(registry: Registry, coverage: CoverageCounts): void {
  new Counter({
    name: 'skilltape_coverage_findings_total',
    help: 'Differences between the access log of Envoy and the record.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, count] of Object.entries(coverage.counts())) this.inc({ kind }, count);
    },
  });
  instrumentsOf(registry).gauge('skilltape_coverage_lag_seconds', 'How far behind the access log it is.', () =>
    coverage.lagSeconds(),
  );
}
