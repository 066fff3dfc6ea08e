import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kibanaObjects } from '../../extproc/kibana/objects.ts';
import { toNdjson } from '../../extproc/kibana/saved-object.ts';
import { capText } from '../../extproc/masking/cap-text.ts';
import { documentOf } from '../builders/document.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';
import { translateKql } from '../environment/kibana/kql.ts';
import { lensRows, lensSearch, type Row } from '../environment/kibana/lens.ts';
import { ask, sampleDocuments, storeDocuments } from '../environment/kibana/samples.ts';
import {
  controlFieldsOf,
  type FieldUse,
  lensPanelsOf,
  namedFields,
  type ParsedObject,
  parseNdjson,
  searchQueryOf,
} from '../environment/kibana/saved-objects.ts';
import { type SharedElasticsearch, sharedElasticsearch } from '../environment/shared-elasticsearch.ts';

/** What Kibana would ask of these objects, asked of a real Elasticsearch. */

let server: SharedElasticsearch;
let prefix = '';
let objects: ParsedObject[] = [];

before(async () => {
  server = await sharedElasticsearch();
  prefix = `${server.prefix}kibana`;
  objects = parseNdjson(toNdjson(kibanaObjects({ prefix, consoleUrl: 'https://skilltape.example.com' })));
  await storeDocuments(server.url, prefix, sampleDocuments());
});
after(() => server?.stop());

function search(body: object): Promise<Answer> {
  return ask(server.url, 'POST', `/${prefix}-*/_search`, body) as Promise<Answer>;
}

type Answer = {
  hits: { total: { value: number }; hits: { _id: string; highlight?: Record<string, string[]> }[] };
  aggregations?: { [name: string]: { buckets: { key: string; doc_count: number }[] } };
};

const typesFor: Record<FieldUse['use'], readonly string[] | null> = {
  show: null,
  search: null,
  group: ['keyword'],
  time: ['date'],
  number: ['long'],
};

/** What is wrong with the fields that objects name, as the index has them. */
async function faultsOf(uses: readonly FieldUse[]): Promise<string[]> {
  const answer = await ask(server.url, 'GET', `/${prefix}-*/_field_caps?fields=*`);
  const { fields } = answer as {
    fields: Record<string, Record<string, { searchable: boolean; aggregatable: boolean }>>;
  };
  return uses.flatMap(({ field, where, use }) => {
    const [type, ...others] = Object.keys(fields[field] ?? {});
    if (type === undefined || others.length > 0) return [`${field} (${where}) is not in the index as one type`];
    const { searchable = false, aggregatable = false } = fields[field]?.[type] ?? {};
    if (!searchable || !aggregatable) return [`${field} (${where}) cannot be searched and grouped`];
    return typesFor[use]?.includes(type) === false ? [`${field} (${where}) is of type ${type}`] : [];
  });
}

test('every field that an object in Kibana names is in the index, with the type that its use needs', async () => {
  const uses = namedFields(objects);
  assert.ok(uses.length > 50, `only ${uses.length} uses of fields were found`);
  assert.deepEqual(await faultsOf(uses), []);
});

test('a field that the index does not have, or has with another type, is told', async () => {
  const renamed = toNdjson(kibanaObjects({ prefix, consoleUrl: null }))
    .replaceAll('skilltape.outcome', 'skilltape.result')
    .replaceAll('gen_ai.usage.output_tokens', 'gen_ai.request.model');
  const faults = await faultsOf(namedFields(parseNdjson(renamed)));
  assert.ok(faults.some((fault) => fault.startsWith('skilltape.result (column of')));
  assert.ok(faults.some((fault) => fault.startsWith('skilltape.result (query of')));
  assert.ok(faults.some((fault) => fault.startsWith('skilltape.result (terms of outcomes)')));
  assert.ok(faults.includes('gen_ai.request.model (sum of output-tokens) is of type keyword'));
});

const expectedRows: Record<string, Row[]> = {
  exchanges: [{ value: 6 }],
  people: [{ value: 3 }],
  sessions: [{ value: 5 }],
  'input-tokens': [{ value: 117 }],
  'output-tokens': [{ value: 234 }],
  verdicts: [
    { decision: 'allow', time: '2026-01-15T10:00:00.000Z', count: 2 },
    { decision: 'allow', time: '2026-01-15T12:00:00.000Z', count: 1 },
    { decision: 'deny', time: '2026-01-15T10:00:00.000Z', count: 1 },
    { decision: 'hold', time: '2026-01-15T12:00:00.000Z', count: 1 },
    { decision: 'none', time: '2026-01-15T12:00:00.000Z', count: 1 },
  ],
  outcomes: [
    { slices: 'complete', size: 3 },
    { slices: 'denied', size: 2 },
    { slices: 'refused', size: 1 },
  ],
  users: [
    { id: 'robot-2', email: '', name: 'robot', exchanges: 1, inputTokens: 100, outputTokens: 200 },
    { id: 'u-1', email: 'ada@example.org', name: 'ada', exchanges: 3, inputTokens: 17, outputTokens: 34 },
    { id: 'robot-1', email: '', name: 'robot', exchanges: 1, inputTokens: 0, outputTokens: 0 },
  ],
  models: [
    { model: 'claude-a', requests: 3, inputTokens: 112, outputTokens: 230 },
    { model: 'claude-b', requests: 2, inputTokens: 5, outputTokens: 4 },
  ],
  skills: [
    { value: 'pdf', count: 2 },
    { value: 'brand', count: 1 },
  ],
  tools: [
    { value: 'bash', count: 2 },
    { value: 'read', count: 1 },
  ],
  rules: [
    { value: 'no_secrets', count: 2 },
    { value: 'model_denied', count: 1 },
  ],
  masked: [
    { value: 'EMAIL', count: 2 },
    { value: 'IBAN', count: 1 },
  ],
  latency: [
    { time: '2026-01-15T10:00:00.000Z', p50: 1.5e9, p95: 1.95e9, p99: 1.99e9 },
    { time: '2026-01-15T12:00:00.000Z', p50: 4e9, p95: 4.9e9, p99: 4.98e9 },
  ],
};

