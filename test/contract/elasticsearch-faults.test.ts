import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { SkilltapeError } from '../../extproc/errors.ts';
import { openElasticsearchIndex, openElasticsearchSearch } from '../../extproc/index/elasticsearch/open.ts';
import type { ElasticsearchOptions } from '../../extproc/index/elasticsearch/options.ts';
import type { Delivery, IndexSink } from '../../extproc/index/port.ts';
import type { ExchangeDocument, JsonValue } from '../../extproc/transcript/document.ts';
import { documentOf } from '../builders/document.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';
import { type SharedElasticsearch, sharedElasticsearch } from '../environment/shared-elasticsearch.ts';
import { type ElasticsearchProxy, startElasticsearchProxy } from '../fakes/elasticsearch-proxy.ts';
import { elasticsearchOptions, refresh } from './index-under-test.ts';

/** What goes wrong between skilltape and a cluster costs no document and doubles none. */

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

type Shipping = { sink: IndexSink; options: ElasticsearchOptions; rejected: string[] };

async function ship(t: TestContext): Promise<Shipping> {
  const options = elasticsearchOptions({ url: proxy.url, prefix: server.prefix });
  const rejected: string[] = [];
  const keep = ({ event }: ExchangeDocument, reason: string): void => void rejected.push(`${event.id}: ${reason}`);
  const sink = await openElasticsearchIndex(options, { keep }, 1);
  t.after(() => sink.close());
  return { sink, options, rejected };
}

function documents(count: number, input = 'a tape'): ReturnType<typeof documentOf>[] {
  return Array.from({ length: count }, (_, number) => documentOf({ id: `e-${number}`, input }));
}

function kinds(deliveries: readonly Delivery[]): string[] {
  return [...new Set(deliveries.map(({ kind }) => kind))].toSorted();
}

function reasonOf(deliveries: readonly Delivery[]): string {
  const [first] = deliveries;
  return first !== undefined && 'reason' in first ? first.reason : '';
}

/** Each id once, whatever its index. */
async function storedIds(prefix: string): Promise<string[]> {
  await refresh(server.url, prefix);
  const body = { size: 10_000, _source: ['event.id'] };
  const { text } = await elasticsearchCall({ url: server.url, path: `/${prefix}-*/_search`, method: 'POST', body });
  const { hits } = JSON.parse(text) as { hits: { hits: { _source: { event: { id: string } } }[] } };
  return hits.hits.map(({ _source }) => _source.event.id).toSorted();
}

const ids = (count: number): string[] =>
  documents(count)
    .map(({ event }) => event.id)
    .toSorted();

async function setBlock(prefix: string, block: string, value: boolean | null): Promise<void> {
  const path = `/${prefix}-*/_settings`;
  const body = { [`index.blocks.${block}`]: value };
  const { status } = await elasticsearchCall({ url: server.url, path, method: 'PUT', body });
  assert.equal(status, 200);
}

test('an answer that is lost after the documents were stored makes no second copy', async (t) => {
  const { sink, options, rejected } = await ship(t);
  for (const kind of ['reset_after', 'cut'] as const) {
    proxy.inject({ kind });
    assert.deepEqual(kinds(await sink.deliver(documents(20))), ['retry'], kind);
    assert.deepEqual(kinds(await sink.deliver(documents(20))), ['duplicate'], kind);
  }
  proxy.inject({ kind: 'answer_after', status: 504 }, { times: 1 });
  assert.deepEqual(kinds(await sink.deliver(documents(20))), ['duplicate']);
  assert.deepEqual(await storedIds(options.prefix), ids(20));
  assert.deepEqual(rejected, []);
});

test('what a busy server refuses is sent again, and only that', async (t) => {
  const { sink, options } = await ship(t);
  const fault = proxy.inject({ kind: 'items', which: ({ at }) => at % 3 === 1 });
  const deliveries = await sink.deliver(documents(30));
  assert.equal(fault.used(), 1);
  assert.deepEqual(kinds(deliveries), ['accepted']);
  const whole = proxy.inject({ kind: 'answer', status: 429 }, { times: 2 });
  assert.deepEqual(kinds(await sink.deliver(documents(30))), ['duplicate']);
  assert.equal(whole.used(), 2);
  assert.deepEqual(await storedIds(options.prefix), ids(30));
});

