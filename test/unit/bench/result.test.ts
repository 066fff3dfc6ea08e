import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '../../bench/load.ts';
import type { BenchOptions, VariantName } from '../../bench/options.ts';
import { parseBenchOptions } from '../../bench/options.ts';
import type { Cell } from '../../bench/result.ts';
import { resultOf } from '../../bench/result.ts';
import { renderTable } from '../../bench/table.ts';

const options = parseBenchOptions(['--seed', '1', '--rounds', '3'], () => 0) as BenchOptions;
const machine = { cores: 2, cpu: 'a processor', node: '24.0.0', envoy: '1.40.0' };
const about = { startedAt: '2026-01-01T00:00:00.000Z', machine, options };

function runAt(exchangesPerSecond: number, more: Partial<Run> = {}): Run {
  return {
    ...{ exchanges: exchangesPerSecond, exchangesWithWarmup: exchangesPerSecond, failures: 0, firstFailure: null },
    ...{ exchangesPerSecond, latencyMs: { p50: 10, p99: 20 }, firstByteMs: { p50: 9, p99: 19 }, envoyCpuMs: 0.5 },
    processor: { cpuMs: 1.5, mainCpuMs: 1, residentBytes: 120e6, afterworkSeconds: 0.6 },
    ...more,
  };
}

function cell(variant: VariantName, rates: readonly number[], more: Partial<Cell> = {}): Cell {
  const runs = rates.map((rate) => runAt(rate, variant === 'envoy' ? { processor: null } : {}));
  return { workload: 'json', concurrency: 16, variant, runs, ...more };
}

test('a ratio is of the two runs of one round, so that a slow phase of the machine cancels out', () => {
  const { ratios } = resultOf([cell('empty', [1000, 100, 500]), cell('skilltape', [600, 60, 300])], about);
  assert.deepEqual(ratios, [
    {
      ...{ workload: 'json', concurrency: 16, of: 'skilltape', to: 'empty' },
      exchangesPerSecond: { median: 0.6, low: 0.6, high: 0.6 },
    },
  ]);
});

test('only runs under the same load are compared', () => {
  const cells = [cell('empty', [1000]), cell('skilltape', [600], { concurrency: 1 })];
  assert.deepEqual(resultOf(cells, about).ratios, []);
});

test('one failed exchange makes the whole result invalid and is shown', () => {
  const broken = cell('skilltape', [600, 600]);
  broken.runs.push(runAt(600, { failures: 1, firstFailure: 'status 503: no record' }));
  const result = resultOf([cell('empty', [1000]), broken], about);
  assert.deepEqual([result.valid, result.failures, result.firstFailure], [false, 1, 'status 503: no record']);
  assert.match(renderTable(result), /INVALID: 1 exchanges failed: status 503: no record/);
});

test('a variant that answered nothing, or no run at all, is not a valid result', () => {
  assert.equal(resultOf([cell('empty', [1000]), cell('skilltape', [0])], about).valid, false);
  assert.equal(resultOf([], about).valid, false);
  assert.equal(resultOf([cell('empty', [1000])], about).valid, true);
});

test('what has no processor has no processor figures', () => {
  const { summaries } = resultOf([cell('envoy', [4000]), cell('skilltape', [600])], about);
  assert.equal(summaries[0]?.processorCpuMs, null);
  assert.equal(summaries[1]?.processorCpuMs?.median, 1.5);
});

test('the table has each variant under its load, the ratios, and what the intervals stand on', () => {
  const cells = [
    cell('envoy', [4000, 4000, 4000]),
    cell('empty', [1000, 1000, 1000]),
    cell('skilltape', [600, 610, 590]),
  ];
  const table = renderTable(resultOf(cells, about));
  assert.match(table, /^2 kB request, 1 kB JSON answer, 16 at once\n/);
  assert.match(table, /\n {2}skilltape +600 \[590 610\] +10\.0 +20\.0 +9\.0 +0\.50 +1\.50 +1\.00 +0\.6 +120\n/);
  assert.match(table, /\n {2}skilltape \/ empty Go processor: 0\.60 \[0\.59 0\.61\]\n/);
  assert.match(table, /3 rounds of 4 s, seed 1;/);
  assert.doesNotMatch(table, /INVALID|profiler/);
});
