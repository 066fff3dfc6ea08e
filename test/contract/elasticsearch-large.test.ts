import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openElasticsearchIndex, openElasticsearchSearch } from '../../extproc/index/elasticsearch/open.ts';
import type { Delivery } from '../../extproc/index/port.ts';
import { builtInDetection } from '../../extproc/masking/own-detection.ts';
import { usualMasking } from '../../extproc/policy/masking-decision.ts';
import type { JsonValue } from '../../extproc/transcript/document.ts';
import { maskDocument } from '../../extproc/transcript/masked-document.ts';
import { documentOf } from '../builders/document.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';
import { type SharedElasticsearch, sharedElasticsearch } from '../environment/shared-elasticsearch.ts';
import { elasticsearchOptions, refresh } from './index-under-test.ts';

/** What one caller sends must not grow the mapping nor break the searches of the others. */

let server: SharedElasticsearch;
before(async () => {
  server = await sharedElasticsearch();
});
after(() => server?.stop());

const accepted = (count: number): Delivery[] => Array.from({ length: count }, () => ({ kind: 'accepted' }));

/** As shipping makes it: capped to what the configuration allows at most with Elasticsearch. */
function capped(id: string, prompt: string): ReturnType<typeof documentOf> {
  const masker = { json: (value: unknown) => ({ value: value as never, isCut: false, findings: [] }) };
  const draft = documentOf({ id, skilltape: { new_messages: [{ role: 'user', content: prompt }] } });
  return maskDocument(draft, masker, 900_000, usualMasking, builtInDetection);
}

/** What Kibana's Discover sends, whatever the fields: no limit of its own on the text that is marked. */
const kibanaHighlight = {
  pre_tags: ['@kibana-highlighted-field@'],
  post_tags: ['@/kibana-highlighted-field@'],
  fields: { '*': {} },
  fragment_size: 2147483647,
};

test('a prompt of 3 MB is found by its begin and its end, marked here and as Kibana asks for it', async (t) => {
  const options = elasticsearchOptions(server);
  const sink = await openElasticsearchIndex(options, { keep: () => assert.fail('rejected') });
  const search = openElasticsearchSearch(options);
  t.after(async () => {
    await search.close();
    await sink.close();
  });
  const words = (text: string): string => text.repeat(Math.ceil(1_500_000 / text.length));
  const prompt = `headword ${words('lorem ipsum ')} middleword ${words('dolor sit ')} tailword`;
  const dense = `denseword ${'ä'.repeat(2_000_000)} \u{1f600}${'a\u0308 '.repeat(400_000)}`;
  // Each of these letters becomes two when it is normalised.
  const growing = `growingword ${'\u0958'.repeat(2_000_000)}`;
  const documents = [capped('large', prompt), capped('dense', dense), capped('growing', growing)];
  assert.deepEqual(await sink.deliver(documents), accepted(3));
  await refresh(server.url, options.prefix);

  for (const word of ['headword', 'tailword']) {
    const { hits } = await search.search({ text: word });
    const { snippet, id } = hits[0] ?? assert.fail(`${word} is not found`);
    assert.equal(id, 'large');
    assert.deepEqual(
      snippet.marks.map(({ start, end }) => snippet.text.slice(start, end)),
      [word],
    );
  }
  assert.deepEqual((await search.search({ text: 'middleword' })).hits, []);
  assert.equal((await search.get('large'))?.skilltape.truncated, true);

  const { status, text } = await elasticsearchCall({
    ...{ url: server.url, method: 'POST', path: `/${options.prefix}-*/_search` },
    body: {
      query: { query_string: { query: 'headword OR denseword OR growingword', fields: ['gen_ai.input.text'] } },
      highlight: kibanaHighlight,
      ...{ fields: ['*'], _source: false, size: 500 },
    },
  });
  assert.equal(status, 200, text.slice(0, 500));
  const { hits } = JSON.parse(text) as { hits: { hits: { highlight?: Record<string, string[]> }[] } };
  assert.equal(hits.hits.length, 3);
  for (const { highlight } of hits.hits)
    assert.match(
      highlight?.['gen_ai.input.text']?.join('') ?? '',
      /@kibana-highlighted-field@(head|dense|growing)word@/,
    );
});

test('10,000 keys that a caller made up leave the mapping as it was', async (t) => {
  const options = elasticsearchOptions(server);
  const sink = await openElasticsearchIndex(options, { keep: () => assert.fail('rejected') });
  t.after(() => sink.close());
  const mapping = async (): Promise<unknown> =>
    JSON.parse((await elasticsearchCall({ url: server.url, path: `/${options.prefix}-*/_mapping` })).text);
  assert.deepEqual(await sink.deliver([documentOf({ id: 'first' })]), accepted(1));
  const first = await mapping();
  const keys = Array.from({ length: 10_000 }, (_, number) => [`key_${number}`, { nested: number }]);
  const input = Object.fromEntries(keys) as JsonValue;
  const made = Object.fromEntries([
    ['type', 'tool_use'],
    ['name', 'x'],
    ['input', input],
  ]) as JsonValue;
  const documents = [
    documentOf({ id: 'keys', skilltape: { new_messages: [{ role: 'user', content: [made] }], tools: input } }),
    documentOf({ id: 'answer', skilltape: { answer: input, system: input, error: input } }),
    // A field that a later skilltape may add.
    { ...documentOf({ id: 'later' }), labels: input, gen_ai: { ...documentOf().gen_ai, labels: input } },
  ] as unknown as ReturnType<typeof documentOf>[];
  assert.deepEqual(await sink.deliver(documents), accepted(3));
  assert.deepEqual(await mapping(), first);
});
