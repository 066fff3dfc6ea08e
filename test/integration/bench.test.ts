import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runChild } from '../../extproc/tools/child.ts';
import { variantNames } from '../bench/options.ts';
import type { BenchResult } from '../bench/result.ts';

const script = fileURLToPath(new URL('../bench/run.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'skilltape-bench-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const bench = (...args: string[]) =>
  runChild(process.execPath, [script, ...args], { env: process.env, timeoutMs: 4 * 60_000 });

test('a tiny round goes through all three variants without a failed exchange', async () => {
  const file = join(directory, 'result.json');
  const size = ['--rounds', '1', '--seconds', '1', '--warmup', '0.2', '--concurrency', '4', '--workload', 'code'];
  const ended = await bench(...size, '--seed', '7', '--out', file);
  assert.equal(ended.kind, 'ended');
  assert.equal(ended.status, 0, ended.output);
  assert.match(ended.output, /skilltape \/ empty Go processor: [0-9.]+ \[[0-9.]+ [0-9.]+\]/);
  const result = JSON.parse(readFileSync(file, 'utf8')) as BenchResult;
  assert.deepEqual([result.version, result.valid, result.failures, result.options.seed], [1, true, 0, 7]);
  assert.deepEqual(
    result.cells.map(({ workload, concurrency, variant, runs }) => [workload, concurrency, variant, runs.length]),
    variantNames.map((variant) => ['code', 4, variant, 1]),
  );
  for (const { variant, runs } of result.cells) {
    for (const run of runs) {
      assert.ok(run.exchanges > 0 && run.exchangesWithWarmup >= run.exchanges, variant);
      assert.ok(run.latencyMs.p50 > 0 && run.latencyMs.p50 <= run.latencyMs.p99, variant);
      assert.ok(run.firstByteMs.p50 <= run.latencyMs.p50, variant);
      assert.ok(Number.isFinite(run.envoyCpuMs) && run.envoyCpuMs >= 0, variant);
      assert.equal(run.processor === null, variant === 'envoy');
      if (run.processor !== null) assert.ok(run.processor.residentBytes > 0 && run.processor.cpuMs > 0, variant);
    }
  }
});

test('a mistake in the options ends with status 2 and starts nothing', async () => {
  const ended = await bench('--rounds', 'many');
  assert.ok(ended.kind === 'ended' && ended.status === 2);
  assert.match(ended.output, /^--rounds takes a whole number/);
});

test('without Go one sentence says what is missing', async () => {
  const env = { ...process.env, PATH: directory, XDG_CACHE_HOME: join(directory, 'cache') };
  const ended = await runChild(process.execPath, [script, '--rounds', '1'], { env, timeoutMs: 60_000 });
  assert.ok(ended.kind === 'ended' && ended.status === 1);
  assert.match(ended.output, /there is no go on PATH: install Go/);
});
