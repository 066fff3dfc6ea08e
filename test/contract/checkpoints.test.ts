import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, type TestContext, test } from 'node:test';
import type { CheckpointLine, IndexCheckpoints, StoredCheckpoints } from '../../extproc/index/checkpoints.ts';
import { checkpointIndex } from '../../extproc/index/elasticsearch/checkpoints.ts';
import {
  openElasticsearchCheckpoints,
  openElasticsearchSearch,
  openStoredCheckpoints,
} from '../../extproc/index/elasticsearch/open.ts';
import { openSqliteCheckpoints, SqliteCheckpoints } from '../../extproc/index/sqlite/checkpoints.ts';
import { temporaryDirectory } from '../builders/directory.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';
import { type SharedElasticsearch, sharedElasticsearch } from '../environment/shared-elasticsearch.ts';
import { elasticsearchOptions } from './index-under-test.ts';

/** Both indices as a place for signed checkpoints: append only, all of them, in order. */

let server: SharedElasticsearch;
before(async () => {
  server = await sharedElasticsearch();
});
after(() => server?.stop());

type Place = { adding: IndexCheckpoints; stored(): StoredCheckpoints; settle(): Promise<void> };

const kinds: Record<string, (t: TestContext) => Place> = {
  SQLite: (t) => {
    const directory = temporaryDirectory(t);
    const adding = new SqliteCheckpoints(directory);
    t.after(() => adding.close());
    return { adding, stored: () => openSqliteCheckpoints(directory), settle: async () => {} };
  },
  Elasticsearch: (t) => {
    const options = elasticsearchOptions(server);
    const adding = openElasticsearchCheckpoints(options);
    t.after(() => adding.close());
    const settle = async () => {
      const path = `/${checkpointIndex(options.prefix)}/_refresh`;
      assert.equal((await elasticsearchCall({ url: server.url, method: 'POST', path })).status, 200);
    };
    return { adding, stored: () => openStoredCheckpoints(options), settle };
  },
};

/** Longer than Lucene takes as a word. */
const long = 'x'.repeat(40_000);

function checkpoint(writer: string, number: number, more = ''): CheckpointLine {
  const line = `{"writer":"${writer}","number":${number}}${more}\tsigned`;
  const hash = createHash('sha256').update(line).digest('hex');
  return { hash, writer, number, timeMs: 1_700_000_000_000 + number, line };
}

async function linesOf(stored: StoredCheckpoints): Promise<string[]> {
  try {
    const lines: string[] = [];
    for await (const line of stored.lines()) lines.push(line);
    return lines;
  } finally {
    await stored.close();
  }
}

for (const [name, open] of Object.entries(kinds)) {
  test(`${name}: checkpoints are given back by writer and number, each once; two histories of one number both stay`, async (t) => {
    const { adding, stored, settle } = open(t);
    const first = Array.from({ length: 12 }, (_, at) => checkpoint('aa', at + 1, at === 3 ? long : ''));
    const others = [checkpoint('bb', 1), checkpoint('bb', 2)];
    for (const one of [...first.toReversed(), ...others, ...first]) await adding.add(one);
    const forged = checkpoint('aa', 12, ' of another history');
    await adding.add(forged);
    await settle();
    const lines = await linesOf(stored());
    assert.deepEqual(
      lines.filter((line) => line !== forged.line),
      [...first, ...others].map(({ line }) => line),
    );
    assert.equal(lines.length, 15);
  });

  test(`${name}: where none were ever kept that is said`, async (t) => {
    const { stored } = open(t);
    await assert.rejects(async () => linesOf(stored()), { code: 'index_failed' });
  });
}

test('Elasticsearch keeps them out of the index of documents, and finds more than one page of them', async (t) => {
  const options = elasticsearchOptions(server);
  const adding = openElasticsearchCheckpoints(options);
  const search = openElasticsearchSearch(options);
  t.after(() => Promise.all([adding.close(), search.close()]));
  await adding.add(checkpoint('aa', 1));
  const index = checkpointIndex(options.prefix);
  const numbers = Array.from({ length: 1_200 }, (_, at) => at + 2);
  const lines = numbers.flatMap((number) => {
    const { hash, writer, line } = checkpoint('aa', number);
    return [{ create: { _index: index, _id: hash } }, { writer, number, hash, line }];
  });
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await elasticsearchCall({ url: server.url, method: 'POST', path: '/_bulk?refresh=true', body });
  assert.equal((await linesOf(openStoredCheckpoints(options))).length, 1_201);
  assert.deepEqual((await search.search({ noise: true })).hits, []);
});
