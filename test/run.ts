import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { SkilltapeError } from '../extproc/errors.ts';
import { resolveElasticsearch } from '../extproc/tools/elasticsearch.ts';
import { resolveTool } from '../extproc/tools/resolve.ts';
import type { ToolName } from '../extproc/tools/versions.ts';
import { elasticsearchPin, pins } from '../extproc/tools/versions.ts';
import { brokerVariable, openBroker } from './environment/elasticsearch/broker.ts';
import { type Selection, selectTests } from './select.ts';

/**
 * Runs the tests: those under test/unit, then those with real parts, then alone those that measure memory.
 * Usage: npm test [-- part-of-a-path… --test-name-pattern=…]. Status 0 only if a test ran and none failed.
 */
const root = dirname(import.meta.dirname);

/** A test that hangs must end the run with a failure. A blocked event loop does not see `timeout`: the group's end does (what stays open after the tests: linger.ts). */
const testTimeoutMs = 5 * 60_000;
const groupTimeoutMs = 60 * 60_000;
const slowestListed = 15;

const stopped = new AbortController();

/** Once, before any test: test files that run side by side would each fetch what is missing. */
async function provideTools({ rest, alone }: Selection): Promise<void> {
  for (const tool of Object.keys(pins) as ToolName[]) {
    const found = await resolveTool(tool, { env: process.env });
    process.env[pins[tool].variable] = found.path;
    process.stderr.write(`${pins[tool].title} ${found.version}: ${found.path}\n`);
  }
  if (rest.length + alone.length === 0) return;
  const found = await resolveElasticsearch({ env: process.env });
  // The URL may hold a password.
  const place = found.kind === 'server' ? `at ${new URL(found.url).host}` : `${found.version}: ${found.home}`;
  process.stderr.write(`${elasticsearchPin.title} ${place}\n`);
}

type FileTime = { readonly file: string; readonly durationMs: number };
type Counts = { ran: number; failed: number; readonly times: FileTime[] };

/** Where the minutes of a run go: without it, a run that nears its limit gives no place to begin. */
function slowest(times: readonly FileTime[]): string {
  const listed = times.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, slowestListed);
  return listed.map(({ file, durationMs }) => `${(durationMs / 1_000).toFixed(0).padStart(6)} s  ${file}\n`).join('');
}

async function runFiles(files: readonly string[], concurrency: number, patterns: readonly string[]): Promise<Counts> {
  if (files.length === 0) return { ran: 0, failed: 0, times: [] };
  const paths = new Set(files.map((file) => resolve(root, file)));
  const counts: Counts = { ran: 0, failed: 0, times: [] };
  const options = patterns.length === 0 ? {} : { testNamePatterns: [...patterns] };
  const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(groupTimeoutMs)]);
  const execArgv = ['--import', new URL('./linger.ts', import.meta.url).href];
  const stream = run({ files: [...paths], concurrency, timeout: testTimeoutMs, signal, execArgv, ...options });
  stream.on('test:complete', ({ name, details }) => {
    if (paths.has(name)) counts.times.push({ file: relative(root, name), durationMs: details.duration_ms });
  });
  // A file without tests reports itself as one passed test; it must not count as one.
  stream.on('test:pass', (event) => {
    if (!paths.has(event.name) && event.skip === undefined && event.details.type !== 'suite') counts.ran += 1;
  });
  stream.on('test:fail', (event) => {
    if (event.todo === undefined) counts.failed += 1;
  });
  for await (const text of stream.compose(spec)) process.stdout.write(text);
  return counts;
}

async function runGroups({ unit, rest, alone, patterns }: Selection): Promise<Counts> {
  const broker = await openBroker();
  process.env[brokerVariable] = broker.url;
  try {
    const cores = availableParallelism();
    const all: Counts = { ran: 0, failed: 0, times: [] };
    for (const [files, concurrency] of [
      [unit, cores],
      [rest, cores],
      [alone, 1],
    ] as const) {
      const { ran, failed, times } = await runFiles(files, concurrency, patterns);
      all.ran += ran;
      all.failed += failed;
      all.times.push(...times);
    }
    return all;
  } finally {
    await broker.close();
  }
}

async function main(selection: Selection): Promise<number> {
  if (selection.unit.length + selection.rest.length + selection.alone.length === 0) {
    process.stderr.write('No test file matches.\n');
    return 1;
  }
  await provideTools(selection);
  // Test files run in processes of their own, which only an abort takes along.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopped.abort());
  const { ran, failed, times } = await runGroups(selection);
  process.stdout.write(`\nThe slowest files:\n${slowest(times)}`);
  process.stdout.write(`\n${ran} passed, ${failed} failed\n`);
  if (ran + failed === 0) process.stderr.write('No test ran.\n');
  return failed > 0 || ran === 0 ? 1 : 0;
}

const files = globSync('test/**/*.test.ts', { cwd: root }).map((file) => relative(root, resolve(root, file)));
try {
  process.exitCode = await main(selectTests(files, process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof SkilltapeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code === 'usage' ? 2 : 1;
}
