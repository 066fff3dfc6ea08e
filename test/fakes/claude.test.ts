import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import { Agent } from 'undici';
import { createAuthority } from './certificates.ts';
import { type FakeClaude, type FakeClaudeOptions, startFakeClaude } from './claude.ts';

const LISTEN = { host: '127.0.0.1', port: 0 };
const MODEL = 'claude-opus-5-5';
const WEATHER_TOOL = {
  name: 'get_weather',
  description: 'Weather of a place',
  input_schema: {
    type: 'object' as const,
    properties: {
      place: { type: 'string' },
      unit: { type: 'string', enum: ['celsius', 'kelvin'] },
      days: { type: 'integer' },
      detail: { type: 'object', properties: { hourly: { type: 'boolean' } } },
    },
  },
};

async function withFake(options: Partial<FakeClaudeOptions>, use: (fake: FakeClaude) => Promise<void>): Promise<void> {
  const fake = await startFakeClaude({ listen: LISTEN, ...options });
  try {
    await use(fake);
  } finally {
    await fake.close();
  }
}

/** The two lines of the SDK that are in the field; they speak the two dialects. */
function clients(baseURL: string): { name: string; client: Anthropic }[] {
  const options = { baseURL, apiKey: 'sk-ant-api03-test', maxRetries: 0 };
  return [
    { name: 'sdk 1', client: new Anthropic(options) },
    { name: 'sdk 0', client: new Anthropic0(options) as unknown as Anthropic },
  ];
}

function ask(text: string) {
  return { model: MODEL, max_tokens: 100, messages: [{ role: 'user' as const, content: text }] };
}

function headersOf(fake: FakeClaude, n: number): Map<string, string> {
  const raw = fake.requests[n - 1]?.headers ?? [];
  return new Map(raw.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1] ?? '']] : [])));
}

test('both SDK lines create a message, each in its dialect, and the answer quotes the question', async () => {
  await withFake({}, async (fake) => {
    for (const { name, client } of clients(fake.url)) {
      const { data, response } = await client.messages.create(ask('What is a tape?')).withResponse();
      const [block] = data.content;
      assert.ok(block?.type === 'text' && block.text.includes('"What is a tape?"'), name);
      assert.equal(data.stop_reason, 'end_turn');
      assert.ok(data.usage.input_tokens > 0 && data.usage.output_tokens > 0);
      assert.match(response.headers.get('request-id') ?? '', /^req_/);
      assert.ok(response.headers.get('anthropic-organization-id'));
      assert.equal(response.headers.get('content-type'), 'application/json');
    }
    assert.equal(headersOf(fake, 1).get('anthropic-version'), '2026-10-21');
    assert.equal(headersOf(fake, 1).get('authorization'), 'Bearer sk-ant-api03-test');
    assert.equal(headersOf(fake, 2).get('anthropic-version'), '2023-06-01');
    assert.equal(headersOf(fake, 2).get('x-api-key'), 'sk-ant-api03-test');
  });
});

test('a stream assembles to the same text as the whole message, also with emoji and lone surrogates in it', async () => {
  await withFake({}, async (fake) => {
    for (const { client } of clients(fake.url)) {
      const question = ask(`${'😀é'.repeat(40)} \ud800 end`);
      const whole = await client.messages.create(question);
      const streamed = await client.messages.stream(question).finalMessage();
      const texts = [whole, streamed].map(({ content }) => (content[0]?.type === 'text' ? content[0].text : undefined));
      assert.ok(texts[0]?.includes('😀é😀é'));
      assert.equal(texts[1], texts[0]);
      assert.equal(streamed.stop_reason, 'end_turn');
      assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
    }
  });
});

test('a tool call comes in several pieces of JSON that fit the schema, whole or streamed', async () => {
  await withFake({}, async (fake) => {
    const input = { place: 'fake place', unit: 'celsius', days: 1, detail: { hourly: true } };
    for (const { client } of clients(fake.url)) {
      const question = { ...ask('Rain? [fake: tool_use]'), tools: [WEATHER_TOOL] };
      const pieces: string[] = [];
      const stream = client.messages.stream(question).on('inputJson', (piece) => pieces.push(piece));
      for (const message of [await stream.finalMessage(), await client.messages.create(question)]) {
        assert.equal(message.stop_reason, 'tool_use');
        const call = message.content.find((block) => block.type === 'tool_use');
        assert.deepEqual([call?.name, call?.input], ['get_weather', input]);
      }
      assert.ok(pieces.length > 3);
    }
  });
});

test('the answer to a tool result ends the turn, and a tool can be chosen by name', async () => {
  await withFake({}, async (fake) => {
    const client = new Anthropic({ baseURL: fake.url, apiKey: 'k', maxRetries: 0 });
    const tools = [WEATHER_TOOL, { ...WEATHER_TOOL, name: 'get_time' }];
    const user = { role: 'user' as const, content: '[fake: tool_use get_time]' };
    const first = await client.messages.create({ ...ask(''), tools, messages: [user] });
    const call = first.content.find((block) => block.type === 'tool_use');
    assert.equal(call?.name, 'get_time');
    const result = { type: 'tool_result' as const, tool_use_id: call.id, content: '12:00' };
    const messages = [
      user,
      { role: 'assistant' as const, content: first.content },
      { role: 'user' as const, content: [result] },
    ];
    const second = await client.messages.create({ ...ask(''), tools, messages: messages as Anthropic.MessageParam[] });
    assert.equal(second.stop_reason, 'end_turn');
  });
});