test('a server that stays busy means later, in its own words', async (t) => {
  const { sink, options, rejected } = await ship(t);
  const items = proxy.inject({ kind: 'items', which: ({ id }) => id === 'e-2' }, { times: 100 });
  const some = await sink.deliver(documents(5));
  items.remove();
  assert.deepEqual(
    some.map(({ kind }) => kind),
    ['accepted', 'accepted', 'retry', 'accepted', 'accepted'],
  );
  const whole = proxy.inject({ kind: 'answer', status: 429 }, { times: 100 });
  const none = await sink.deliver(documents(5));
  whole.remove();
  assert.deepEqual(kinds(none), ['retry']);
  assert.match(reasonOf(none), /429, es_rejected_execution_exception/);
  await sink.deliver(documents(5));
  assert.deepEqual(await storedIds(options.prefix), ids(5));
  assert.deepEqual(rejected, []);
});

test('a request that is too large is halved, and only a document that is too large alone is rejected', async (t) => {
  const { sink, options, rejected } = await ship(t);
  const tooLarge = proxy.inject(
    { kind: 'answer', status: 413 },
    { on: ({ body }) => body.length > 20_000, times: 100 },
  );
  const all = [...documents(12), documentOf({ id: 'huge', input: 'word '.repeat(5_000) }), documentOf({ id: 'last' })];
  const deliveries = await sink.deliver(all);
  tooLarge.remove();
  assert.deepEqual(
    deliveries.map(({ kind }) => kind),
    all.map(({ event }) => (event.id === 'huge' ? 'rejected' : 'accepted')),
  );
  assert.match(rejected.join(), /^huge: the document has \d{5,6} bytes/);
  assert.deepEqual(await storedIds(options.prefix), [...ids(12), 'last'].toSorted());
});

test('no answer that something else than the document explains ever rejects one', async (t) => {
  const { sink, options, rejected } = await ship(t);
  for (const status of [301, 400, 401, 403, 404, 405, 407, 500, 501, 507]) {
    const fault = proxy.inject({ kind: 'answer', status, body: '<html>not Elasticsearch</html>' });
    assert.deepEqual(kinds(await sink.deliver(documents(3))), ['retry'], String(status));
    assert.equal(fault.used(), 1);
  }
  for (const body of ['', '[]', '{}', '{"items":[{}]}', '{"items":null}', '{"items":[', 'null']) {
    const fault = proxy.inject({ kind: 'answer', status: 200, body }, { times: 100 });
    assert.deepEqual(kinds(await sink.deliver(documents(3))), ['retry'], body);
    fault.remove();
  }
  assert.deepEqual(kinds(await sink.deliver(documents(3))), ['accepted']);
  assert.deepEqual(await storedIds(options.prefix), ids(3));
  assert.deepEqual(rejected, []);
});

test('a read-only block means later, and what waited is stored once it is lifted', async (t) => {
  const { sink, options, rejected } = await ship(t);
  await sink.deliver(documents(5));
  for (const block of ['write', 'read_only', 'read_only_allow_delete']) {
    await setBlock(options.prefix, block, true);
    const blocked = await sink.deliver(documents(10));
    assert.deepEqual(kinds(blocked), ['retry'], block);
    assert.match(reasonOf(blocked), /blocked/);
    await setBlock(options.prefix, block, null);
  }
  assert.deepEqual(kinds(await sink.deliver(documents(10))), ['accepted', 'duplicate']);
  assert.deepEqual(await storedIds(options.prefix), ids(10));
  assert.deepEqual(rejected, []);
});

test('a document that Elasticsearch cannot read is rejected alone, and its text is in no reason', async (t) => {
  const { sink, options, rejected } = await ship(t);
  let deep: JsonValue = 'hunter2';
  for (let depth = 0; depth < 1_500; depth++) deep = [deep];
  const wrongKind = { ...documentOf({ id: 'kind' }), url: { path: { hunter2: 'hunter2' } } };
  const deliveries = await sink.deliver([
    ...documents(2),
    documentOf({ id: 'deep', skilltape: { new_messages: [deep] } }),
    wrongKind as unknown as ReturnType<typeof documentOf>,
  ]);
  assert.deepEqual(
    deliveries.map(({ kind }) => kind),
    ['accepted', 'accepted', 'rejected', 'rejected'],
  );
  assert.match(rejected.join('\n'), /^deep: Elasticsearch: document_parsing_exception/);
  assert.match(rejected.join('\n'), /^kind: Elasticsearch: document_parsing_exception in url\.path$/m);
  assert.doesNotMatch(JSON.stringify([deliveries, rejected]), /hunter2/);
  assert.deepEqual(await storedIds(options.prefix), ids(2));
});

