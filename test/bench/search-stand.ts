/** An index of each kind with everything of a corpus in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openElasticsearchIndex, openElasticsearchSearch } from '../../extproc/index/elasticsearch/open.ts';
import type { IndexSearch, IndexSink } from '../../extproc/index/port.ts';
import { SqliteSearch } from '../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../extproc/index/sqlite/writer.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';
import { startElasticsearch } from '../environment/elasticsearch.ts';
import type { Corpus } from './search-corpus.ts';

export const indexNames = ['sqlite', 'elasticsearch'] as const;
export type IndexName = (typeof indexNames)[number];

export type SearchStand = { readonly search: IndexSearch; readonly fillSeconds: number; close(): Promise<void> };

/** As many as shipping delivers at once at most. */
const documentsPerDelivery = 64;

export async function openStand(name: IndexName, corpus: Corpus, exchanges: number): Promise<SearchStand> {
  await using opened = new AsyncDisposableStack();
  const { sink, search, settle } = name === 'sqlite' ? openSqlite(opened) : await openElasticsearch(opened);
  const began = performance.now();
  for (let from = 0; from < exchanges; from += documentsPerDelivery) {
    const count = Math.min(documentsPerDelivery, exchanges - from);
    const documents = Array.from({ length: count }, (_, at) => corpus.document(from + at));
    const deliveries = await sink.deliver(documents);
    const failed = deliveries.find(({ kind }) => kind !== 'accepted');
    if (failed !== undefined) throw new Error(`not taken: ${JSON.stringify(failed)}`);
  }
  await settle();
  const all = opened.move();
  return { search, fillSeconds: (performance.now() - began) / 1_000, close: () => all.disposeAsync() };
}

type Opened = { sink: IndexSink; search: IndexSearch; settle(): Promise<void> };

function openSqlite(opened: AsyncDisposableStack): Opened {
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-bench-search-'));
  opened.defer(() => rmSync(directory, { recursive: true }));
  const sink = SqliteIndex.open(directory);
  opened.defer(() => sink.close());
  const search = SqliteSearch.open(directory);
  opened.defer(() => search.close());
  return { sink, search, settle: async () => {} };
}

async function openElasticsearch(opened: AsyncDisposableStack): Promise<Opened> {
  const { url, stop } = await startElasticsearch({ mode: 'plain' });
  opened.defer(stop);
  const options = {
    ...{ nodes: [url], caFile: undefined, credential: null, prefix: 'bench' },
    ...{ numberOfReplicas: 0, refreshIntervalMs: 5_000, requestTimeoutMs: 60_000 },
  };
  const keep = (_: unknown, reason: string): never => {
    throw new Error(`refused: ${reason}`);
  };
  const sink = await openElasticsearchIndex(options, { keep });
  opened.defer(() => sink.close());
  const search = openElasticsearchSearch(options);
  opened.defer(() => search.close());
  const settle = async (): Promise<void> => {
    await elasticsearchCall({ url, method: 'POST', path: '/bench-*/_refresh', timeoutMs: 60_000 });
  };
  return { sink, search, settle };
}
