import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import {
  decodeAll,
  fixtureBytes,
  fixtureJson,
  foldEvents,
  sseText,
  streamFixtures,
  utf8,
  wholeStreamFixtures,
} from './fixture.ts';

/** Serves the bytes in small chunks, as a fetch that touches no network. */
function serving(bytes: Uint8Array) {
  return async (): Promise<Response> => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 7) controller.enqueue(bytes.slice(at, at + 7));
        controller.close();
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
}

const params = { model: 'm', max_tokens: 1, messages: [{ role: 'user' as const, content: 'x' }] };

type Read = (bytes: Uint8Array) => Promise<unknown>;

const readers: [name: string, plain: Read, beta: Read][] = [
  [
    'SDK 1.x',
    (bytes) =>
      new Anthropic({ apiKey: 'k', maxRetries: 0, fetch: serving(bytes) }).messages.stream(params).finalMessage(),
    (bytes) =>
      new Anthropic({ apiKey: 'k', maxRetries: 0, fetch: serving(bytes) }).beta.messages.stream(params).finalMessage(),
  ],
  [
    'SDK 0.x',
    (bytes) =>
      new Anthropic0({ apiKey: 'k', maxRetries: 0, fetch: serving(bytes) }).messages.stream(params).finalMessage(),
    (bytes) =>
      new Anthropic0({ apiKey: 'k', maxRetries: 0, fetch: serving(bytes) }).beta.messages.stream(params).finalMessage(),
  ],
];

/** As JSON: fields that are undefined and getters of the SDK's objects do not count. */
function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, field) => (key === 'parsed_output' ? undefined : field)));
}

function quiet(t: TestContext): void {
  t.mock.method(console, 'error', () => {});
  t.mock.method(console, 'warn', () => {});
}

for (const [sdk, plain, beta] of readers) {
  for (const name of wholeStreamFixtures) {
    test(`${name} folds into what ${sdk} assembles from the same bytes`, async () => {
      const bytes = fixtureBytes(name);
      const folded = foldEvents(decodeAll([bytes]));
      assert.equal(folded.ended, true);
      assert.deepEqual(folded.faults, []);
      assert.deepEqual(plainJson(folded.message), plainJson(await plain(bytes)));
      assert.deepEqual(plainJson(folded.message), plainJson(await beta(bytes)));
    });
  }

  test(`every beta delta folds into what ${sdk} assembles`, async () => {
    const bytes = utf8(betaStream());
    const folded = foldEvents(decodeAll([bytes]));
    assert.deepEqual(folded.faults, []);
    assert.deepEqual(plainJson(folded.message), plainJson(await beta(bytes)));
  });

  for (const name of streamFixtures.filter((fixture) => !wholeStreamFixtures.includes(fixture))) {
    test(`${name} is not ended, and ${sdk} rejects it`, async (t) => {
      quiet(t);
      const bytes = fixtureBytes(name);
      assert.equal(foldEvents(decodeAll([bytes])).ended, false);
      await assert.rejects(plain(bytes));
    });
  }

  test(`a delta for a missing block, of another type or before the start does in the fold what it does in ${sdk}`, async () => {
    const bytes = utf8(strangeStream());
    const folded = foldEvents(decodeAll([bytes]));
    assert.equal(folded.ended, true);
    assert.deepEqual(plainJson(folded.message), plainJson(await plain(bytes)));
  });
}

test('the stream with skills assembles to the answer that is not streamed', () => {
  const folded = foldEvents(decodeAll([fixtureBytes('e_skills_stream.sse')]));
  assert.deepEqual(folded.message, fixtureJson('e_skills_response.json'));
});

function messageStart(fields: object = {}) {
  const usage = { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'first', content: [], usage, ...fields };
  return { type: 'message_start', message };
}

function betaStream(): string {
  const block = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block });
  const delta = (index: number, change: object) => ({ type: 'content_block_delta', index, delta: change });
  return sseText([
    messageStart(),
    block(0, { type: 'compaction', content: null }),
    delta(0, { type: 'compaction_delta', content: 'first summary' }),
    delta(0, { type: 'compaction_delta', content: 'summary', encrypted_content: 'abc' }),
    { type: 'content_block_stop', index: 0 },
    block(1, { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'find', server_name: 'crm', input: {} }),
    delta(1, { type: 'input_json_delta', partial_json: '{"q":"\\u00' }),
    delta(1, { type: 'input_json_delta', partial_json: 'e9"}' }),
    { type: 'content_block_stop', index: 1 },
    block(2, { type: 'mcp_tool_result', tool_use_id: 'mcptoolu_1', content: [{ type: 'text', text: 'found' }] }),
    { type: 'content_block_stop', index: 2 },
    block(3, { type: 'fallback', from: { model: 'first' }, to: { model: 'second' }, trigger: 'overloaded' }),
    { type: 'content_block_stop', index: 3 },
    block(4, { type: 'thinking', thinking: '', signature: '' }),
    delta(4, { type: 'thinking_delta', thinking: 'hm', estimated_tokens: 3 }),
    delta(4, { type: 'signature_delta', signature: 'one' }),
    delta(4, { type: 'signature_delta', signature: 'two' }),
    { type: 'content_block_stop', index: 4 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 5, input_tokens: null, iterations: [{ type: 'message' }], fallback_credit: { x: 1 } },
      context_management: { applied_edits: [] },
      input_transformations: [{ type: 'x' }],
    },
    {
      type: 'message_delta',
      delta: { stop_reason: 'refusal', stop_sequence: 'END', stop_details: { type: 'refusal' } },
      usage: { output_tokens: 9, cache_read_input_tokens: 7 },
      context_management: null,
    },
    { type: 'message_stop' },
  ]);
}

function strangeStream(): string {
  return sseText([
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'before the start' } },
    messageStart({ content: [{ type: 'text', text: 'prefilled ', citations: null }] }),
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'text' } },
    { type: 'content_block_start', index: 7, content_block: { type: 'tool_use', id: 't', name: 'n', input: {} } },
    { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'not for a tool' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: ' {"a": [1]} ' } },
    { type: 'content_block_stop', index: 1 },
    {
      type: 'content_block_start',
      index: 2,
      content_block: { type: 'tool_use', id: 'u', name: 'n', input: { set: 1 } },
    },
    { type: 'content_block_stop', index: 2 },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' after another block' } },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ]);
}
