import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { SkilltapeError } from '../../../../extproc/errors.ts';
import { SqliteSearch } from '../../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../../extproc/index/sqlite/writer.ts';
import type { JsonValue } from '../../../../extproc/transcript/document.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';
import { documentOf } from '../../../builders/document.ts';

function openIndex(t: TestContext): { directory: string; index: SqliteIndex; search: SqliteSearch } {
  const directory = temporaryDirectory(t);
  const index = SqliteIndex.open(directory, () => new Date('2026-02-01T00:00:00Z'));
  const search = SqliteSearch.open(directory);
  t.after(() => {
    search.close();
    index.close();
  });
  return { directory, index, search };
}

test('a delivered document comes back exactly as it was', async (t) => {
  const { index, search } = openIndex(t);
  const hostile = JSON.parse('{"__proto__": {"a": 1}, "nul": "a\\u0000b", "lone": "\\ud800"}') as JsonValue;
  const document = documentOf({ input: 'a\0b \ud800', skilltape: { new_messages: [hostile] } });
  assert.deepEqual(await index.deliver(document), { kind: 'accepted' });
  assert.equal(JSON.stringify(await search.get('exchange-1')), JSON.stringify(document));
  assert.equal(await search.get('exchange-2'), null);
});

test('a second delivery of the same id is a duplicate and changes nothing', async (t) => {
  const { index, search } = openIndex(t);
  await index.deliver(documentOf({ input: 'first' }));
  assert.deepEqual(await index.deliver(documentOf({ input: 'second' })), { kind: 'duplicate' });
  assert.equal((await search.get('exchange-1'))?.gen_ai.input.text, 'first');
  assert.equal((await search.search({ text: 'second' })).hits.length, 0);
  assert.equal((await search.search({ text: 'first' })).hits.length, 1);
});

test('an indexed exchange cannot be updated', async (t) => {
  const { directory, index } = openIndex(t);
  await index.deliver(documentOf());
  const database = new DatabaseSync(join(directory, 'index.sqlite'));
  t.after(() => database.close());
  assert.throws(() => database.exec("update exchanges set document = '{}'"), /does not change/);
});

test('turns are remembered for the exchange that brought them first, apart for each scope', async (t) => {
  const { index } = openIndex(t);
  await index.deliverWithTurns(documentOf({ id: 'a' }), { scope: 'ada', hashes: ['h1', 'h2'] });
  await index.deliverWithTurns(documentOf({ id: 'b' }), { scope: 'ada', hashes: ['h2', 'h3'] });
  index.turns.remember('bob', ['h1'], 'c');
  assert.equal(index.turns.firstSeenBy('ada', 'h1'), 'a');
  assert.equal(index.turns.firstSeenBy('ada', 'h2'), 'a');
  assert.equal(index.turns.firstSeenBy('ada', 'h3'), 'b');
  assert.equal(index.turns.firstSeenBy('bob', 'h1'), 'c');
  assert.equal(index.turns.firstSeenBy('bob', 'h2'), null);
});

test('when the turns cannot be stored the document is not stored either, and is asked for again', async (t) => {
  const { directory, index, search } = openIndex(t);
  const database = new DatabaseSync(join(directory, 'index.sqlite'));
  t.after(() => database.close());
  database.exec('drop table seen_turns');
  const delivery = await index.deliverWithTurns(documentOf(), { scope: 's', hashes: ['h'] });
  assert.equal(delivery.kind, 'retry');
  assert.equal(await search.get('exchange-1'), null);
  assert.equal((await search.search({ text: 'tape' })).hits.length, 0);
});

test('a refused document stands in the list of rejects once, with its reason, and leaves no turns', async (t) => {
  const { index, search } = openIndex(t);
  const document = documentOf({ time: 'yesterday' });
  const delivery = await index.deliverWithTurns(document, { scope: 's', hashes: ['h'] });
  assert.deepEqual(delivery, { kind: 'rejected', reason: '@timestamp is not a time' });
  await index.deliver(document);
  assert.equal(search.rejects.count(), 1);
  assert.deepEqual(search.rejects.list(), [
    { id: 'exchange-1', time: '2026-02-01T00:00:00.000Z', reason: '@timestamp is not a time', document },
  ]);
  assert.equal(index.turns.firstSeenBy('s', 'h'), null);
  assert.equal(await search.get('exchange-1'), null);
});

test('a document of any broken shape is rejected and kept, never thrown', async (t) => {
  const { index } = openIndex(t);
  let deep: JsonValue = null;
  for (let depth = 0; depth < 200_000; depth++) deep = [deep];
  const broken: unknown[] = [
    {},
    { '@timestamp': '2026-01-01T00:00:00Z', event: { id: 7 } },
    documentOf({ id: '' }),
    documentOf({ id: 'x'.repeat(513) }),
    { ...documentOf(), gen_ai: { input: { text: 1 }, output: { text: '' } } },
    documentOf({ id: 'deep', skilltape: { answer: deep } }),
  ];
  for (const document of broken) {
    assert.equal((await index.deliver(document as ReturnType<typeof documentOf>)).kind, 'rejected');
  }
  assert.equal(index.rejects.count(), broken.length);
  assert.equal(index.rejects.list().at(-1)?.id, 'deep');
});

test('while another process holds the file, a delivery is to be tried again and nothing is lost', async (t) => {
  const directory = temporaryDirectory(t);
  SqliteIndex.open(directory).close();
  const other = new DatabaseSync(join(directory, 'index.sqlite'));
  const impatient = new DatabaseSync(join(directory, 'index.sqlite'), { timeout: 0 });
  const index = new SqliteIndex(impatient, () => new Date());
  t.after(() => {
    index.close();
    other.close();
  });
  other.exec('begin immediate');
  assert.equal((await index.deliver(documentOf())).kind, 'retry');
  other.exec('rollback');
  assert.equal((await index.deliver(documentOf())).kind, 'accepted');
});

test('the files of the index can be read by their owner only', async (t) => {
  const directory = join(temporaryDirectory(t), 'data');
  const index = SqliteIndex.open(directory);
  t.after(() => index.close());
  await index.deliver(documentOf());
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  const files = readdirSync(directory);
  assert.ok(files.includes('index.sqlite-wal'));
  for (const file of files) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file);
});

test('an index of a newer version is refused by writer and reader, with the way out', (t) => {
  const directory = temporaryDirectory(t);
  SqliteIndex.open(directory).close();
  const database = new DatabaseSync(join(directory, 'index.sqlite'));
  database.exec('update schema_version set version = 99');
  database.close();
  const isRefusal = (thrown: unknown): boolean =>
    thrown instanceof SkilltapeError &&
    thrown.code === 'index_failed' &&
    /version 99/.test(thrown.message) &&
    /rebuild the index/.test(thrown.remedy ?? '');
  assert.throws(() => SqliteIndex.open(directory), isRefusal);
  assert.throws(() => SqliteSearch.open(directory), isRefusal);
});

test('a data directory that cannot be used is an index_failed', (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'index.sqlite'));
  const isIndexFailed = (thrown: unknown): boolean =>
    thrown instanceof SkilltapeError && thrown.code === 'index_failed';
  assert.throws(() => SqliteIndex.open(directory), isIndexFailed);
  assert.throws(() => SqliteSearch.open(join(directory, 'absent')), isIndexFailed);
});
