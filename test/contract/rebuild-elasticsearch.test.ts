import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import {
  openElasticsearchIndex,
  openElasticsearchRetention,
  openElasticsearchSearch,
  setUpElasticsearch,
} from '../../extproc/index/elasticsearch/open.ts';
import type { IndexSearch, IndexUsage } from '../../extproc/index/port.ts';
import { memoryFile, SqliteMemory } from '../../extproc/index/sqlite/memory.ts';
import { SqliteSearch } from '../../extproc/index/sqlite/search.ts';
import type { LeftOf } from '../../extproc/rebuild/left.ts';
import { rebuildDirectory } from '../../extproc/rebuild/places.ts';
import { type RebuildOptions, rebuildIndex } from '../../extproc/rebuild/rebuild.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';
import { type SharedElasticsearch, sharedElasticsearch } from '../environment/shared-elasticsearch.ts';
import { type ElasticsearchProxy, startElasticsearchProxy } from '../fakes/elasticsearch-proxy.ts';
import { now, rowsOf, Shipped, tablesOfMemory } from '../unit/rebuild/shipped.ts';
import { messageOf, messagesRequest, transcriptOf } from '../unit/transcript/example.ts';
import { elasticsearchOptions, indexNames, refresh } from './index-under-test.ts';

/** A lost Elasticsearch is made anew from archive and journals, and answers as the embedded index did before. */

let server: SharedElasticsearch;
let proxy: ElasticsearchProxy;
before(async () => {
  server = await sharedElasticsearch();
  proxy = await startElasticsearchProxy(server.url);
});
after(async () => {
  await proxy?.close();
  await server?.stop();
});

const beganMs = Date.UTC(2026, 0, 15, 10);
/** More than two deliveries. */
const archivedCount = 140;
const journalCount = 5;