test('a rejected document that cannot be kept is asked for again', async (t) => {
  const options = elasticsearchOptions({ url: proxy.url, prefix: server.prefix });
  const keep = (): void => {
    throw new Error('disk full');
  };
  const sink = await openElasticsearchIndex(options, { keep });
  t.after(() => sink.close());
  const [delivery] = await sink.deliver([documentOf({ time: 'never' })]);
  assert.deepEqual(delivery, { kind: 'retry', reason: '@timestamp is not a time; disk full' });
});

test('nothing is written while the template is not in place, and a deleted one is put back for the next day', async (t) => {
  const { sink, options } = await ship(t);
  const isTemplate = ({ path }: { path: string }): boolean => path.startsWith('/_index_template/');
  const fault = proxy.inject({ kind: 'answer', status: 503 }, { on: isTemplate, times: 2 });
  assert.deepEqual(kinds(await sink.deliver(documents(2))), ['retry']);
  fault.remove();
  assert.deepEqual(kinds(await sink.deliver(documents(2))), ['accepted']);
  await elasticsearchCall({ url: server.url, method: 'DELETE', path: `/_index_template/${options.prefix}` });
  assert.deepEqual(kinds(await sink.deliver([documentOf({ id: 'next', time: '2026-01-16T00:00:00Z' })])), ['accepted']);
  const { text } = await elasticsearchCall({
    url: server.url,
    path: `/${options.prefix}-standard-2026.01.16/_mapping`,
  });
  assert.match(text, /"dynamic":"false"/);
});

test('a sink that is closed while it waits gives the rest back', async (t) => {
  const { sink } = await ship(t);
  let release = (): void => {};
  const held = proxy.inject({
    kind: 'hold',
    when: 'before',
    until: new Promise<void>((resolve) => (release = resolve)),
  });
  const delivering = sink.deliver(documents(3));
  while (held.used() === 0) await new Promise((resolve) => setImmediate(resolve));
  await sink.close();
  assert.deepEqual(kinds(await delivering), ['retry']);
  release();
});

test('a document that somebody else put beside ours is named and does not pass as a record', async (t) => {
  const { sink, options } = await ship(t);
  await sink.deliver(documents(2));
  const path = `/${options.prefix}-standard-2026.01.15/_doc/foreign`;
  const body = {
    '@timestamp': '2026-01-15T00:00:00Z',
    event: { id: 'foreign' },
    gen_ai: { input: { text: 'a tape' } },
  };
  await elasticsearchCall({ url: server.url, method: 'PUT', path, body });
  await refresh(server.url, options.prefix);
  const search = openElasticsearchSearch({ ...options, nodes: [server.url] });
  t.after(() => search.close());
  await assert.rejects(search.search({ text: 'tape' }), /a document in the index that skilltape did not write/);
  assert.equal((await search.search({ connection: 'claude' })).hits.length, 2);
});

test('an index that answers only in part, or not at all, is an error and no shorter list', async (t) => {
  const { sink, options } = await ship(t);
  await sink.deliver(documents(2));
  const search = openElasticsearchSearch(options);
  t.after(() => search.close());
  const on = ({ path }: { path: string }): boolean => path.includes('/_search');
  for (const status of [400, 401, 403, 404, 429, 500, 503]) {
    const fault = proxy.inject({ kind: 'answer', status }, { on, times: 100 });
    await assert.rejects(search.search({}), isIndexFailed, String(status));
    fault.remove();
  }
  for (const kind of ['reset_before', 'cut'] as const) {
    const fault = proxy.inject({ kind }, { on, times: 100 });
    await assert.rejects(search.search({}), isIndexFailed, kind);
    await assert.rejects(search.usage({ by: ['user'] }), isIndexFailed, kind);
    fault.remove();
  }
});

function isIndexFailed(thrown: unknown): boolean {
  return thrown instanceof SkilltapeError && thrown.code === 'index_failed';
}
