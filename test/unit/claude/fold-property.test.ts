import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import fc from 'fast-check';
import { usageOf } from '../../../extproc/claude/usage.ts';
import { decodeAll, foldEvents } from './fixture.ts';

/** Streams that the grammar allows and no recording has: what the fold makes of each is what the official SDKs make of it. */
type Data = { [key: string]: unknown; type: string };

/** The bytes in the pieces in which they come. */
function serving(chunks: readonly Uint8Array[]) {
  return async (): Promise<Response> => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
}

const params = { model: 'm', max_tokens: 1, messages: [{ role: 'user' as const, content: 'x' }] };
const options = (chunks: readonly Uint8Array[]) => ({ apiKey: 'k', maxRetries: 0, fetch: serving(chunks) });
const readers: [name: string, read: (chunks: readonly Uint8Array[]) => Promise<unknown>][] = [
  ['SDK 1.x', (chunks) => new Anthropic(options(chunks)).messages.stream(params).finalMessage()],
  ['SDK 1.x beta', (chunks) => new Anthropic(options(chunks)).beta.messages.stream(params).finalMessage()],
  ['SDK 0.x', (chunks) => new Anthropic0(options(chunks)).messages.stream(params).finalMessage()],
];

/** As JSON: fields that are undefined and getters of the SDK's objects do not count. */
function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, field) => (key === 'parsed_output' ? undefined : field)));
}

/** Also cut inside characters of two units, and inside escapes of JSON. */
function cut(text: string, places: readonly number[]): string[] {
  const ends = [...new Set(places.map((place) => place % (text.length + 1)))].toSorted((one, other) => one - other);
  return [0, ...ends].map((start, at) => text.slice(start, ends[at]));
}

const text = fc.string({ unit: 'binary', maxLength: 40 });
const places = fc.array(fc.nat(200), { maxLength: 6 });
/** Integers that a double cannot hold stay the digits that were sent, which is no difference to the SDK's to be looked for here. */
const json = fc.dictionary(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.jsonValue({ maxDepth: 3, noUnicodeString: false }).filter((value) => !/\d{15}/.test(JSON.stringify(value))),
  { maxKeys: 4 },
);

type Block = { start: object; deltas: object[] };
const pieces = (content: string, at: readonly number[], field: string, type: string) =>
  cut(content, at).map((piece) => ({ type, [field]: piece }));

const citation = fc.record({ type: fc.constant('char_location'), cited_text: text, document_index: fc.nat(9) });
const textBlock = fc.record({ said: text, at: places, first: text, citations: fc.array(citation, { maxLength: 2 }) });
const block: fc.Arbitrary<Block> = fc.oneof(
  textBlock.map(({ said, at, first, citations }) => ({
    start: { type: 'text', text: first, ...(citations.length > 0 && { citations: [] }) },
    deltas: [
      ...pieces(said, at, 'text', 'text_delta'),
      ...citations.map((each) => ({ type: 'citations_delta', citation: each })),
    ],
  })),
  fc
    .record({ input: json, at: places, type: fc.constantFrom('tool_use', 'server_tool_use'), name: text })
    .map(({ input, at, type, name }) => ({
      start: { type, id: 'toolu_1', name, input: {} },
      deltas: pieces(JSON.stringify(input), at, 'partial_json', 'input_json_delta'),
    })),
  fc
    .record({ said: text, at: places, signatures: fc.array(text, { maxLength: 2 }) })
    .map(({ said, at, signatures }) => ({
      start: { type: 'thinking', thinking: '', signature: '' },
      deltas: [
        ...pieces(said, at, 'thinking', 'thinking_delta'),
        ...signatures.map((signature) => ({ type: 'signature_delta', signature })),
      ],
    })),
  fc
    .record({ type: fc.constantFrom('redacted_thinking', 'web_search_tool_result', 'of_tomorrow'), data: json })
    .map(({ type, data }) => ({ start: { type, data }, deltas: [{ type: 'delta_of_tomorrow', text: 'x' }] })),
);

const count = fc.option(fc.nat(100_000));
const totals = fc.record(
  {
    input_tokens: count,
    cache_read_input_tokens: count,
    cache_creation_input_tokens: count,
    server_tool_use: fc.option(fc.record({ web_search_requests: fc.nat(9) })),
    output_tokens_details: fc.option(fc.record({ thinking_tokens: fc.nat(99) })),
  },
  { requiredKeys: [] },
);
const ending = fc.record({
  reason: fc.constantFrom('end_turn', 'tool_use', 'pause_turn', 'of_tomorrow', null),
  usage: totals,
  output: fc.nat(100_000),
  container: fc.option(fc.record({ id: text, expires_at: fc.constant('2026-11-29T00:00:00Z') })),
});

const stream = fc.record({
  blocks: fc.array(block, { maxLength: 5 }),
  /** Which of the blocks has its next event; of one that is over, a `ping` or an unknown event. */
  order: fc.array(fc.nat(7), { maxLength: 80 }),
  inTurn: fc.boolean(),
  endings: fc.array(ending, { minLength: 1, maxLength: 3 }),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  chunkBytes: fc.integer({ min: 1, max: 60 }),
});

type Made = typeof stream extends fc.Arbitrary<infer M> ? M : never;

/** Blocks begin one after the other, as the SDK counts them; what follows comes in any order. */
function eventsOf({ blocks, order, inTurn, endings }: Made): Data[] {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null };
  const events: Data[] = [
    { type: 'message_start', message: { ...message, usage: { input_tokens: 3, output_tokens: 1 } } },
  ];
  const waiting = blocks.map(({ deltas }, index): Data[] => [
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]);
  if (inTurn) {
    for (const [index, { start }] of blocks.entries()) {
      events.push({ type: 'content_block_start', index, content_block: start }, ...(waiting[index] ?? []));
      if (order[index] === 0) events.push({ type: 'ping' });
    }
  } else {
    for (const [index, { start }] of blocks.entries())
      events.push({ type: 'content_block_start', index, content_block: start });
    for (const index of order)
      events.push(waiting[index]?.shift() ?? { type: index % 2 === 0 ? 'ping' : 'event_of_tomorrow' });
    events.push(...waiting.flat());
  }
  for (const { reason, usage, output, container } of endings) {
    const delta = { stop_reason: reason, stop_sequence: null, ...(container !== null && { container }) };
    events.push({ type: 'message_delta', delta, usage: { ...usage, output_tokens: output } });
  }
  return [...events, { type: 'message_stop' }];
}

function chunksOf(events: readonly Data[], lineEnd: string, chunkBytes: number): Uint8Array[] {
  const lines = events.flatMap((data) => [`event: ${data.type}`, `data: ${JSON.stringify(data)}`, '']);
  const bytes = new TextEncoder().encode(lines.map((line) => line + lineEnd).join(''));
  return Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, at) =>
    bytes.slice(at * chunkBytes, (at + 1) * chunkBytes),
  );
}

test('whatever the grammar allows folds into what the SDKs assemble, with the same tokens', async () => {
  await fc.assert(
    fc.asyncProperty(stream, async (made) => {
      const chunks = chunksOf(eventsOf(made), made.lineEnd, made.chunkBytes);
      const folded = foldEvents(decodeAll(chunks));
      assert.deepEqual([folded.ended, folded.faults], [true, []]);
      for (const [name, read] of readers) {
        const assembled = plainJson(await read(chunks));
        assert.deepEqual(plainJson(folded.message), assembled, name);
        assert.deepEqual(usageOf(folded.message), usageOf(assembled as never), name);
      }
    }),
    { numRuns: 60 },
  );
});
