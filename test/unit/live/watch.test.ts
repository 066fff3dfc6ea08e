import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { fingerprintOf } from '../../../extproc/live/fingerprint.ts';
import { settleMaxMs, watchFiles } from '../../../extproc/live/watch.ts';
import { readSources, rootOf } from '../../../extproc/policy/sources.ts';
import { waitUntil } from '../../environment/wait.ts';

/** Never in these tests: what is seen was told by the system. */
const neverMs = 3_600_000;

function folder(t: TestContext, files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-watch-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  write(directory, files);
  return directory;
}

function write(directory: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** What a directory holds each time that its files are still, as `path=content`. */
async function watched(t: TestContext, directory: string, options: { pollIntervalMs?: number } = {}) {
  const seen: string[] = [];
  const look = () => fingerprintOf(() => rootOf(directory));
  const watch = watchFiles(await look(), {
    ...{ look, directory, settleMs: 40, pollIntervalMs: options.pollIntervalMs ?? neverMs },
    async onSettled() {
      const sources = await readSources(directory).catch(() => null);
      seen.push(
        sources === null ? 'unreadable' : [...sources.compiled].map(([path, text]) => `${path}=${text}`).join(' '),
      );
    },
  });
  t.after(() => watch.close());
  return { seen, until: (text: string) => waitUntil(`${text} in ${JSON.stringify(seen)}`, () => seen.at(-1) === text) };
}

test('a file that is written, renamed into its place, made or removed is noticed', async (t) => {
  const directory = folder(t, { 'a/a.rego': '1' });
  const { until } = await watched(t, directory);
  writeFileSync(join(directory, 'a/a.rego'), '2');
  await until('a/a.rego=2');
  // As editors save: beside, and then renamed; with a backup of the old one.
  writeFileSync(join(directory, 'a/.a.rego.swp'), '3');
  renameSync(join(directory, 'a/a.rego'), join(directory, 'a/a.rego~'));
  renameSync(join(directory, 'a/.a.rego.swp'), join(directory, 'a/a.rego'));
  await until('a/a.rego=3');
  write(directory, { 'b/c/d.rego': '4' });
  await until('a/a.rego=3 b/c/d.rego=4');
  // In a folder that was not there when watching began.
  writeFileSync(join(directory, 'b/c/d.rego'), '5');
  await until('a/a.rego=3 b/c/d.rego=5');
  rmSync(join(directory, 'b'), { recursive: true });
  await until('a/a.rego=3');
});

test('a folder that is replaced by another one of its name is watched on', async (t) => {
  const directory = folder(t, { 'a/a.rego': '1', 'b.rego': 'b' });
  const { until } = await watched(t, directory);
  cpSync(join(directory, 'a'), join(directory, '.new'), { recursive: true });
  writeFileSync(join(directory, '.new/a.rego'), '2');
  renameSync(join(directory, 'a'), join(directory, '.old'));
  renameSync(join(directory, '.new'), join(directory, 'a'));
  await until('a/a.rego=2 b.rego=b');
  writeFileSync(join(directory, 'a/a.rego'), '3');
  await until('a/a.rego=3 b.rego=b');
});

test('many files that are written one after the other are one change', async (t) => {
  const names = Array.from({ length: 60 }, (_, at) => `f${String(at).padStart(2, '0')}/x.rego`);
  const directory = folder(t, Object.fromEntries(names.map((name) => [name, 'old'])));
  const { seen, until } = await watched(t, directory);
  for (const name of names) writeFileSync(join(directory, name), 'new');
  await until(names.map((name) => `${name}=new`).join(' '));
  assert.ok(
    seen.every((one) => !(one.includes('=old') && one.includes('=new'))),
    'a reading had files of both',
  );
});

test('the swap of a mounted ConfigMap is noticed, and read as one', async (t) => {
  const directory = folder(t, { '..v1/a.rego': '1', '..v1/b.rego': '1', '..v2/a.rego': '2', '..v2/b.rego': '2' });
  symlinkSync('..v1', join(directory, '..data'));
  for (const name of ['a.rego', 'b.rego']) symlinkSync(join('..data', name), join(directory, name));
  const { seen, until } = await watched(t, directory);
  symlinkSync('..v2', join(directory, '..data_tmp'));
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
  rmSync(join(directory, '..v1'), { recursive: true });
  await until('a.rego=2 b.rego=2');
  assert.deepEqual(
    seen.filter((one) => one.includes('=1')),
    [],
  );
});

test('a directory that is a link to another one is followed when the link is swapped, by looking', async (t) => {
  const parent = folder(t, { 'v1/a.rego': '1', 'v2/a.rego': '2' });
  const directory = join(parent, 'policies');
  symlinkSync('v1', directory);
  const { until } = await watched(t, directory, { pollIntervalMs: 30 });
  symlinkSync('v2', join(parent, 'next'));
  renameSync(join(parent, 'next'), directory);
  await until('a.rego=2');
  unlinkSync(directory);
  await until('unreadable');
});

test('a link out of a mounted directory is not followed', async (t) => {
  const outside = folder(t, { 'a.rego': 'x' });
  const directory = folder(t, { 'README.md': '' });
  symlinkSync(outside, join(directory, '..data'));
  await assert.rejects(readSources(directory), {
    code: 'policy_invalid',
    message: /\.\.data points to another place$/,
  });
});

test('files that only editors and version control keep are no change', async (t) => {
  const directory = folder(t, { 'a.rego': '1' });
  const before = await fingerprintOf(() => rootOf(directory));
  write(directory, { '.git/index': 'x', '.a.rego.swp': 'x' });
  const after = await fingerprintOf(() => rootOf(directory));
  // The time of the folder itself tells of them, and of nothing that is read.
  assert.equal(after.value, before.value);
});

/** A directory of which the system tells nothing, in a time that only the test lets pass. */
function silent(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const looks: number[] = [];
  const settled: number[] = [];
  let value = 'old';
  const watch = watchFiles(
    { value, folders: [] },
    {
      ...{ directory: '/nowhere', settleMs: 100, pollIntervalMs: 1_000 },
      async look() {
        looks.push(nowMs);
        return { value, folders: [] };
      },
      async onSettled() {
        settled.push(nowMs);
      },
    },
  );
  t.after(() => watch.close());
  /** Everything that is due goes on before the next step. */
  const pass = async (ms: number, stepMs = 100) => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      nowMs += stepMs;
      t.mock.timers.tick(stepMs);
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const save = (text: string) => {
    value = text;
  };
  return { looks, settled, pass, save, now: () => nowMs };
}

test('an edit of which nobody tells is taken with the look that sees it and one more', async (t) => {
  const { looks, settled, pass, save } = silent(t);
  await pass(3_000);
  assert.deepEqual([looks, settled], [[1_000, 2_000, 3_000], []]);
  save('new');
  await pass(1_100);
  assert.deepEqual([looks.slice(3), settled], [[4_000, 4_100], [4_100]]);
  await pass(2_000);
  assert.deepEqual(settled, [4_100], 'once');
});

test('files that never are still are taken all the same, after a time that has a bound', async (t) => {
  const { settled, pass, save, now } = silent(t);
  for (let edit = 0; settled.length === 0 && now() < 10 * settleMaxMs; edit += 1) {
    save(`edit ${edit}`);
    await pass(100);
  }
  const [at = Number.POSITIVE_INFINITY] = settled;
  assert.ok(at > settleMaxMs && at <= 1_000 + settleMaxMs + 2 * 100, String(at));
});
