import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { v7 as uuid } from 'uuid';
import { openLinksForReading } from '../../../../extproc/index/sqlite/links.ts';
import { memoryFile, openRejectsForReading, SqliteMemory } from '../../../../extproc/index/sqlite/memory.ts';
import { openOwnersForReading } from '../../../../extproc/index/sqlite/owners.ts';
import { SqliteIndex } from '../../../../extproc/index/sqlite/writer.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';
import { documentOf } from '../../../builders/document.ts';

function openMemory(t: TestContext): { file: string; memory: SqliteMemory } {
  const file = join(temporaryDirectory(t), 'memory.sqlite');
  const memory = SqliteMemory.open(file, () => new Date('2026-02-01T00:00:00Z'));
  t.after(() => memory.close());
  return { file, memory };
}

const link = (key: string, eventId: string) => ({ key, eventId, session: `session of ${eventId}` });

test('a turn and a thing belong to the exchange that brought them first, turns apart for each scope', (t) => {
  const { memory } = openMemory(t);
  memory.remember([{ scope: 'ada', hashes: ['h1', 'h2'], exchangeId: 'a' }], [link('k1', 'a')]);
  memory.remember([{ scope: 'ada', hashes: ['h2', 'h3'], exchangeId: 'b' }], [link('k1', 'b'), link('k2', 'b')]);
  memory.remember([{ scope: 'bob', hashes: ['h1'], exchangeId: 'c' }], []);
  const turns = [
    ['ada', 'h1', 'a'],
    ['ada', 'h2', 'a'],
    ['ada', 'h3', 'b'],
    ['bob', 'h1', 'c'],
    ['bob', 'h2', null],
  ] as const;
  for (const [scope, hash, expected] of turns) assert.equal(memory.turns.firstSeenBy(scope, hash), expected);
  assert.deepEqual(memory.links.find('k1'), { eventId: 'a', session: 'session of a' });
  assert.deepEqual(memory.links.find('k2'), { eventId: 'b', session: 'session of b' });
  assert.equal(memory.links.find('k3'), null);
});

test('a thing stays with its first owner, whatever becomes of the documents that brought it', (t) => {
  const { file, memory } = openMemory(t);
  const reading = openOwnersForReading(file);
  t.after(() => reading.close());
  const id = uuid({ msecs: Date.parse('2026-01-31T00:00:00Z') });
  assert.equal(reading.ownerOf('file'), null);
  memory.remember([], [], new Map(), [], [{ key: 'file', owner: 'ada', exchangeId: id }]);
  memory.remember([], [], new Map(), [], [{ key: 'file', owner: 'bob', exchangeId: `${id}.1` }]);
  memory.forget([id]);
  memory.forgetExchange(id);
  assert.deepEqual([reading.ownerOf('file'), reading.ownerOf('other')], ['ada', null]);
});

test('an owner is forgotten with its time, and nobody owns anything in a file that is not there', (t) => {
  const { file, memory } = openMemory(t);
  const nowhere = openOwnersForReading(`${file}.missing`);
  assert.equal(nowhere.ownerOf('file'), null);
  nowhere.close();
  const reading = openOwnersForReading(file);
  t.after(() => reading.close());
  const at = (time: string) => uuid({ msecs: Date.parse(time) });
  const old = { key: 'old', owner: 'ada', exchangeId: at('2025-01-01T00:00:00Z') };
  memory.remember([], [], new Map(), [], [old, { key: 'new', owner: 'ada', exchangeId: at('2025-12-01T00:00:00Z') }]);
  assert.deepEqual([reading.ownerOf('old'), reading.ownerOf('new')], [null, 'ada']);
});

test('one document is forgotten alone, an exchange with the documents of its batch, and no other is', (t) => {
  const { memory } = openMemory(t);
  const ids = ['e', 'e.1', 'e.22', 'e-1', 'ee', 'e/1', 'd.e'];
  memory.remember(
    ids.map((id) => ({ scope: 's', hashes: [`turn ${id}`], exchangeId: id })),
    ids.map((id) => link(`link ${id}`, id)),
  );
  const left = (): string[] => {
    const turns = ids.filter((id) => memory.turns.firstSeenBy('s', `turn ${id}`) !== null);
    const links = ids.filter((id) => memory.links.find(`link ${id}`) !== null);
    assert.deepEqual(turns, links);
    return turns;
  };
  memory.forget(['e', 'unknown']);
  assert.deepEqual(left(), ['e.1', 'e.22', 'e-1', 'ee', 'e/1', 'd.e']);
  memory.forgetExchange('e');
  assert.deepEqual(left(), ['e-1', 'ee', 'e/1', 'd.e']);
  memory.remember([{ scope: 's', hashes: ['turn e'], exchangeId: 'later' }], []);
  assert.equal(memory.turns.firstSeenBy('s', 'turn e'), 'later');
});

