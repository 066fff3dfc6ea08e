import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openElasticsearchIndex, openElasticsearchSearch } from '../../extproc/index/elasticsearch/open.ts';
import type { IndexSink } from '../../extproc/index/port.ts';
import { documentOf } from '../builders/document.ts';
import { startElasticsearch, type TestElasticsearch } from '../environment/elasticsearch.ts';
import { waitUntil } from '../environment/wait.ts';
import { type ElasticsearchProxy, startElasticsearchProxy } from '../fakes/elasticsearch-proxy.ts';
import { elasticsearchOptions, refresh } from './index-under-test.ts';

/** The server is killed, away and back; deliveries are repeated as shipping repeats them. */

let server: TestElasticsearch;
let proxy: ElasticsearchProxy;
before(async () => {
  server = await startElasticsearch({ mode: 'plain' });
  proxy = await startElasticsearchProxy(server.url);
});
after(async () => {
  await proxy?.close();
  await server?.stop();
});

type Document = ReturnType<typeof documentOf>;

/** Delivers once; gives back what has to be delivered again. */
async function deliverOnce(sink: IndexSink, documents: readonly Document[]): Promise<Document[]> {
  const deliveries = await sink.deliver(documents);
  assert.ok(deliveries.every(({ kind }) => kind !== 'rejected'));
  return documents.filter((_, at) => deliveries[at]?.kind === 'retry');
}

test('a server that is killed in the middle of a delivery and comes back has everything, and nothing twice', async (t) => {
  const options = elasticsearchOptions({ url: proxy.url, prefix: 'restart' });
  const sink = await openElasticsearchIndex(options, { keep: () => assert.fail('rejected') }, 1);
  const search = openElasticsearchSearch(options);
  t.after(async () => {
    await search.close();
    await sink.close();
  });
  const documents = Array.from({ length: 3_000 }, (_, number) => {
    const day = String((number % 3) + 1).padStart(2, '0');
    return documentOf({ id: `e-${number}`, time: `2026-01-${day}T10:00:00.000Z`, input: `tape ${'x '.repeat(500)}` });
  });
  assert.deepEqual(await deliverOnce(sink, documents.slice(0, 10)), []);

  const bulks = (): number => proxy.requests.filter(({ path }) => path.startsWith('/_bulk')).length;
  const before = bulks();
  const delivering = deliverOnce(sink, documents);
  // The third request is on its way to the server, which has executed the first two.
  await waitUntil('a third request', () => bulks() >= before + 3);
  await server.kill();
  let waiting = await delivering;
  assert.ok(waiting.length > 0 && waiting.length < documents.length, `${waiting.length} are waiting`);

  assert.equal((await deliverOnce(sink, waiting)).length, waiting.length);
  await assert.rejects(search.search({}), /cannot be reached/);

  await server.restart();
  waiting = await waitUntil('room for everything', async () => {
    waiting = await deliverOnce(sink, waiting);
    return waiting.length === 0 && waiting;
  });
  assert.deepEqual(await deliverOnce(sink, documents), []);

  await refresh(server.url, options.prefix);
  const found: string[] = [];
  let place: string | undefined;
  do {
    const { hits, next } = await search.search({ text: 'tape', limit: 1_000, before: place });
    found.push(...hits.map(({ id }) => id));
    place = next ?? undefined;
  } while (place !== undefined);
  assert.deepEqual(found.toSorted(), documents.map(({ event }) => event.id).toSorted());
});

test('a server that is frozen does not hold shipping up for longer than a request may take', async (t) => {
  const options = { ...elasticsearchOptions({ url: server.url, prefix: 'frozen' }), requestTimeoutMs: 1_000 };
  const sink = await openElasticsearchIndex(options, { keep: () => assert.fail('rejected') }, 1);
  t.after(() => sink.close());
  assert.deepEqual(await deliverOnce(sink, [documentOf({ id: 'a' })]), []);
  server.freeze();
  const deliveries = await sink.deliver([documentOf({ id: 'b' })]).finally(() => server.thaw());
  assert.deepEqual(deliveries, [{ kind: 'retry', reason: 'Elasticsearch did not answer in time' }]);
  await waitUntil('the frozen document', async () => (await deliverOnce(sink, [documentOf({ id: 'b' })])).length === 0);
});
