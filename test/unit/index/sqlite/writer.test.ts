import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { SkilltapeError } from '../../../../extproc/errors.ts';
import { unboundedRejects } from '../../../../extproc/index/rejects.ts';
import { openRejectsForReading } from '../../../../extproc/index/sqlite/memory.ts';
import { SqliteSearch } from '../../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../../extproc/index/sqlite/writer.ts';
import type { JsonValue } from '../../../../extproc/transcript/document.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';
import { documentOf } from '../../../builders/document.ts';
import { sampleDocument } from '../../../builders/sample.ts';

type Document = ReturnType<typeof documentOf>;

function openIndex(t: TestContext) {
  const directory = temporaryDirectory(t);
  const index = SqliteIndex.open(directory, () => new Date('2026-02-01T00:00:00Z'));
  const search = SqliteSearch.open(directory);
  const rejects = openRejectsForReading(join(directory, 'index.sqlite'));
  t.after(async () => {
    rejects.close();
    await search.close();
    await index.close();
  });
  const kinds = async (...documents: Document[]): Promise<string[]> =>
    (await index.deliver(documents)).map(({ kind }) => kind);
  return { directory, index, search, rejects, kinds };
}

test('a delivered document comes back exactly as it was', async (t) => {
  const { kinds, search } = openIndex(t);
  const hostile = JSON.parse('{"__proto__": {"a": 1}, "nul": "a\\u0000b", "lone": "\\ud800"}') as JsonValue;
  const document = documentOf({ input: 'a\0b \ud800', skilltape: { new_messages: [hostile] } });
  const sample = sampleDocument({ id: 'exchange-2' });
  assert.deepEqual(await kinds(document, sample), ['accepted', 'accepted']);
  assert.equal(JSON.stringify(await search.get('exchange-1')), JSON.stringify(document));
  assert.equal(JSON.stringify(await search.get('exchange-2')), JSON.stringify(sample));
  assert.equal(await search.get('exchange-3'), null);
});

test('a second delivery of the same id is a duplicate and changes nothing, also within one batch', async (t) => {
  const { kinds, search } = openIndex(t);
  assert.deepEqual(await kinds(documentOf({ input: 'first' }), documentOf({ input: 'second' })), [
    'accepted',
    'duplicate',
  ]);
  assert.deepEqual(await kinds(documentOf({ input: 'third' })), ['duplicate']);
  assert.equal((await search.get('exchange-1'))?.gen_ai.input.text, 'first');
  assert.equal((await search.search({ text: 'second' })).hits.length, 0);
  assert.equal((await search.search({ text: 'first' })).hits.length, 1);
  assert.equal((await search.usage({ by: ['user'] }))[0]?.exchanges, 1);
});

test('an indexed exchange cannot be updated', async (t) => {
  const { directory, kinds } = openIndex(t);
  await kinds(documentOf());
  const database = new DatabaseSync(join(directory, 'index.sqlite'));
  t.after(() => database.close());
  assert.throws(() => database.exec("update exchanges set document = '{}'"), /does not change/);
});

test('a document that can never be stored is refused alone: the others of its batch stay', async (t) => {
  const { kinds, search, rejects } = openIndex(t);
  const broken = documentOf({ id: 'broken', time: 'yesterday' });
  assert.deepEqual(await kinds(documentOf({ id: 'a' }), broken, documentOf({ id: 'b' })), [
    'accepted',
    'rejected',
    'accepted',
  ]);
  assert.deepEqual(
    (await search.search({})).hits.map(({ id }) => id),
    ['b', 'a'],
  );
  await kinds(broken);
  assert.equal(rejects.count(), 1);
  const reject = { id: 'broken', time: '2026-02-01T00:00:00.000Z', reason: '@timestamp is not a time' };
  assert.deepEqual([...rejects.each()], [{ ...reject, document: broken }]);
});