test('an exchange keeps the class it was first shipped with, for longer than it can be shipped again', (t) => {
  const file = join(temporaryDirectory(t), 'memory.sqlite');
  const day = 24 * 60 * 60 * 1_000;
  let now = Date.parse('2026-02-01T00:00:00Z');
  const memory = SqliteMemory.open(file, () => new Date(now));
  t.after(() => memory.close());
  const idAt = (timeMs: number): string => uuid({ msecs: timeMs });
  const [first, second] = [idAt(now), idAt(now + 1)];
  const remember = (id: string, name: string): void => memory.remember([], [], new Map([[id, name]]));
  remember(first, 'long');
  remember(first, 'short');
  remember(second, 'short');
  assert.deepEqual(
    [first, second, idAt(now)].map((id) => memory.retentionClassOf(id)),
    ['long', 'short', null],
  );
  now += 29 * day;
  remember(idAt(now), 'long');
  assert.equal(memory.retentionClassOf(first), 'long');
  now += 2 * day;
  remember(idAt(now), 'long');
  assert.equal(memory.retentionClassOf(first), null);
});

test('turns and links are forgotten when they are too old, and are new then; the later ones stay', (t) => {
  const file = join(temporaryDirectory(t), 'memory.sqlite');
  const day = 24 * 60 * 60 * 1_000;
  let now = Date.parse('2026-02-01T00:00:00Z');
  const memory = SqliteMemory.open(file, () => new Date(now), { rememberedDays: 30 });
  t.after(() => memory.close());
  const bring = (hash: string): string => {
    const exchangeId = uuid({ msecs: now });
    memory.remember([{ scope: 's', hashes: [hash], exchangeId }], [link(`k ${hash}`, exchangeId)]);
    return exchangeId;
  };
  bring('old');
  now += 20 * day;
  const young = bring('young');
  now += 11 * day;
  const now1 = bring('now');
  const seen = (hash: string) => memory.turns.firstSeenBy('s', hash);
  assert.deepEqual([seen('old'), seen('young'), seen('now')], [null, young, now1]);
  assert.deepEqual(
    ['old', 'young', 'now'].map((hash) => memory.links.find(`k ${hash}`)?.eventId),
    [undefined, young, now1],
  );
  assert.notEqual(bring('old'), null);
  assert.notEqual(seen('old'), null);
});

test('everything is remembered, or nothing', (t) => {
  const { file, memory } = openMemory(t);
  const database = new DatabaseSync(file);
  t.after(() => database.close());
  database.exec('alter table links rename to elsewhere');
  const turns = [{ scope: 's', hashes: ['h'], exchangeId: 'a' }];
  assert.throws(() => memory.remember(turns, [link('k', 'a')]), { code: 'index_failed' });
  assert.equal(memory.turns.firstSeenBy('s', 'h'), null);
});

test('a refused document is kept once, taken off, and can be read beside the writer', (t) => {
  const { file, memory } = openMemory(t);
  const document = documentOf({ id: 'a' });
  memory.rejects.keep(document, 'first');
  memory.rejects.keep(document, 'again');
  memory.rejects.keep(documentOf({ id: 'b' }), 'other');
  const reader = openRejectsForReading(file);
  t.after(() => reader.close());
  const time = '2026-02-01T00:00:00.000Z';
  assert.deepEqual([...reader.each()][0], { id: 'a', time, reason: 'first', document });
  assert.deepEqual([reader.count(), [...reader.each()].map(({ id }) => id)], [2, ['a', 'b']]);
  for (const { id } of memory.rejects.each()) memory.rejects.remove(id);
  assert.equal(reader.count(), 0);
  assert.throws(() => reader.keep(document, 'x'), { code: 'index_failed' });
});

test('beside the embedded index the memory stands in its file, else in one of its own', async (t) => {
  const directory = temporaryDirectory(t);
  const index = SqliteIndex.open(directory);
  const memory = SqliteMemory.open(memoryFile(directory, 'sqlite'));
  t.after(async () => {
    memory.close();
    await index.close();
  });
  assert.equal(memoryFile(directory, 'sqlite'), join(directory, 'index.sqlite'));
  assert.equal(memoryFile(directory, 'elasticsearch'), join(directory, 'memory.sqlite'));
  memory.remember([{ scope: 's', hashes: ['h'], exchangeId: 'a' }], [link('k', 'a')]);
  const [taken, refused] = await index.deliver([documentOf({ id: 'a' }), documentOf({ id: 'b', time: 'no' })]);
  assert.deepEqual([taken?.kind, refused?.kind], ['accepted', 'rejected']);
  assert.equal(memory.turns.firstSeenBy('s', 'h'), 'a');
  assert.equal([...memory.rejects.each()][0]?.id, 'b');
});

test('the file can be read by its owner only; one of a newer version is refused', (t) => {
  const file = join(temporaryDirectory(t), 'memory.sqlite');
  SqliteMemory.open(file).close();
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const database = new DatabaseSync(file);
  database.exec('update memory_version set version = 99');
  database.close();
  assert.throws(() => SqliteMemory.open(file), { code: 'index_failed', message: /version 99/ });
});

test('links can be read before there is a file, before it has tables, and as soon as one is committed', (t) => {
  const file = join(temporaryDirectory(t), 'memory.sqlite');
  const links = openLinksForReading(file);
  t.after(() => links.close());
  assert.equal(links.find('k'), null);
  const empty = new DatabaseSync(file);
  empty.exec('pragma journal_mode = WAL; create table other (x)');
  assert.equal(links.find('k'), null);
  empty.close();
  const memory = SqliteMemory.open(file);
  t.after(() => memory.close());
  assert.equal(links.find('k'), null);
  memory.remember([], [link('k', 'a')]);
  assert.deepEqual(links.find('k'), { eventId: 'a', session: 'session of a' });
});
