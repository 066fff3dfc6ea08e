import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import { request as httpRequest } from 'undici';
import { ask, withFake, withoutNumbers } from './with-fake.ts';

const TOOL = {
  name: 'get_weather',
  input_schema: { type: 'object' as const, properties: { place: { type: 'string' } } },
};

/** Kinds of parts that the SDK's own types know without a beta, with the blocks they must give. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  tool_use: ['text', 'tool_use'],
  citations: ['text', 'text', 'text'],
  web_citations: ['text'],
  thinking: ['thinking'],
  omitted_thinking: ['thinking'],
  redacted_thinking: ['redacted_thinking'],
  web_search: ['server_tool_use', 'web_search_tool_result'],
  web_fetch: ['server_tool_use', 'web_fetch_tool_result'],
  code_execution: ['server_tool_use', 'code_execution_tool_result'],
  encrypted_code_execution: ['server_tool_use', 'code_execution_tool_result'],
  bash_code_execution: ['server_tool_use', 'bash_code_execution_tool_result'],
  text_editor: Array.from({ length: 3 }, () => ['server_tool_use', 'text_editor_code_execution_tool_result']).flat(),
  image: ['server_tool_use', 'text_editor_code_execution_tool_result'],
  tool_search: ['server_tool_use', 'tool_search_tool_result'],
  tool_errors: [
    ...['server_tool_use', 'web_search_tool_result', 'server_tool_use', 'web_fetch_tool_result'],
    ...['server_tool_use', 'bash_code_execution_tool_result'],
  ],
  container_upload: ['container_upload'],
  skills: ['text', 'server_tool_use', 'bash_code_execution_tool_result', 'text'],
  refusal: ['text'],
  pause_turn: ['text', 'server_tool_use'],
};

const BETA_PARTS: Readonly<Record<string, readonly string[]>> = {
  ...PARTS,
  mcp: ['mcp_tool_listing', 'mcp_tool_use', 'mcp_tool_result'],
  advisor: ['server_tool_use', 'advisor_tool_result'],
  compaction: ['compaction'],
  fallback: ['fallback'],
};

test('every kind of block comes whole and streamed as the same message, in both SDK lines', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { name, client } of clients) {
      for (const [part, types] of Object.entries(PARTS)) {
        const question = { ...ask(`Revenue of Jane? [fake: answer ${part}]`), tools: [TOOL] };
        const whole = await client.messages.create(question);
        const streamed = await client.messages.stream(question).finalMessage();
        assert.deepEqual(withoutNumbers(streamed), withoutNumbers(whole), `${name} ${part}`);
        assert.deepEqual(
          whole.content.map(({ type }) => type),
          types,
          part,
        );
      }
    }
  });
});

test('every kind of block comes so from the beta methods too, with the beta fields', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { name, client } of clients) {
      for (const [part, types] of Object.entries(BETA_PARTS)) {
        const betas = ['compact-2026-01-12', 'mcp-client-2025-11-20'];
        const question = { ...ask(`Revenue of Jane? [fake: answer ${part}]`), tools: [TOOL], betas };
        const whole = await client.beta.messages.create(question);
        const streamed = await client.beta.messages.stream(question).finalMessage();
        assert.deepEqual(withoutNumbers(streamed), withoutNumbers(whole), `${name} ${part}`);
        assert.deepEqual(
          whole.content.map(({ type }) => type),
          types,
          part,
        );
        assert.equal(whole.context_management, null);
      }
    }
  });
});

test('parts stand in the order in which they are named, and usage counts what the server did', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const question = ask('Revenue? [fake: answer thinking web_search web_search web_fetch text]');
      const message = await client.messages.stream(question).finalMessage();
      assert.deepEqual(
        message.content.map(({ type }) => type.replace('_tool_result', '')),
        [
          ...['thinking', 'server_tool_use', 'web_search', 'server_tool_use', 'web_search'],
          ...['server_tool_use', 'web_fetch', 'text'],
        ],
      );
      assert.deepEqual(message.usage.server_tool_use, { web_search_requests: 2, web_fetch_requests: 1 });
      assert.ok((message.usage.output_tokens_details?.thinking_tokens ?? 0) > 0);
      const calls = message.content.flatMap((block) => (block.type === 'server_tool_use' ? [block] : []));
      assert.equal(new Set(calls.map(({ id }) => id)).size, 3);
      assert.deepEqual(calls[0]?.input, { query: 'Revenue?' });
    }
  });
});

test('a container is opened by code execution, comes at the end of a stream, and is used again by its id', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const events: Anthropic.MessageStreamEvent[] = [];
      const question = ask('[fake: answer bash_code_execution]');
      const stream = client.messages.stream(question).on('streamEvent', (event) => events.push(structuredClone(event)));
      const { container } = await stream.finalMessage();
      assert.match(container?.id ?? '', /^container_011Fake/);
      const start = events.find((event) => event.type === 'message_start');
      assert.equal(start?.message.container, null);
      const again = await client.messages.create({ ...ask('and now?'), container: container?.id ?? '' });
      assert.equal(again.container?.id, container?.id);
      const object = await client.messages.create({ ...ask('and now?'), container: { id: container?.id ?? '' } });
      assert.equal(object.container?.id, container?.id);
      assert.equal((await client.messages.create(ask('without'))).container, null);
    }
  });
});

test('a paused turn goes on with the result when its content is sent back', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      for (const prompt of ['[fake: answer pause_turn]', '[fake: fixture e_pause_turn_response]']) {
        const question = ask(prompt);
        const paused = await client.messages.create(question);
        assert.equal(paused.stop_reason, 'pause_turn');
        const call = paused.content.at(-1);
        assert.ok(call?.type === 'server_tool_use');
        const messages = [...question.messages, { role: 'assistant' as const, content: paused.content }];
        const next = { ...ask(''), messages: messages as Anthropic.MessageParam[] };
        if (prompt.includes('fixture')) next.messages[0] = { role: 'user', content: 'Make the workbook.' };
        const resumed = await client.messages.create(next);
        assert.equal(resumed.stop_reason, 'end_turn');
        const [result] = resumed.content;
        assert.ok(result?.type === 'bash_code_execution_tool_result');
        assert.equal(result.tool_use_id, call.id);
      }
    }
  });
});

test('a refusal says why, with a credit token only for beta callers', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const message = await client.messages.stream(ask('[fake: answer refusal]')).finalMessage();
      assert.equal(message.stop_reason, 'refusal');
      assert.deepEqual(Object.keys(message.stop_details ?? {}), ['type', 'category', 'explanation']);
      const beta = await client.beta.messages.create({ ...ask('[fake: answer refusal]'), betas: ['x'] });
      assert.match(beta.stop_details?.fallback_credit_token ?? '', /^fct_01Fake/);
    }
  });
});

test('another model may have answered, and the message is named after it', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const question = { ...ask('[fake: answer fallback text]'), betas: ['server-side-fallback-2026-07-01'] };
      assert.equal((await client.beta.messages.create(question)).model, 'claude-haiku-5-5');
      assert.equal((await client.beta.messages.stream(question).finalMessage()).model, 'claude-haiku-5-5');
    }
  });
});

test('any reason to stop can be asked for, and images of the question are noticed', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { stop_reason } = await client.messages.stream(ask('[fake: stop max_tokens]')).finalMessage();
      assert.equal(stop_reason, 'max_tokens');
      const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'AAAA' };
      const content = [
        { type: 'image' as const, source },
        { type: 'text' as const, text: 'What is this?' },
      ];
      const { content: said } = await client.messages.create({ ...ask(''), messages: [{ role: 'user', content }] });
      assert.ok(said[0]?.type === 'text' && said[0].text.includes('You sent an image.'));
    }
  });
});

test('an error can carry a code of the API, which the SDK knows', async () => {
  await withFake({}, async (_fake, [current]) => {
    const client = current?.client as Anthropic;
    const question = ask('[fake: error 404 thread_not_found]');
    await assert.rejects(client.messages.create(question), Anthropic.ThreadNotFoundError);
  });
});

test('a message thread sends only the new turn, and the fake holds the rest', async () => {
  await withFake({}, async (fake, [current]) => {
    const thread = current?.client.beta.messages.thread({
      model: 'claude-opus-5-5',
      max_tokens: 100,
      system: 'Be kind.',
    });
    const first = await thread?.send({ role: 'user', content: 'A first question of some length' });
    const second = await thread?.stream({ role: 'user', content: 'And?' }).finalMessage();
    assert.equal(thread?.previousMessageId, second?.id);
    assert.ok((second?.usage.input_tokens ?? 0) > (first?.usage.input_tokens ?? 0));
    const [one, two] = fake.requests;
    assert.ok((two?.bodyBytes ?? 0) < (one?.bodyBytes ?? 0) + 100);
    assert.equal(thread?.messages.length, 4);
  });
});

test('a thread that is unknown, has gone on already or comes without its beta header is refused', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const send = (thread: object, betas = ['message-threads-2026-08-12']) =>
        client.beta.messages.create({
          ...ask('hello'),
          betas,
          thread,
        } as Anthropic.Beta.MessageCreateParamsNonStreaming);
      const { id } = await send({ type: 'create' });
      const next = { type: 'continue', previous_message_id: id };
      await send(next);
      const codeOf = (code: string) => (error: { error?: { error?: { details?: { error_code?: string } } } }) =>
        error.error?.error?.details?.error_code === code;
      await assert.rejects(send(next), codeOf('thread_already_continued'));
      await assert.rejects(send({ ...next, previous_message_id: 'msg_unknown' }), codeOf('thread_not_found'));
      await assert.rejects(send({ type: 'create' }, ['other']), { status: 400 });
    }
  });
});

test('the legacy completion answers whole and in pieces alike', async () => {
  await withFake({}, async (fake) => {
    const client = new Anthropic0({ baseURL: fake.url, apiKey: 'k', maxRetries: 0 });
    const prompt = '\n\nHuman: What is a tape?\n\nAssistant:';
    const question = { model: 'claude-2.1', max_tokens_to_sample: 100, prompt };
    const whole = await client.completions.create(question);
    assert.match(whole.completion, /^ You wrote: "What is a tape\?"/);
    let text = '';
    let stop: string | null = null;
    for await (const event of await client.completions.create({ ...question, stream: true })) {
      text += event.completion;
      stop = event.stop_reason;
    }
    assert.deepEqual([text, stop], [whole.completion, whole.stop_reason]);
  });
});

test('unknown paths and methods get the error envelope, and a run with the same requests gets the same answers', async () => {
  const seen: string[] = [];
  for (let run = 0; run < 2; run += 1) {
    await withFake({ publicUrl: 'https://api.example.com' }, async (fake) => {
      const send = async (method: 'GET' | 'POST' | 'PUT', path: string, body?: object) => {
        const headers = { 'x-api-key': 'k', 'anthropic-version': '2026-10-21' };
        const request = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
        const response = await httpRequest(`${fake.url}${path}`, request);
        return `${response.statusCode} ${await response.body.text()}`;
      };
      assert.match(await send('GET', '/v1/nothing'), /^404 \{"type":"error","error":\{"type":"not_found_error"/);
      assert.match(await send('GET', '/'), /^404 .*not_found_error/);
      assert.match(await send('GET', '/v1/files/%ff'), /^404 /);
      assert.match(await send('GET', '/v1/files/__proto__'), /^404 /);
      assert.match(await send('PUT', '/v1/messages'), /^405 .*invalid_request_error/);
      assert.match(await send('POST', '/v1/sessions', { agent: { __proto__: 1 } }), /^400 /);
      const requests = [{ custom_id: 'a', params: ask('[fake: answer thinking code_execution]') }];
      seen.push(
        [
          await send('POST', '/v1/messages', ask('[fake: answer thinking code_execution]')),
          await send('POST', '/v1/messages/batches', { requests }),
          await send('GET', '/v1/messages/batches/msgbatch_01Fake0000000000000001/results'),
          await send('GET', '/v1/files'),
          await send('GET', '/v1/skills'),
        ].join('\n'),
      );
    });
  }
  assert.equal(seen[0], seen[1]);
});
