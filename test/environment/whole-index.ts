import assert from 'node:assert/strict';
import type { IndexSearch, SearchHit } from '../../extproc/index/port.ts';
import { SqliteSearch } from '../../extproc/index/sqlite/search.ts';

/** Everything in the embedded index by id; fails when an id comes twice. */
export async function wholeIndex(dataDirectory: string): Promise<Map<string, SearchHit>> {
  const index = SqliteSearch.open(dataDirectory);
  try {
    return await everyHit(index);
  } finally {
    await index.close();
  }
}

/** Everything by id, page by page; fails when an id comes twice. */
export async function everyHit(index: Pick<IndexSearch, 'search'>): Promise<Map<string, SearchHit>> {
  const hits = new Map<string, SearchHit>();
  for (let before: string | undefined; ; ) {
    const page = await index.search({ limit: 1_000, before, noise: true });
    for (const hit of page.hits) {
      assert.ok(!hits.has(hit.id), `${hit.id} is in the index twice`);
      hits.set(hit.id, hit);
    }
    if (page.next === null) return hits;
    before = page.next;
  }
}