test('every chart of the dashboard shows the numbers that the exchanges have', async () => {
  const dashboard = objects.find(({ type }) => type === 'dashboard');
  assert.ok(dashboard !== undefined);
  const panels = lensPanelsOf(dashboard);
  assert.deepEqual(panels.map(({ id }) => id).toSorted(), Object.keys(expectedRows).toSorted());
  for (const { id, state } of panels) {
    const answer = await search(lensSearch(state));
    assert.deepEqual(lensRows(state, answer), expectedRows[id], id);
  }
});

test('the lists above the dashboard offer the values that there are', async () => {
  const offered = await Promise.all(
    objects
      .filter(({ type }) => type === 'dashboard')
      .flatMap(controlFieldsOf)
      .map(async (field) => {
        const { aggregations } = await search({
          size: 0,
          aggs: { values: { terms: { field, order: { _key: 'asc' } } } },
        });
        return aggregations?.values?.buckets.map(({ key }) => key);
      }),
  );
  assert.deepEqual(offered, [
    ['', 'ada@example.org'],
    ['claude', 'sandbox'],
    ['brand', 'pdf'],
    ['', 'claude-a', 'claude-b'],
  ]);
});

test('every saved search finds what its name says', async () => {
  const found: Record<string, string[]> = {};
  for (const object of objects.filter(({ type }) => type === 'search')) {
    const { hits } = await search({ size: 100, query: translateKql(searchQueryOf(object)).query });
    found[object.id.slice(prefix.length + 1)] = hits.hits.map(({ _id }) => _id).toSorted();
  }
  assert.deepEqual(found, {
    prompts: ['answered', 'answered-later', 'batch#1', 'denied', 'held', 'refused'],
    'denied-and-held': ['denied', 'held'],
    'would-be-stopped': ['held'],
    'let-through-by-a-grant': ['held'],
    'refused-and-failed': ['batch#1', 'refused'],
    masked: ['answered', 'answered-later'],
    'masking-failed': ['batch#1'],
  });
});

/** As Discover sends it: no limit of its own on the characters that are looked through. */
function discoverRequest(text: string): object {
  return {
    size: 100,
    query: { multi_match: { type: 'best_fields', query: text, lenient: true } },
    sort: [{ '@timestamp': { order: 'desc', unmapped_type: 'boolean' } }],
    fields: [{ field: '*', include_unmapped: true }],
    _source: false,
    highlight: {
      pre_tags: ['@kibana-highlighted-field@'],
      post_tags: ['@/kibana-highlighted-field@'],
      fields: { '*': {} },
      fragment_size: 2_147_483_647,
    },
  };
}

test('what Discover asks to mark matches works beside a prompt of 3 MB, and would not without the cap', async () => {
  const prompt = `needle at the head ${'hay '.repeat(750_000)}needle at the tail`;
  const capped = capText(prompt, { cut: false, maxChars: 900_000 });
  // Three characters after normalising, each of them.
  const growing = `needle ${'\ufb2c'.repeat(890_000)}`;
  await storeDocuments(server.url, prefix, [
    documentOf({ id: 'long', time: '2026-01-15T15:00:00Z', input: capped }),
    documentOf({ id: 'growing', time: '2026-01-15T14:00:00Z', input: growing }),
  ]);
  const { hits } = await search(discoverRequest('needle'));
  const marks = hits.hits.map(({ _id, highlight }) => {
    return [_id, highlight?.['gen_ai.input.text']?.[0]?.match(/@kibana-/g)?.length];
  });
  assert.deepEqual(marks, [
    ['long', 2],
    ['growing', 1],
  ]);
  const path = `/${server.prefix}uncapped`;
  const body = { '@timestamp': '2026-01-15T15:00:00Z', text: prompt };
  const put = { url: server.url, method: 'PUT', path: `${path}/_doc/1?refresh=true`, body };
  assert.equal((await elasticsearchCall(put)).status, 201);
  await assert.rejects(ask(server.url, 'POST', `${path}/_search`, discoverRequest('needle')), /max_analyzed_offset/);
});
