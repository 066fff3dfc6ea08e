import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import {
  openElasticsearchIndex,
  openElasticsearchReplace,
  openElasticsearchRetention,
  openElasticsearchSearch,
} from '../../extproc/index/elasticsearch/open.ts';
import type { ElasticsearchOptions } from '../../extproc/index/elasticsearch/options.ts';
import type {
  Delivery,
  IndexReplace,
  IndexSearch,
  IndexSink,
  IndexUsage,
  SearchQuery,
} from '../../extproc/index/port.ts';
import { type RejectList, type RejectsBound, unboundedRejects } from '../../extproc/index/rejects.ts';
import type { IndexRetention } from '../../extproc/index/retention.ts';
import { memoryFile, openRejectsForReading, SqliteMemory } from '../../extproc/index/sqlite/memory.ts';
import { SqliteReplace } from '../../extproc/index/sqlite/replace.ts';
import { SqliteRetention } from '../../extproc/index/sqlite/retention.ts';
import { SqliteSearch } from '../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../extproc/index/sqlite/writer.ts';
import type { Masked } from '../../extproc/masking/masked.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { temporaryDirectory } from '../builders/directory.ts';
import { documentOf } from '../builders/document.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';

/** One index, empty at first, with both of its sides. */
export type IndexUnderTest = {
  readonly sink: IndexSink;
  readonly reader: IndexSearch & IndexUsage;
  readonly replacer: IndexReplace;
  readonly retention: IndexRetention;
  /** Makes what was stored so far findable, as it is by itself after the refresh interval. */
  settle(): Promise<void>;
  /** What this index refused. */
  readonly rejects: RejectList;
};

/** A kind of index; each `open` gives another one. */
export type IndexKind = {
  readonly name: string;
  open(t: TestContext, rejects?: RejectsBound): Promise<IndexUnderTest>;
};

export type Documents = NonNullable<Parameters<typeof documentOf>[0]>[];

export const sqliteKind: IndexKind = {
  name: 'SQLite',
  async open(t, bound) {
    const directory = temporaryDirectory(t);
    const sink = SqliteIndex.open(directory, undefined, bound);
    const reader = SqliteSearch.open(directory);
    const replacer = SqliteReplace.open(directory);
    const retention = SqliteRetention.open(directory);
    const rejects = openRejectsForReading(memoryFile(directory, 'sqlite'));
    t.after(async () => {
      rejects.close();
      await retention.close();
      await replacer.close();
      await reader.close();
      await sink.close();
    });
    return { sink, reader, replacer, retention, settle: async () => {}, rejects };
  },
};

/** A server, and how the names of what a test makes there begin. */
export type Place = { readonly url: string; readonly prefix: string };

/** Options for indices of their own on a server that several tests share. */
export function elasticsearchOptions({ url, prefix }: Place): ElasticsearchOptions {
  return {
    nodes: [url],
    caFile: undefined,
    credential: null,
    prefix: `${prefix}${randomBytes(4).toString('hex')}`,
    numberOfReplicas: 0,
    refreshIntervalMs: 600_000,
    requestTimeoutMs: 20_000,
  };
}

/** @param place called when an index is opened */
export function elasticsearchKind(place: () => Place): IndexKind {
  return {
    name: 'Elasticsearch',
    async open(t, bound = unboundedRejects) {
      const { url } = place();
      const options = elasticsearchOptions(place());
      const memory = SqliteMemory.open(memoryFile(temporaryDirectory(t), 'elasticsearch'), undefined, {
        rejects: bound,
      });
      const sink = await openElasticsearchIndex(options, memory.rejects);
      const reader = openElasticsearchSearch(options);
      const replacer = openElasticsearchReplace(options);
      const retention = openElasticsearchRetention(options);
      t.after(async () => {
        await retention.close();
        await replacer.close();
        await reader.close();
        await sink.close();
        memory.close();
        await removeIndices(url, options.prefix);
      });
      return { sink, reader, replacer, retention, settle: () => refresh(url, options.prefix), rejects: memory.rejects };
    },
  };
}

export async function refresh(url: string, prefix: string): Promise<void> {
  const { status } = await elasticsearchCall({ url, method: 'POST', path: `/${prefix}-*/_refresh` });
  assert.equal(status, 200);
}

export async function indexNames(url: string, prefix: string): Promise<string[]> {
  const { text } = await elasticsearchCall({ url, path: `/${prefix}-*/_settings` });
  return Object.keys(JSON.parse(text)).toSorted();
}

/** So that the shards of one test do not slow down the next; a wildcard is refused by the server. */
async function removeIndices(url: string, prefix: string): Promise<void> {
  const names = await indexNames(url, prefix);
  if (names.length > 0) await elasticsearchCall({ url, method: 'DELETE', path: `/${names.join(',')}` });
  await elasticsearchCall({ url, method: 'DELETE', path: `/_index_template/${prefix}` });
}

export async function filled(kind: IndexKind, t: TestContext, documents: Documents): Promise<IndexUnderTest> {
  const index = await kind.open(t);
  await deliverAll(index, documents.map(documentOf));
  return index;
}

/** Every document must be accepted; afterwards it is found. */
export async function deliverAll(index: IndexUnderTest, documents: readonly Masked<ExchangeDocument>[]): Promise<void> {
  const deliveries = await index.sink.deliver(documents);
  assert.deepEqual(
    deliveries,
    documents.map((): Delivery => ({ kind: 'accepted' })),
  );
  await index.settle();
}

export async function idsFor({ reader }: IndexUnderTest, query: SearchQuery): Promise<string[]> {
  return (await reader.search(query)).hits.map((hit) => hit.id);
}