test('a request that names skills is answered with the skills fixture, whole and streamed alike', async () => {
  await withFake({}, async (fake) => {
    const client = new Anthropic({ baseURL: fake.url, apiKey: 'k', maxRetries: 0 });
    const question = {
      ...ask('Make the workbook.'),
      container: { skills: [{ type: 'anthropic' as const, skill_id: 'xlsx', version: 'latest' }] },
    };
    const whole = await client.messages.create(question);
    const streamed = await client.messages.stream(question).finalMessage();
    assert.ok(whole.content.some((block) => block.type === 'server_tool_use'));
    assert.equal(whole.container?.skills?.[0]?.skill_id, 'xlsx');
    assert.deepEqual(streamed.content, whole.content);
    assert.deepEqual(streamed.container, whole.container);
  });
});

test('counting tokens gives the same number as the usage of the message, and models are listed', async () => {
  await withFake({}, async (fake) => {
    for (const { client } of clients(fake.url)) {
      const { max_tokens: _, ...question } = ask('How long is this?');
      const { input_tokens } = await client.messages.countTokens(question);
      assert.equal(input_tokens, (await client.messages.create(ask('How long is this?'))).usage.input_tokens);
      const ids = (await client.models.list()).data.map(({ id }) => id);
      assert.ok(ids.includes(MODEL));
      assert.equal((await client.models.retrieve(MODEL)).id, MODEL);
      await assert.rejects(client.models.retrieve('no-such-model'), { status: 404 });
    }
  });
});

test('without a key, with another key or without a known dialect the request is refused as by the API', async () => {
  await withFake({ apiKey: 'right' }, async (fake) => {
    const send = async (headers: Record<string, string>) => {
      const response = await fetch(`${fake.url}/v1/models`, { headers });
      const body = (await response.json()) as { error?: { type: string }; request_id?: string };
      if (response.status !== 200) assert.equal(body.request_id, response.headers.get('request-id'));
      return [response.status, body.error?.type];
    };
    const version = { 'anthropic-version': '2023-06-01' };
    assert.deepEqual(await send(version), [401, 'authentication_error']);
    assert.deepEqual(await send({ ...version, 'x-api-key': 'wrong' }), [401, 'authentication_error']);
    assert.deepEqual(await send({ ...version, authorization: 'Bearer right' }), [200, undefined]);
    assert.deepEqual(await send({ ...version, 'x-api-key': 'right' }), [200, undefined]);
    assert.deepEqual(await send({ 'x-api-key': 'right' }), [400, 'invalid_request_error']);
    assert.deepEqual(await send({ 'x-api-key': 'right', 'anthropic-version': '1999-01-01' }), [
      400,
      'invalid_request_error',
    ]);
  });
});

test('TLS of our own authority works with the SDKs and keeps one connection for many requests', async () => {
  const authority = await createAuthority('fake authority');
  const tls = await authority.issue({ commonName: 'claude', ipAddresses: ['127.0.0.1'] });
  await withFake({ tls }, async (fake) => {
    const dispatcher = new Agent({ connect: { ca: authority.certificatePem }, connections: 1 });
    const fetchOptions = { dispatcher } as unknown as NonNullable<
      ConstructorParameters<typeof Anthropic>[0]
    >['fetchOptions'];
    const client = new Anthropic({ baseURL: fake.url, apiKey: 'k', maxRetries: 0, fetchOptions: fetchOptions ?? {} });
    for (let i = 0; i < 30; i += 1) {
      const message = await client.messages.stream(ask(`number ${i}`)).finalMessage();
      assert.equal(message.stop_reason, 'end_turn');
    }
    assert.equal(fake.requestCount(), 30);
    assert.equal(fake.acceptCount(), 1);
    assert.deepEqual(new Set(fake.requests.map(({ connectionId }) => connectionId)), new Set([1]));
    await dispatcher.close();
  });
});

test('two connections have two numbers, and a connection without a request is counted too', async () => {
  await withFake({}, async (fake) => {
    const agents = [new Agent(), new Agent()];
    for (const dispatcher of agents) {
      const response = await fetch(`${fake.url}/v1/models`, { dispatcher } as unknown as RequestInit);
      await response.arrayBuffer();
    }
    assert.deepEqual(
      fake.requests.map(({ connectionId }) => connectionId),
      [1, 2],
    );
    assert.equal(fake.acceptCount(), 2);
    await Promise.all(agents.map((agent) => agent.close()));
  });
});

test('the answers are stored unchanged: a fixture arrives byte for byte', async () => {
  await withFake({}, async (fake) => {
    for (const name of [
      'b_stream_text.sse',
      'k_stream_unknowns.sse',
      'd_stream_thinking.sse',
      'a_plain_response.json',
    ]) {
      const response = await fetch(`${fake.url}/v1/messages`, {
        method: 'POST',
        headers: { 'x-api-key': 'k', 'anthropic-version': '2026-10-21' },
        body: JSON.stringify(ask(`[fake: fixture ${name.split('.')[0]}]`)),
      });
      const expected = await readFile(new URL(`../fixtures/answers/${name}`, import.meta.url));
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), expected);
    }
  });
});
