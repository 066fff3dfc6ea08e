import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { differenceOf } from '../../../extproc/versions/difference.ts';
import { KeptVersions } from '../../../extproc/versions/kept.ts';
import { VersionLog } from '../../../extproc/versions/version-log.ts';
import { Versions } from '../../../extproc/versions/versions.ts';

const account = { osUser: 'ada', uid: 1000 };

function dataDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-versions-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function filesOf(contents: Record<string, string>): Map<string, Buffer> {
  return new Map(Object.entries(contents).map(([path, text]) => [path, Buffer.from(text)]));
}

async function putInForce(versions: Versions, text: string, directory: string | null = null): Promise<string> {
  await versions.putInForce(hashOf(text), filesOf({ 'same/x.rego': 'same', 'lists/data.json': text }), {
    cause: 'edit',
    directory,
  });
  return hashOf(text);
}

test('what comes in force can be read by its hash, and the list says after what, by which files and whose', async (t) => {
  const directory = dataDirectory(t);
  const versions = new Versions(directory, 'policies', { keptMax: 10, account });
  const first = await putInForce(versions, '{"a":1}');
  const edited = dataDirectory(t);
  writeFileSync(join(edited, 'data.json'), '');
  await versions.putInForce(hashOf('2'), filesOf({ 'data.json': '2' }), { cause: 'edit', directory: edited });
  assert.deepEqual(await versions.kept.read(first), filesOf({ 'lists/data.json': '{"a":1}', 'same/x.rego': 'same' }));
  const { entries } = await new VersionLog(directory).list();
  assert.equal(entries.length, 2);
  const [, entry] = entries;
  assert.partialDeepStrictEqual(entry, {
    kind: 'policies',
    hash: hashOf('2'),
    previous: first,
    process: account,
    changes: 3,
  });
  const uid = process.getuid?.() ?? 0;
  assert.deepEqual(
    entry?.files.map(({ path, change, uid }) => ({ path, change, uid })),
    [
      { path: 'data.json', change: 'added', uid },
      { path: 'lists/data.json', change: 'removed', uid: null },
      { path: 'same/x.rego', change: 'removed', uid: null },
    ],
  );
});

test('the same again is no change, also for a process that is started later', async (t) => {
  const directory = dataDirectory(t);
  await putInForce(new Versions(directory, 'policies', { keptMax: 10, account }), 'a');
  const later = new Versions(directory, 'policies', { keptMax: 10, account });
  await putInForce(later, 'a');
  assert.equal((await later.log.list()).entries.length, 1);
  assert.equal((await later.last())?.hash, hashOf('a'));
});

test('files that did not change are stored once, and nobody writes into what is kept', async (t) => {
  const directory = dataDirectory(t);
  const versions = new Versions(directory, 'policies', { keptMax: 10, account });
  for (const text of ['a', 'b', 'c']) await putInForce(versions, text);
  const { nlink, mode } = statSync(join(directory, 'policies', hashOf('c'), 'same/x.rego'));
  assert.equal(nlink, 3);
  assert.equal(mode & 0o222, 0);
});

test('beyond the limit those go first that judged nothing, then the oldest, and never the one in force', async (t) => {
  const directory = dataDirectory(t);
  const versions = new Versions(directory, 'policies', { keptMax: 3, account });
  const oldest = await putInForce(versions, 'oldest');
  await versions.kept.markUsed(oldest);
  for (const text of ['b', 'c', 'd']) await putInForce(versions, text);
  assert.deepEqual(new Set(await versions.kept.list()), new Set(['oldest', 'c', 'd'].map(hashOf)));
  await versions.kept.markUsed(hashOf('c'));
  await putInForce(versions, 'e');
  assert.deepEqual(new Set(await versions.kept.list()), new Set(['oldest', 'c', 'e'].map(hashOf)));
  for (const text of ['f', 'g']) await versions.kept.markUsed(await putInForce(versions, text));
  assert.deepEqual(new Set(await versions.kept.list()), new Set(['c', 'f', 'g'].map(hashOf)));
  assert.deepEqual(
    readdirSync(join(directory, 'policies')).filter((name) => name.startsWith(hashOf('oldest'))),
    [],
  );
});

test('a version that a kill left half written is written anew, and a torn line of the list takes no other with it', async (t) => {
  const directory = dataDirectory(t);
  const versions = new Versions(directory, 'policies', { keptMax: 10, account });
  await putInForce(versions, 'a');
  appendFileSync(versions.log.file, '{"time":"20');
  const later = new Versions(directory, 'policies', { keptMax: 10, account });
  await putInForce(later, 'b');
  const { entries, unreadable } = await later.log.list();
  assert.deepEqual(
    entries.map(({ hash }) => hash),
    ['a', 'b'].map(hashOf),
  );
  assert.equal(unreadable, 1);
  assert.ok(readFileSync(versions.log.file, 'utf8').endsWith('\n'));
});

test('a name that is no hash reaches no file', async (t) => {
  const kept = new KeptVersions(dataDirectory(t), 'policies', 1);
  for (const name of ['..', '../keys', 'a'.repeat(63), `${'a'.repeat(63)}/`]) {
    await assert.rejects(kept.read(name), { code: 'usage' });
    assert.equal(await kept.has(name), false);
  }
  await assert.rejects(kept.read('a'.repeat(64)), { code: 'not_found' });
});

test('the difference names each file with its lines, and of what is too long only that it differs', () => {
  const before = filesOf({ 'a.rego': 'one\ntwo\n', 'gone.rego': 'x\n', 'same.rego': 'y\n' });
  const after = filesOf({ 'a.rego': 'one\n2\n', 'same.rego': 'y\n', 'z.rego': 'new\n' });
  const text = differenceOf(before, after);
  for (const line of [
    '--- a.rego',
    '-two',
    '+2',
    '--- gone.rego',
    '+++ /dev/null',
    '--- /dev/null',
    '+++ z.rego',
    '+new',
  ]) {
    assert.ok(text.split('\n').includes(line), line);
  }
  assert.ok(!text.includes('same.rego'));
  assert.equal(differenceOf(before, before), '');
  const lines = (begin: string) => Array.from({ length: 9_000 }, (_, at) => `${begin}${at}`).join('\n');
  assert.match(differenceOf(filesOf({ a: lines('x') }), filesOf({ a: lines('y') })), /^--- a\n\+\+\+ a\n\(more than/);
});