/** Chats of seven turns that send their history again; some in the other class. */
async function write(shipped: Shipped, from: number, to: number): Promise<void> {
  let messages: object[] = [];
  for (let number = from; number < to; number += 1) {
    if (number % 7 === 0) messages = [];
    messages.push({ role: 'user', content: `question ${number} of ada@example.org` });
    const startedMs = beganMs + number * 2_000;
    const time = startedMs.toString(16).padStart(12, '0');
    const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000001`;
    const stop = number % 3 === 1 ? { stop_reason: 'max_tokens' } : {};
    const decided = { session: { id: `session-${Math.floor(number / 7)}`, source: 'exchange' } };
    const request = { ...messagesRequest(''), messages: [...messages] };
    const said = transcriptOf({ id, decided, request, answer: messageOf(`answer ${number}`, stop) });
    const started = { ...said.started, envoyRequestId: `request-${number}` };
    await shipped.write({ ...said, started, startedMs, finishedMs: startedMs + 1_000 });
    messages.push({ role: 'assistant', content: `answer ${number}` });
  }
}

async function recorded(t: TestContext): Promise<{ shipped: Shipped; answers: unknown[] }> {
  const shipped = await Shipped.begin(t);
  await write(shipped, 0, archivedCount);
  await shipped.ship();
  await write(shipped, archivedCount, archivedCount + journalCount);
  await shipped.ship({ intoArchive: false });
  const embedded = SqliteSearch.open(shipped.directory);
  const answers = await answersOf(embedded);
  await embedded.close();
  await shipped.stop();
  return { shipped, answers };
}

async function answersOf(index: IndexSearch & IndexUsage): Promise<unknown[]> {
  const queries = [
    { noise: true },
    { text: '"question 3"' },
    { text: 'answer' },
    { outcome: 'complete' as const },
    { session: 'session-4' },
    { masked: 'EMAIL' },
    { user: 'ada@example.org', from: new Date(beganMs + 60_000), to: new Date(beganMs + 120_000) },
  ];
  const found: unknown[] = [];
  for (const query of queries) {
    const { hits } = await index.search({ ...query, limit: 1_000 });
    // What of a long text is shown around a word is for each index to choose.
    found.push(hits.map(({ snippet: _snippet, ...hit }) => hit));
    for (const { id } of hits) found.push(await index.get(id));
  }
  found.push(await index.session('session-7'), await index.usage({ by: ['session', 'model'] }));
  return JSON.parse(JSON.stringify(found));
}

type Changed = { save?: (count: number) => void; leftOf?: LeftOf };

/** Over the proxy. */
async function rebuildingInto(t: TestContext, shipped: Shipped) {
  const options = elasticsearchOptions({ url: proxy.url, prefix: server.prefix });
  await setUpElasticsearch(options);
  const search = openElasticsearchSearch(options);
  t.after(() => search.close());
  const wanted = memoryFile(shipped.directory, 'elasticsearch');
  const rebuilding = ({ save, leftOf }: Changed = {}): RebuildOptions => {
    const embedded = shipped.rebuilding(t, leftOf && { leftOf });
    let saved = 0;
    return {
      ...embedded,
      file: { made: memoryFile(rebuildDirectory(shipped.directory), 'elasticsearch'), wanted },
      hasDocuments: async () => (await search.search({ noise: true, limit: 1 })).hits.length > 0,
      fileSystem: {
        ...embedded.fileSystem,
        async writeSmall(path, bytes) {
          if (path.endsWith('progress.json')) {
            saved += 1;
            save?.(saved);
          }
          await embedded.fileSystem.writeSmall(path, bytes);
        },
      },
      async open(place) {
        const { parts, close } = await embedded.open(join(place, '..', 'unused'));
        const memory = SqliteMemory.open(memoryFile(place, 'elasticsearch'), () => new Date(beganMs));
        const index = await openElasticsearchIndex(options, memory.rejects, 1);
        const closeAll = async () => {
          await index.close();
          memory.close();
          await close();
        };
        return { parts: { ...parts, memory, index, search }, close: closeAll };
      },
    };
  };
  const answers = async () => {
    await refresh(server.url, options.prefix);
    return answersOf(search);
  };
  return { options, rebuilding, answers, wanted };
}

test('an Elasticsearch that was emptied answers as before, and is not filled twice', async (t) => {
  const { shipped, answers: before } = await recorded(t);
  const { rebuilding, answers, wanted } = await rebuildingInto(t, shipped);
  const { kind, counts } = await rebuildIndex(rebuilding());
  assert.deepEqual([kind, counts.indexed], ['in_place', archivedCount + journalCount]);
  assert.deepEqual(await answers(), before);
  await assert.rejects(rebuildIndex(rebuilding()), /memory\.sqlite is still there/);
  rmSync(wanted);
  await assert.rejects(rebuildIndex(rebuilding()), /the index has documents already/);
});

test('a rebuild that was killed after a delivery, before its place was saved, goes on and comes to the same', async (t) => {
  const { shipped, answers: before } = await recorded(t);
  const { rebuilding, answers } = await rebuildingInto(t, shipped);
  const save = (count: number) => {
    if (count === 3) throw new Error('killed');
  };
  await assert.rejects(rebuildIndex(rebuilding({ save })), /killed/);
  const { kind, counts } = await rebuildIndex(rebuilding());
  assert.deepEqual([kind, counts.indexed], ['in_place', archivedCount + journalCount]);
  assert.deepEqual(await answers(), before);
});

/** Every document as the server has it, letter for letter, with the index that it stands in. */
async function everyRow(prefix: string): Promise<string[]> {
  await refresh(server.url, prefix);
  const { text } = await elasticsearchCall({
    ...{ url: server.url, method: 'POST', path: `/${prefix}-*/_search` },
    body: JSON.stringify({ size: 1_000, sort: [{ 'event.id': 'asc' }] }),
  });
  const hits: { _id: string; _index: string; _source: object }[] = JSON.parse(text).hits.hits;
  return hits.map(({ _id, _index, _source }) => `${_id} ${_index} ${JSON.stringify(_source)}`);
}

test('what retention left in an Elasticsearch that was lost comes back out of the archive, row by row', async (t) => {
  const shipped = await Shipped.begin(t);
  const { options, rebuilding, answers, wanted } = await rebuildingInto(t, shipped);
  await write(shipped, 0, archivedCount);
  const openIndex = (rejects: SqliteMemory['rejects']) => openElasticsearchIndex(options, rejects, 1);
  await shipped.ship({ memory: SqliteMemory.open(wanted, now), openIndex });
  await refresh(server.url, options.prefix);
  await shipped.expireFrom(openElasticsearchRetention(options), 'short');
  const [rows, found, remembered] = [await everyRow(options.prefix), await answers(), rowsOf(wanted, tablesOfMemory)];
  const left = rows.filter((row) => row.includes('"keep":"metadata"')).length;
  assert.deepEqual([rows.length, left], [archivedCount, Math.ceil((archivedCount - 1) / 3)]);
  await shipped.stop({ dropJournals: true });
  await shipped.start();
  await shipped.stop();
  const names = await indexNames(server.url, options.prefix);
  await elasticsearchCall({ url: server.url, method: 'DELETE', path: `/${names.join(',')}` });
  shipped.loseIndex(wanted);
  const leftOf: LeftOf = ({ retentionClass }) => (retentionClass === 'short' ? 'metadata' : 'all');
  const { kind, counts } = await rebuildIndex(rebuilding({ leftOf }));
  assert.deepEqual([kind, counts.metadata, counts.indexed], ['in_place', left, archivedCount - left]);
  const again = await everyRow(options.prefix);
  for (const [at, row] of rows.entries()) assert.equal(again[at], row);
  assert.equal(again.length, rows.length);
  assert.deepEqual(await answers(), found);
  assert.deepEqual(rowsOf(wanted, tablesOfMemory), remembered);
});

for (const fault of ['reset_before', 'reset_after'] as const) {
  test(`a server that goes away in the middle (${fault}) is waited for; the next run goes on where it was`, async (t) => {
    const { shipped, answers: before } = await recorded(t);
    const { rebuilding, answers } = await rebuildingInto(t, shipped);
    let bulks = 0;
    const isDown = ({ path }: { path: string }) => {
      bulks += path.startsWith('/_bulk') ? 1 : 0;
      return bulks > 2;
    };
    const away = proxy.inject({ kind: fault }, { on: isDown, times: Number.POSITIVE_INFINITY });
    const first = await rebuildIndex(rebuilding());
    away.remove();
    assert.equal(first.kind, 'waiting');
    assert.match('reason' in first ? first.reason : '', /Elasticsearch cannot be reached/);
    assert.ok(first.counts.indexed > 0 && first.counts.indexed < archivedCount, `${first.counts.indexed}`);
    const { kind, counts } = await rebuildIndex(rebuilding());
    assert.deepEqual([kind, counts.indexed], ['in_place', archivedCount + journalCount]);
    assert.deepEqual(await answers(), before);
  });
}
