import { after, before } from 'node:test';
import { type SharedElasticsearch, sharedElasticsearch } from '../environment/shared-elasticsearch.ts';
import { testDelivery } from './delivery-behaviour.ts';
import { elasticsearchKind, sqliteKind } from './index-under-test.ts';
import { testReplace } from './replace-behaviour.ts';
import { testRetention } from './retention-behaviour.ts';
import { testSearch } from './search-behaviour.ts';
import { textAnalysisOf } from './text-analysis.ts';
import { testUsage } from './usage-behaviour.ts';
import { testWords } from './words-behaviour.ts';

/** One contract for both indices: what a person finds must not depend on which of them an operator chose. */

let server: SharedElasticsearch;
before(async () => {
  server = await sharedElasticsearch();
});
after(() => server?.stop());

const kinds = [
  { kind: sqliteKind, analysis: async () => 'folding' as const },
  { kind: elasticsearchKind(() => server), analysis: () => textAnalysisOf(server.url) },
];
for (const { kind, analysis } of kinds) {
  testDelivery(kind);
  testReplace(kind);
  testRetention(kind);
  testSearch(kind);
  testWords(kind, analysis);
  testUsage(kind);
}
