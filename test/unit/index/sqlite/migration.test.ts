import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { SqliteMemory } from '../../../../extproc/index/sqlite/memory.ts';
import { SqliteSearch } from '../../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../../extproc/index/sqlite/writer.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';
import { documentOf } from '../../../builders/document.ts';

const schema1 = new URL('../../../fixtures/index/schema-1.sql', import.meta.url);

/** A document as version 1 stored it: without the fields that came later. */
function oldJson(overrides: Parameters<typeof documentOf>[0]): string {
  const { gen_ai: genAi, skilltape, ...rest } = documentOf(overrides);
  const { agent: _a, usage, ...oldGenAi } = genAi;
  const { reasoning: _r, ...oldUsage } = usage;
  const kept = ['outcome', 'outcome_detail', 'connection', 'session', 'verdict', 'keep', 'masking', 'decoded'];
  const more = ['truncated', 'history', 'request_hash', 'system', 'new_messages', 'answer', 'error'];
  const old = Object.entries(skilltape).filter(([key]) => [...kept, ...more].includes(key));
  return JSON.stringify({ ...rest, gen_ai: { ...oldGenAi, usage: oldUsage }, skilltape: Object.fromEntries(old) });
}

/** A directory with an index of version 1 that holds these documents, a turn and a refused document. */
function oldIndex(t: TestContext, documents: (string | Parameters<typeof documentOf>[0])[]): string {
  const directory = temporaryDirectory(t);
  const database = new DatabaseSync(join(directory, 'index.sqlite'));
  database.exec(readFileSync(schema1, 'utf8'));
  const exchange = database.prepare(
    `insert into exchanges (id, time_ms, session, connection, outcome, user_id, user_email, user_name, document)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const text = database.prepare('insert into exchange_text (rowid, input, output) values (?, ?, ?)');
  documents.forEach((given, at) => {
    const overrides = typeof given === 'string' ? { id: `broken-${at}` } : given;
    const { event, user, gen_ai: genAi, skilltape, ...rest } = documentOf(overrides);
    const number = exchange.run(
      ...[event.id, Date.parse(rest['@timestamp']), skilltape.session.id, skilltape.connection, skilltape.outcome],
      ...[user?.id ?? null, user?.email ?? null, user?.name.toLowerCase() ?? null],
      typeof given === 'string' ? given : oldJson(overrides),
    ).lastInsertRowid;
    text.run(number, genAi.input.text, genAi.output.text);
  });
  database.exec(`insert into seen_turns values ('ada', 'h1', 'a');
    insert into rejects (id, time, reason, document) values ('r', '2026-01-01T00:00:00.000Z', 'old', '{"a":1}');`);
  database.close();
  return directory;
}

test('an index of version 1 goes on working: everything is found, and what is new works with old documents', async (t) => {
  const directory = oldIndex(t, [
    { id: 'a', model: 'old-model', usage: { input_tokens: 100, cache_read: { input_tokens: 60 } } },
    { id: 'b', time: '2026-01-16T00:00:00Z', user: { id: 'u-b', email: '', name: 'Bob' } },
  ]);
  const index = SqliteIndex.open(directory);
  const [delivery] = await index.deliver([documentOf({ id: 'c', time: '2026-01-17T00:00:00Z' })]);
  assert.equal(delivery?.kind, 'accepted');
  await index.close();
  const search = SqliteSearch.open(directory);
  t.after(() => search.close());
  const ids = async (query: Parameters<typeof search.search>[0]) =>
    (await search.search(query)).hits.map(({ id }) => id);
  assert.deepEqual(await ids({ text: '"a tape"' }), ['c', 'b', 'a']);
  assert.deepEqual(await ids({ user: 'bob' }), ['b']);
  assert.deepEqual(await ids({ model: 'old-model' }), ['a']);
  assert.deepEqual(await ids({ noise: true }), ['c', 'b', 'a']);
  const { group, tokens } = (await search.usage({ by: ['user'], to: new Date('2026-01-16T00:00:00Z') }))[0] ?? {};
  assert.deepEqual(group, ['ada@example.org']);
  assert.deepEqual(tokens, { uncachedInput: 40, cacheRead: 60, cacheCreation5m: 0, cacheCreation1h: 0, output: 34 });
});

test('a document of version 1 is read with nothing in the fields that it has not', async (t) => {
  const directory = oldIndex(t, [{ id: 'a' }]);
  await SqliteIndex.open(directory).close();
  const search = SqliteSearch.open(directory);
  t.after(() => search.close());
  const document = await search.get('a');
  const { agent, gen_ai, skilltape } = { agent: document?.gen_ai.agent, ...(document ?? assert.fail('not found')) };
  assert.deepEqual([agent, gen_ai.usage.reasoning], [{ id: null, name: null }, { output_tokens: null }]);
  assert.deepEqual([skilltape.noise, skilltape.skill, skilltape.file, skilltape.batch], [null, [], [], null]);
  assert.deepEqual([skilltape.usage.uncached_input_tokens, skilltape.agent.prompt_id], [null, null]);
  assert.deepEqual((await search.search({})).hits[0]?.skills, []);
});

test('what version 1 remembered is remembered, whichever of memory and index is opened first', async (t) => {
  const directory = oldIndex(t, [{ id: 'a' }]);
  const memory = SqliteMemory.open(join(directory, 'index.sqlite'));
  t.after(() => memory.close());
  await SqliteIndex.open(directory).close();
  assert.equal(memory.turns.firstSeenBy('ada', 'h1'), 'a');
  assert.deepEqual(
    [...memory.rejects.each()].map(({ id, reason }) => [id, reason]),
    [['r', 'old']],
  );
  memory.forget(['a']);
  assert.equal(memory.turns.firstSeenBy('ada', 'h1'), null);
});

test('one stored document that cannot be read does not lock up the others', async (t) => {
  const directory = oldIndex(t, ['{"no": "document"}', { id: 'b' }]);
  await SqliteIndex.open(directory).close();
  const search = SqliteSearch.open(directory);
  t.after(() => search.close());
  assert.deepEqual(
    (await search.search({ model: 'claude-sonnet-4-5' })).hits.map(({ id }) => id),
    ['b'],
  );
});

test('a migration that fails leaves the file at version 1, and the next one succeeds', async (t) => {
  const directory = oldIndex(t, [{ id: 'a' }]);
  const database = new DatabaseSync(join(directory, 'index.sqlite'));
  t.after(() => database.close());
  database.exec('create table exchange_usage (x)');
  assert.throws(() => SqliteIndex.open(directory), { code: 'index_failed' });
  assert.equal(database.prepare('select max(version) as v from schema_version').get()?.v, 1);
  database.exec('drop table exchange_usage');
  await SqliteIndex.open(directory).close();
  assert.equal(database.prepare('select max(version) as v from schema_version').get()?.v, 3);
  assert.throws(() => database.exec("update exchanges set document = '{}'"), /does not change/);
});

/** As version 2 had it: what version 3 brought is taken away again, and the documents say no places. */
async function indexOfVersion2(t: TestContext): Promise<string> {
  const directory = temporaryDirectory(t);
  const index = SqliteIndex.open(directory);
  const masked = (type: string) => ({ status: 'masked' as const, reason: '', findings: [{ type, count: 1 }] as never });
  const none = { readable: [], whole: [], dropped: [] };
  await index.deliver([
    documentOf({ id: 'a', skilltape: { masking: { ...masked('EMAIL'), ...none } } }),
    documentOf({ id: 'b', time: '2026-01-16T00:00:00Z', skilltape: { masking: { ...masked('IP'), ...none } } }),
  ]);
  await index.close();
  const database = new DatabaseSync(join(directory, 'index.sqlite'));
  database.exec(`drop table exchange_findings; delete from schema_version; insert into schema_version values (2);
    insert into exchanges (id, time_ms, session, connection, outcome, document) values ('c', 0, 's', 'c', 'o', '{}')`);
  database.close();
  return directory;
}

test('an index of version 2 goes on working: what was masked in it is found by its type', async (t) => {
  const directory = await indexOfVersion2(t);
  assert.throws(() => SqliteSearch.open(directory), { code: 'index_failed', remedy: /skilltape serve/ });
  await SqliteIndex.open(directory).close();
  const search = SqliteSearch.open(directory);
  t.after(() => search.close());
  const ids = async (masked: string) => (await search.search({ masked })).hits.map(({ id }) => id);
  assert.deepEqual([await ids('EMAIL'), await ids('IP'), await ids('CARD')], [['a'], ['b'], []]);
  assert.deepEqual((await search.get('a'))?.skilltape.masking.findings, [{ type: 'EMAIL', place: '', count: 1 }]);
});

test('a reader refuses version 1 and says what brings it up to date', (t) => {
  const directory = oldIndex(t, []);
  assert.throws(() => SqliteSearch.open(directory), { code: 'index_failed', remedy: /skilltape serve/ });
});
