import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import type { JsonValue } from '../../extproc/claude/json.ts';
import { Masker } from '../../extproc/masking/masker.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

type Params = { model: string; max_tokens: number; messages: { role: 'user'; content: string }[] } & Record<
  string,
  unknown
>;
/** One call with an official SDK: what its user gets, and the exchange it was. */
type Ask = (params: Params, token: string) => Promise<{ message: unknown; exchangeId: string | null }>;

type Client = {
  messages: {
    create(params: never): { withResponse(): Promise<{ data: unknown; response: Response }> };
    stream(params: never): { finalMessage(): Promise<unknown>; response: Response | null | undefined };
  };
};

function asking(client: (token: string) => unknown, streamed: boolean): Ask {
  return async (params, token) => {
    const { messages } = client(token) as Client;
    if (!streamed) {
      const { data, response } = await messages.create(params as never).withResponse();
      return { message: data, exchangeId: response.headers.get('x-skilltape-exchange') };
    }
    const stream = messages.stream(params as never);
    const message = await stream.finalMessage();
    return { message, exchangeId: stream.response?.headers.get('x-skilltape-exchange') ?? null };
  };
}

const options = () => ({ baseURL: gateway.url, maxRetries: 0, fetch: gateway.fetch as never });
const clients: [name: string, client: (token: string) => unknown][] = [
  ['SDK 1.x with apiKey (bearer)', (token) => new Anthropic({ ...options(), apiKey: token })],
  ['SDK 0.x with apiKey (x-api-key)', (token) => new Anthropic0({ ...options(), apiKey: token, authToken: null })],
  ['SDK 0.x with authToken (bearer)', (token) => new Anthropic0({ ...options(), apiKey: null, authToken: token })],
];

const tools = [
  {
    name: 'find_room',
    description: 'Finds a room',
    input_schema: { type: 'object', properties: { city: { type: 'string' }, seats: { type: 'integer' } } },
  },
];
const skills = { container: { skills: [{ type: 'anthropic', skill_id: 'xlsx', version: 'latest' }] } };

/** What is asked, beside the directive that makes the fake answer with it. */
const streamed: [name: string, prompt: string, more?: Record<string, unknown>][] = [
  ['a plain answer', 'Hi'],
  ['a plain answer with characters of every kind', 'Grüße 👩‍👩‍👧 \u0000 \u2028 "quoted" \\ back'],
  ['a tool call', '[fake: tool_use find_room]', { tools }],
  ['tool calls cut inside escapes', '[fake: fixture c_stream_tool_use]', { tools }],
  ['text with personal data', '[fake: fixture b_stream_text]'],
  ['thinking', '[fake: fixture d_stream_thinking]'],
  ['skills', 'Make a workbook', skills],
  ['events that nobody knows', '[fake: fixture k_stream_unknowns]'],
  ['an answer in gzip', 'Hi [fake: gzip]'],
  ['thinking in gzip', '[fake: fixture d_stream_thinking] [fake: gzip]'],
  ['thinking in chunks of 7 bytes', '[fake: fixture d_stream_thinking] [fake: chunk 7]'],
  ['unknown events in chunks of 7 bytes', '[fake: fixture k_stream_unknowns] [fake: chunk 7]'],
  ['skills in gzip and chunks of 7 bytes', 'Make a workbook [fake: gzip] [fake: chunk 7]', skills],
];
const whole: typeof streamed = [
  ['a plain answer', 'Hi'],
  ['a tool call', '[fake: tool_use find_room]', { tools }],
  ['personal data', '[fake: fixture a_plain_response]'],
  ['skills', 'Make a workbook', skills],
  ['a paused turn', '[fake: fixture e_pause_turn_response]'],
  ['an answer in gzip', 'Hi [fake: gzip]'],
  ['an answer in chunks of 7 bytes', 'Hi [fake: chunk 7]'],
];

/** As JSON, without what the SDKs add to what was sent: at the message and its blocks, and nowhere else. */
function asSent(message: unknown): JsonValue {
  const plain = JSON.parse(JSON.stringify(message)) as { [key: string]: JsonValue };
  delete plain._request_id;
  delete plain.parsed_output;
  for (const block of plain.content as { [key: string]: JsonValue }[])
    if (block.parsed_output === null) delete block.parsed_output;
  return plain;
}

/** What the index may show of it: the same strings masked with the gateway's key, but for the vendor's sealed values. */
function masked(message: JsonValue, scope: string): unknown {
  const key = readFileSync(join(gateway.dataDirectory, 'keys', 'hash.key'));
  const sealed = new Set<string | number | undefined>(['signature', 'data', 'encrypted_content']);
  const exempt = (path: readonly (string | number)[]) => path.length === 3 && sealed.has(path[2]);
  return new Masker({ key }).json(message, { scope, exempt }).value;
}

for (const [name, client] of clients) {
  const rounds = [
    ...whole.map((round) => [...round, false] as const),
    ...streamed.map((round) => [...round, true] as const),
  ];
  test(`what ${name} gives its user is what the record holds, streamed and not`, async (t) => {
    t.mock.method(console, 'warn', () => {});
    const token = await gateway.token();
    for (const round of rounds) {
      const [what, prompt, more] = round;
      const isStream = round.at(-1) === true;
      const params = {
        model: 'claude-opus-5-5',
        max_tokens: 64,
        messages: [{ role: 'user' as const, content: prompt }],
      };
      const extra = typeof more === 'object' ? more : {};
      const { message, exchangeId } = await asking(client, isStream)({ ...params, ...extra }, token);
      const { skilltape, gen_ai, user } = await gateway.document(exchangeId);
      const label = `${what}, ${isStream ? 'streamed' : 'whole'}`;
      assert.deepEqual(skilltape.answer, masked(asSent(message), gen_ai.conversation.id), label);
      assert.equal(skilltape.outcome, 'complete', label);
      assert.equal(user?.id, 'alice', label);
    }
  });
}

test('an error of the upstream reaches the SDK with its status, type and request id, and is recorded as it came', async () => {
  const client = new Anthropic({ ...options(), apiKey: await gateway.token() });
  const params = {
    model: 'claude-opus-5-5',
    max_tokens: 9,
    messages: [{ role: 'user' as const, content: '[fake: error 529]' }],
  };
  const error: unknown = await client.messages.create(params).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof Anthropic.APIError);
  assert.equal(error.status, 529);
  assert.match(String(error.requestID), /^req_011CFake/);
  const { skilltape } = await gateway.document(error.headers?.get('x-skilltape-exchange'));
  assert.equal(skilltape.outcome, 'upstream_error');
  assert.deepEqual(skilltape.error, error.error);
});

test('an error inside a stream is thrown by the SDK and recorded beside what came before it', async (t) => {
  t.mock.method(console, 'error', () => {});
  const client = new Anthropic({ ...options(), apiKey: await gateway.token() });
  const stream = client.messages.stream({
    model: 'claude-opus-5-5',
    max_tokens: 9,
    messages: [{ role: 'user', content: '[fake: midstream_error]' }],
  });
  await assert.rejects(stream.finalMessage(), { message: /Overloaded/ });
  const { skilltape, gen_ai } = await gateway.document(stream.response?.headers.get('x-skilltape-exchange'));
  assert.equal(skilltape.outcome, 'upstream_error');
  assert.match(gen_ai.output.text, /This answer/);
});