test('what SQLite itself refuses leaves nothing of the document behind', async (t) => {
  const { directory, kinds, search, rejects } = openIndex(t);
  const database = new DatabaseSync(join(directory, 'index.sqlite'));
  database.exec(`create trigger refuse before insert on exchange_usage when new.person = 'b@x.org'
    begin select raise(abort, 'refused'); end`);
  database.close();
  const refused = documentOf({ id: 'b', user: { email: 'b@x.org' } });
  assert.deepEqual(await kinds(documentOf({ id: 'a' }), refused, documentOf({ id: 'c' })), [
    'accepted',
    'rejected',
    'accepted',
  ]);
  assert.equal(await search.get('b'), null);
  assert.equal((await search.search({ text: 'tape' })).hits.length, 2);
  assert.equal([...rejects.each()][0]?.reason, 'refused');
});

test('when the list of refused documents cannot be written the whole batch is asked for again', async (t) => {
  const { directory, kinds, search } = openIndex(t);
  const database = new DatabaseSync(join(directory, 'index.sqlite'));
  t.after(() => database.close());
  database.exec('alter table rejects rename to elsewhere');
  assert.deepEqual(await kinds(documentOf({ id: 'a' }), documentOf({ time: 'yesterday' })), ['retry', 'retry']);
  assert.equal(await search.get('a'), null);
  database.exec('alter table elsewhere rename to rejects');
  assert.deepEqual(await kinds(documentOf({ id: 'a' }), documentOf({ time: 'yesterday' })), ['accepted', 'rejected']);
});

test('a document of any broken shape is rejected and kept, never thrown', async (t) => {
  const { kinds, rejects } = openIndex(t);
  let deep: JsonValue = null;
  for (let depth = 0; depth < 200_000; depth++) deep = [deep];
  const { gen_ai: genAi, skilltape } = documentOf();
  const broken: unknown[] = [
    {},
    { '@timestamp': '2026-01-01T00:00:00Z', event: { id: 7 } },
    documentOf({ id: '' }),
    documentOf({ id: 'x'.repeat(513) }),
    { ...documentOf(), gen_ai: { ...genAi, input: { text: 1 } } },
    { ...documentOf(), gen_ai: { ...genAi, request: { model: { toString: 'x' } } } },
    { ...documentOf(), skilltape: { ...skilltape, skill: [{ name: 7 }] } },
    documentOf({ usage: { output_tokens: -1 } }),
    documentOf({ usage: { output_tokens: 0.5 } }),
    documentOf({ id: 'deep', skilltape: { answer: deep } }),
  ];
  for (const document of broken) assert.deepEqual(await kinds(document as Document), ['rejected']);
  assert.equal(rejects.count(), broken.length);
  assert.equal([...rejects.each()].at(-1)?.id, 'deep');
});

test('while another process holds the file, a delivery is to be tried again and nothing is lost', async (t) => {
  const directory = temporaryDirectory(t);
  await SqliteIndex.open(directory).close();
  const other = new DatabaseSync(join(directory, 'index.sqlite'));
  const impatient = new DatabaseSync(join(directory, 'index.sqlite'), { timeout: 0 });
  const index = new SqliteIndex(impatient, () => new Date(), unboundedRejects);
  t.after(async () => {
    await index.close();
    other.close();
  });
  other.exec('begin immediate');
  assert.equal((await index.deliver([documentOf()]))[0]?.kind, 'retry');
  other.exec('rollback');
  assert.equal((await index.deliver([documentOf()]))[0]?.kind, 'accepted');
});

test('the files of the index can be read by their owner only', async (t) => {
  const directory = join(temporaryDirectory(t), 'data');
  const index = SqliteIndex.open(directory);
  t.after(() => index.close());
  await index.deliver([documentOf()]);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  const files = readdirSync(directory);
  assert.ok(files.includes('index.sqlite-wal'));
  for (const file of files) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file);
});

test('an index of a newer version is refused by writer and reader, with the way out', async (t) => {
  const directory = temporaryDirectory(t);
  await SqliteIndex.open(directory).close();
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
