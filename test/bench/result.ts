import type { Run } from './load.ts';
import type { BenchOptions, VariantName, WorkloadName } from './options.ts';
import { type Interval, medianInterval, seededRandom } from './statistics.ts';

/** All runs of one variant under one load; `runs[i]` is of round i. */
export type Cell = { workload: WorkloadName; concurrency: number; variant: VariantName; runs: Run[] };

export type CellSummary = Omit<Cell, 'runs'> & {
  exchangesPerSecond: Interval;
  latencyP50Ms: Interval;
  latencyP99Ms: Interval;
  firstByteP50Ms: Interval;
  envoyCpuMs: Interval;
  processorCpuMs: Interval | null;
  processorMainCpuMs: Interval | null;
  processorResidentBytes: Interval | null;
  afterworkSeconds: Interval | null;
};

/** Rates of skilltape over those of another variant, each pair from one round. */
export type Ratio = {
  workload: WorkloadName;
  concurrency: number;
  of: VariantName;
  to: VariantName;
  exchangesPerSecond: Interval;
};

export type BenchResult = {
  /** Of this shape. */
  version: 1;
  startedAt: string;
  machine: { cores: number; cpu: string; node: string; envoy: string };
  options: BenchOptions;
  /** False when an exchange failed: what is measured beside failures is not comparable. */
  valid: boolean;
  failures: number;
  firstFailure: string | null;
  ratios: Ratio[];
  summaries: CellSummary[];
  cells: readonly Cell[];
};

export function resultOf(
  cells: readonly Cell[],
  about: Pick<BenchResult, 'startedAt' | 'machine' | 'options'>,
): BenchResult {
  const random = seededRandom(about.options.seed);
  const runs = cells.flatMap((cell) => cell.runs);
  const failures = runs.reduce((sum, run) => sum + run.failures, 0);
  // A variant that answered nothing is no faster for it.
  const idle = runs.some((run) => run.exchanges === 0);
  return {
    version: 1,
    ...about,
    valid: failures === 0 && !idle && runs.length > 0,
    failures,
    firstFailure: runs.find((run) => run.firstFailure !== null)?.firstFailure ?? null,
    ratios: ratiosOf(cells, random),
    summaries: cells.map((cell) => summaryOf(cell, random)),
    cells,
  };
}

function ratiosOf(cells: readonly Cell[], random: () => number): Ratio[] {
  return cells
    .filter(({ variant }) => variant === 'skilltape')
    .flatMap((ours) =>
      cells
        .filter((cell) => cell !== ours && cell.workload === ours.workload && cell.concurrency === ours.concurrency)
        .map((other) => ({
          workload: ours.workload,
          concurrency: ours.concurrency,
          of: ours.variant,
          to: other.variant,
          exchangesPerSecond: medianInterval(pairedRatios(ours.runs, other.runs), random),
        })),
    );
}

function pairedRatios(ours: readonly Run[], others: readonly Run[]): number[] {
  return ours.flatMap((run, round) => {
    const other = others[round];
    return other === undefined ? [] : [run.exchangesPerSecond / other.exchangesPerSecond];
  });
}

function summaryOf({ runs, ...cell }: Cell, random: () => number): CellSummary {
  const of = (value: (run: Run) => number) => medianInterval(runs.map(value), random);
  const ofProcessor = (value: (usage: NonNullable<Run['processor']>) => number) => {
    const usages = runs.flatMap(({ processor }) => (processor === null ? [] : [processor]));
    return usages.length === 0 ? null : medianInterval(usages.map(value), random);
  };
  return {
    ...cell,
    exchangesPerSecond: of((run) => run.exchangesPerSecond),
    latencyP50Ms: of((run) => run.latencyMs.p50),
    latencyP99Ms: of((run) => run.latencyMs.p99),
    firstByteP50Ms: of((run) => run.firstByteMs.p50),
    envoyCpuMs: of((run) => run.envoyCpuMs),
    processorCpuMs: ofProcessor((usage) => usage.cpuMs),
    processorMainCpuMs: ofProcessor((usage) => usage.mainCpuMs),
    processorResidentBytes: ofProcessor((usage) => usage.residentBytes),
    afterworkSeconds: ofProcessor((usage) => usage.afterworkSeconds),
  };
}
