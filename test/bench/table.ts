import type { VariantName } from './options.ts';
import type { BenchResult, CellSummary, Ratio } from './result.ts';
import type { Interval } from './statistics.ts';
import { workloadOf } from './workload.ts';

const titles: Record<VariantName, string> = {
  envoy: 'Envoy alone',
  empty: 'empty Go processor',
  skilltape: 'skilltape',
};

const columns: readonly [title: string, value: (summary: CellSummary) => string][] = [
  ['', ({ variant }) => titles[variant]],
  ['exchanges/s', ({ exchangesPerSecond }) => withInterval(exchangesPerSecond, 0)],
  ['p50 ms', ({ latencyP50Ms }) => latencyP50Ms.median.toFixed(1)],
  ['p99 ms', ({ latencyP99Ms }) => latencyP99Ms.median.toFixed(1)],
  ['first byte ms', ({ firstByteP50Ms }) => firstByteP50Ms.median.toFixed(1)],
  ['Envoy CPU ms', ({ envoyCpuMs }) => envoyCpuMs.median.toFixed(2)],
  ['processor CPU ms', ({ processorCpuMs }) => processorCpuMs?.median.toFixed(2) ?? '-'],
  ['main thread', ({ processorMainCpuMs }) => processorMainCpuMs?.median.toFixed(2) ?? '-'],
  ['afterwork s', ({ afterworkSeconds }) => afterworkSeconds?.median.toFixed(1) ?? '-'],
  ['RSS MB', ({ processorResidentBytes: bytes }) => (bytes === null ? '-' : (bytes.median / 1e6).toFixed(0))],
];

/** The result for a person: a block for each load, and the seed and size that the intervals stand on. */
export function renderTable(result: BenchResult): string {
  const { machine, options } = result;
  const loads = new Map<string, CellSummary[]>();
  for (const summary of result.summaries) {
    const load = `${workloadOf(summary.workload).title}, ${summary.concurrency} at once`;
    loads.set(load, [...(loads.get(load) ?? []), summary]);
  }
  const blocks = [...loads].map(([load, summaries]) => `${load}\n${rows(summaries)}${ratios(result, summaries)}`);
  const about =
    `${options.rounds} rounds of ${options.seconds} s, seed ${options.seed}; medians with 95 % intervals; CPU is per ` +
    `exchange.\n${machine.cores} cores (${machine.cpu}), Node ${machine.node}, Envoy ${machine.envoy}` +
    `${options.profile === undefined ? '' : '; skilltape ran under the profiler'}`;
  const verdict = result.valid ? '' : `\nINVALID: ${result.failures} exchanges failed: ${result.firstFailure ?? ''}\n`;
  return `${blocks.join('\n')}\n${about}\n${verdict}`;
}

function rows(summaries: readonly CellSummary[]): string {
  const table = [columns.map(([title]) => title), ...summaries.map((each) => columns.map(([, value]) => value(each)))];
  const widths = columns.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) => `  ${row.map((cell, column) => pad(cell, column, widths)).join('  ')}\n`).join('');
}

function pad(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0;
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function ratios(result: BenchResult, [first]: readonly CellSummary[]): string {
  const isOfLoad = ({ workload, concurrency }: Ratio) =>
    workload === first?.workload && concurrency === first.concurrency;
  return result.ratios
    .filter(isOfLoad)
    .map((ratio) => `  ${titles[ratio.of]} / ${titles[ratio.to]}: ${withInterval(ratio.exchangesPerSecond, 2)}\n`)
    .join('');
}

function withInterval({ median, low, high }: Interval, digits: number): string {
  return `${median.toFixed(digits)} [${low.toFixed(digits)} ${high.toFixed(digits)}]`;
}
