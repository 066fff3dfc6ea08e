import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '@elastic/elasticsearch';
import { type SharedElasticsearch, sharedElasticsearch } from '../environment/shared-elasticsearch.ts';
import { waitUntil } from '../environment/wait.ts';
import { type ElasticsearchProxy, startElasticsearchProxy } from './elasticsearch-proxy.ts';

let server: SharedElasticsearch;
let proxy: ElasticsearchProxy;
let direct: Client;

before(async () => {
  server = await sharedElasticsearch();
  proxy = await startElasticsearchProxy(server.url);
  direct = new Client({ node: server.url });
});

after(async () => {
  await direct?.close();
  await proxy?.close();
  await server?.stop();
});

/** The official client, without the retries that would hide a fault. */
function client(options: { compression?: boolean; maxRetries?: number } = {}): Client {
  return new Client({ node: proxy.url, maxRetries: 0, ...options });
}

const operations = (index: string, ids: readonly string[]) =>
  ids.flatMap((id) => [{ create: { _index: index, _id: id } }, { text: `text of ${id}` }]);

const stored = async (index: string): Promise<string[]> => {
  const found = await direct.search({ index, size: 100, ignore_unavailable: true });
  return found.hits.hits.flatMap(({ _id }) => (_id === undefined ? [] : [_id])).sort();
};

test('without a fault the official client works through the proxy as without it', async () => {
  const index = `${server.prefix}clean`;
  for (const compression of [false, true]) {
    const answer = await client({ compression }).bulk({ operations: operations(index, ['a', 'b']), refresh: true });
    assert.equal(answer.errors, compression, 'the second time both are there');
  }
  assert.equal(await client().indices.exists({ index }), true);
  assert.deepEqual(await stored(index), ['a', 'b']);
  assert.ok(proxy.requests.every(({ executed, status }) => executed && status !== undefined));
});

test('an answered fault never reaches the server, meets as many requests as asked, and then no more', async () => {
  const index = `${server.prefix}answers`;
  for (const status of [413, 429, 500, 503]) {
    const fault = proxy.inject({ kind: 'answer', status }, { times: 2 });
    for (const round of [1, 2]) {
      await assert.rejects(client().bulk({ operations: operations(index, ['a']) }), { statusCode: status });
      assert.equal(fault.used(), round);
    }
  }
  assert.equal(await direct.indices.exists({ index }), false);
  await client().bulk({ operations: operations(index, ['a']), refresh: true });
  assert.deepEqual(await stored(index), ['a']);
});

test('a fault meets only the requests it is for, and none after it was removed', async () => {
  const index = `${server.prefix}scope`;
  const fault = proxy.inject(
    { kind: 'answer', status: 503 },
    { on: ({ path }) => path.includes('_search'), times: 100 },
  );
  await client().bulk({ operations: operations(index, ['a']), refresh: true });
  await assert.rejects(client().search({ index }), { statusCode: 503 });
  fault.remove();
  await client().search({ index });
  assert.equal(fault.used(), 1);
});

test('chosen items are refused in their places, and the others are executed, compressed or not', async () => {
  for (const compression of [false, true]) {
    const index = `${server.prefix}items-${compression}`;
    proxy.inject({ kind: 'items', which: ({ id, at }) => id === 'b' || at === 3 });
    const sent = [...operations(index, ['a', 'b', 'c', 'd']), { delete: { _index: index, _id: 'a' } }];
    const answer = await client({ compression }).bulk({ operations: sent, refresh: true });
    assert.equal(answer.errors, true);
    const statuses = answer.items.map((item) => (item.create ?? item.delete)?.status);
    assert.deepEqual(statuses, [201, 429, 201, 429, 200]);
    assert.equal(answer.items[1]?.create?.error?.type, 'es_rejected_execution_exception');
    assert.deepEqual(await stored(index), ['c']);
  }
});

test('with all items refused the server is not asked, and the client still takes the answer for one of Elasticsearch', async () => {
  const index = `${server.prefix}all`;
  const error = { status: 403, type: 'cluster_block_exception', reason: 'index blocked' };
  proxy.inject({ kind: 'items', which: () => true, error });
  const answer = await client().bulk({ index, operations: [{ create: { _id: 'a' } }, { text: 'a' }] });
  const { status, _index, error: said } = answer.items[0]?.create ?? {};
  assert.deepEqual({ status, _index, type: said?.type }, { status: 403, _index: index, type: error.type });
  assert.equal(proxy.requests.at(-1)?.executed, false);
});

test('a connection that is reset before the server got the request leaves nothing, one that is reset after it leaves all', async () => {
  const cases = [
    { kind: 'reset_before', left: [] },
    { kind: 'reset_after', left: ['a'] },
    { kind: 'cut', left: ['a'] },
  ] as const;
  for (const { kind, left } of cases) {
    const index = `${server.prefix}${kind}`;
    proxy.inject({ kind });
    await assert.rejects(client().bulk({ operations: operations(index, ['a']), refresh: true }), {
      name: 'ConnectionError',
    });
    assert.deepEqual(await stored(index), left, kind);
  }
});

test('an executed request can be answered as failed, so that a retry finds its own work done', async () => {
  const index = `${server.prefix}after`;
  proxy.inject({ kind: 'answer_after', status: 504 });
  const answer = await client({ maxRetries: 1 }).bulk({ operations: operations(index, ['a']) });
  assert.equal(answer.items[0]?.create?.status, 409);
});

test('a held request goes on when it is let go, with the server asked before or after', async () => {
  for (const when of ['before', 'after'] as const) {
    const index = `${server.prefix}hold-${when}`;
    const { promise: until, resolve: letGo } = Promise.withResolvers<void>();
    const fault = proxy.inject({ kind: 'hold', when, until });
    const answer = client().bulk({ operations: operations(index, ['a']), refresh: true });
    await waitUntil('the held request', () => fault.used() === 1);
    const held = proxy.requests.at(-1);
    if (when === 'after') await waitUntil('its execution', () => held?.executed);
    assert.equal(held?.status, undefined);
    assert.deepEqual(await stored(index), when === 'after' ? ['a'] : []);
    letGo();
    assert.equal((await answer).items[0]?.create?.status, 201);
  }
});

test('a server that is not there resets the connection, and no answer is made up', async () => {
  const lonely = await startElasticsearchProxy('http://127.0.0.1:1');
  try {
    const lost = new Client({ node: lonely.url, maxRetries: 0 });
    await assert.rejects(lost.search({ index: 'any' }), { name: 'ConnectionError' });
  } finally {
    await lonely.close();
  }
});
