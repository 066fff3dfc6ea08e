import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { builtInDetection } from '../../../extproc/masking/own-detection.ts';
import { type MaskingDecision, usualMasking } from '../../../extproc/policy/masking-decision.ts';
import type { ExchangeDocument, JsonValue } from '../../../extproc/transcript/document.ts';
import { maskDocument } from '../../../extproc/transcript/masked-document.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import {
  claudeFixture,
  draftOf,
  eventStream,
  masker,
  messageOf,
  messagesRequest,
  startedOf,
  transcriptOf,
} from './example.ts';
import { planted } from './planting.ts';

async function documentOf(
  transcript: Transcript,
  textMaxChars = 100_000,
  change: Partial<MaskingDecision> = {},
): Promise<ExchangeDocument> {
  const masking = { ...usualMasking, ...change };
  return maskDocument(await draftOf(transcript, { masking }), masker, textMaxChars, masking, builtInDetection);
}

/** Made up here, so that no scanner takes this file for a leak. */
const secrets = {
  'key of Anthropic': `sk-ant-api03-${'aB3-xY9_'.repeat(11)}AA`,
  'key of AWS': `AKIA${'Q3RZ7NPL5XKD2MVB'}`,
  'token of GitHub': `ghp_${'a1B2c3D4e5F6'.repeat(3)}`,
  'e-mail address': 'grace.hopper@navy.example.org',
};

const request: JsonValue = {
  model: 'claude-sonnet-4-5',
  max_tokens: 64,
  system: [{ type: 'text', text: 'brief', cache_control: { type: 'ephemeral', ttl: '5m' } }],
  metadata: { user_id: 'u' },
  tools: [
    { name: 'bash', description: 'runs', input_schema: { type: 'object', properties: { p: { type: 'string' } } } },
  ],
  mcp_servers: [{ type: 'url', name: 'files', url: 'https://mcp.example.org', authorization_token: 't' }],
  messages: [
    { role: 'user', content: 'plain', note: { deep: ['x'] } },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'EqQBCgIY' },
        { type: 'redacted_thinking', data: 'EmwKAhgB' },
        { type: 'tool_use', id: 'toolu_1', name: 'bash', input: { command: 'ls', nested: [{ path: '/tmp' }] } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'a b' }] },
        { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
        { type: 'document', title: 't', context: 'c', source: { type: 'text', media_type: 'text/plain', data: 'd' } },
        { type: 'of_the_future', payload: { a: ['b'] }, data: 'x', signature: 'y' },
      ],
    },
  ],
};

const answer: JsonValue = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  container: { id: 'container_1', expires_at: 'never' },
  content: [
    { type: 'thinking', thinking: 'hm', signature: 'EqQBCgIY' },
    { type: 'redacted_thinking', data: 'EmwKAhgB' },
    { type: 'text', text: 'yes', citations: [{ type: 'char_location', cited_text: 'c', document_title: 't' }] },
    { type: 'tool_use', id: 'toolu_1', name: 'bash', input: { command: 'ls' } },
    { type: 'web_search_tool_result', content: [{ url: 'https://a.example', title: 't', encrypted_content: 'Eqg' }] },
    { type: 'code_execution_tool_result', content: { type: 'encrypted', encrypted_stdout: 'x', content: [] } },
    { type: 'compaction', content: 'c', encrypted_content: 'e' },
    { type: 'of_the_future', encrypted_index: 'x', data: { signature: 'y' } },
  ],
  stop_reason: 'tool_use',
  stop_sequence: 'stop',
  usage: { input_tokens: 1, output_tokens: 2, service_tier: 'standard' },
};

async function assertNowhere(transcript: Transcript, secret: string, place: string): Promise<void> {
  assert.ok(!JSON.stringify(await documentOf(transcript)).includes(secret), `readable: ${place}`);
}

for (const [kind, secret] of Object.entries(secrets)) {
  test(`a ${kind} in any string or key of a request is nowhere in the document`, async () => {
    for (const { place, value } of planted(request, secret)) {
      await assertNowhere(transcriptOf({ request: value }), secret, place);
    }
  });

  test(`a ${kind} in any string or key of an answer is nowhere in the document, in opaque values neither`, async () => {
    for (const { place, value } of planted(answer, secret)) {
      await assertNowhere(transcriptOf({ answer: value }), secret, place);
      await assertNowhere(transcriptOf({ answer: value, answerStatus: 500 }), secret, `${place} (as other JSON)`);
    }
  });

  test(`a ${kind} in path, method, headers, faults, reasons and errors is nowhere in the document`, async () => {
    const reasons = [{ rule: 'tool_denied', message: `the tool ${secret} is denied` }];
    const error: JsonValue = { type: 'error', error: { type: 'api_error', message: 'm', details: { a: ['b'] } } };
    const places: Record<string, Transcript> = {
      path: transcriptOf({ started: { path: `/v1/files/${secret}` } }),
      method: transcriptOf({ started: { method: secret } }),
      'user agent': transcriptOf({ started: { headers: [['user-agent', `curl ${secret}`]] } }),
      'other header': transcriptOf({ started: { headers: [['x-note', secret]] } }),
      'request id': transcriptOf({ started: { envoyRequestId: secret } }),
      detail: transcriptOf({ finished: { outcome: 'refused', detail: `encoding_unsupported ${secret}` } }),
      reasons: transcriptOf({ decided: { verdict: 'deny', reasons } }),
      'malformed request': transcriptOf({ requestBody: Buffer.from(`{"model": ${secret}`) }),
      'answer of another kind': transcriptOf({ answerBody: Buffer.from(secret), answerHeaders: [] }),
    };
    for (const [place, transcript] of Object.entries(places)) await assertNowhere(transcript, secret, place);
    for (const { place, value } of planted(error, secret)) {
      await assertNowhere(transcriptOf({ answer: value, answerStatus: 500 }), secret, place);
      const localReply = JSON.stringify(value);
      await assertNowhere(transcriptOf({ finished: { outcome: 'denied', localReply } }), secret, `reply ${place}`);
      const answerBody = Buffer.from(`event: error\ndata: ${JSON.stringify(value)}\n\n`);
      await assertNowhere(transcriptOf({ answerBody, answerHeaders: eventStream }), secret, `event ${place}`);
    }
  });
}

test('a secret in any JSON that a tool is called with is nowhere in the document', async () => {
  const kinds = fc.constantFrom(...Object.values(secrets));
  await fc.assert(
    fc.asyncProperty(
      fc.jsonValue({ maxDepth: 4 }),
      fc.jsonValue({ maxDepth: 2 }),
      kinds,
      async (around, beside, secret) => {
        const input = { a: around, [secret]: beside, b: [[{ c: secret }], JSON.stringify({ d: secret })] };
        const block = { type: 'tool_use', id: 't', name: secret, input };
        const transcript = transcriptOf({
          request: messagesRequest([block]),
          answer: messageOf('', { content: [block] }),
        });
        await assertNowhere(transcript, secret, JSON.stringify(around));
      },
    ),
    { numRuns: 100 },
  );
});

test('a secret that comes in pieces of a stream is put together before it is masked', async () => {
  const secret = secrets['key of Anthropic'];
  const deltas = [...secret].map((text) => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text },
  }));
  const events = [
    { type: 'message_start', message: messageOf('', { content: [] }) },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...deltas,
    { type: 'message_stop' },
  ];
  const answerBody = Buffer.from(events.map((e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`).join(''));
  const document = await documentOf(transcriptOf({ answerBody, answerHeaders: eventStream }));
  assert.match(document.gen_ai.output.text, /^\[SECRET:[0-9a-f]{16}\]$/);
});

test('signatures and other opaque values of the vendor stay as they are', async () => {
  const answerBody = claudeFixture('d_stream_thinking.sse');
  const text = JSON.stringify(
    (await documentOf(transcriptOf({ answerBody, answerHeaders: eventStream }))).skilltape.answer,
  );
  for (const value of [
    'EqQBCgIYAhIkFIXTURESIGNATUREbase64+/==',
    'EmwKAhgBFIXTUREREDACTED==',
    'EqQBCgIYAhIkOMITTED==',
  ]) {
    assert.ok(text.includes(value), value);
  }
});

test('random bytes in base64, as the vendor sends them, are not taken for something to mask', async () => {
  const bytes = fc.uint8Array({ minLength: 300, maxLength: 2_000 });
  await fc.assert(
    fc.asyncProperty(bytes, async (random) => {
      const signature = Buffer.from([0x12, 0xa4, 0x01, ...random]).toString('base64');
      const content = [{ type: 'thinking', thinking: '', signature }];
      const { answer: masked } = (await documentOf(transcriptOf({ answer: messageOf('', { content }) }))).skilltape;
      assert.deepEqual((masked as { content: unknown }).content, content);
    }),
    { numRuns: 50 },
  );
});

test('who called stays readable: the identity comes from the verified token', async () => {
  const document = await documentOf(transcriptOf());
  assert.equal(document.user?.email, 'ada@example.org');
  assert.equal(document.source.ip, '192.0.2.7');
});

test('a duration or size of ours that happens to be a card number stays a number', async () => {
  const transcript = transcriptOf();
  for (let seconds = 4_000; seconds < 4_200; seconds += 1) {
    const { event } = await documentOf({ ...transcript, finishedMs: transcript.startedMs + seconds * 1_000 });
    assert.equal(event.duration, seconds * 1_000_000_000);
  }
});

test('a card number in the place of a count is masked, and what expects a number gets none', async () => {
  const card = 4_111_111_111_111_111;
  const document = await documentOf(
    transcriptOf({
      request: messagesRequest('hi', { max_tokens: card }),
      answer: messageOf('', { usage: { input_tokens: card, output_tokens: card } }),
    }),
  );
  assert.ok(!JSON.stringify(document).includes(String(card)));
  assert.equal(document.gen_ai.request.max_tokens, null);
  assert.deepEqual([document.gen_ai.usage.input_tokens, document.gen_ai.usage.output_tokens], [null, null]);
});

test('a long text keeps head and tail, and a secret at the cut is gone whole', async () => {
  const secret = secrets['token of GitHub'];
  for (let shift = 0; shift <= secret.length; shift += 5) {
    const prompt = `${'a '.repeat(50)}${'b'.repeat(shift)} ${secret} ${'c '.repeat(400)}the end`;
    const document = await documentOf(transcriptOf({ request: messagesRequest(prompt) }), 260);
    assert.equal(document.skilltape.truncated, true);
    const text = JSON.stringify(document);
    for (let at = 0; at + 12 <= secret.length; at += 1) assert.ok(!text.includes(secret.slice(at, at + 12)));
    assert.match(document.gen_ai.input.text, /^a a .*characters.*the end$/s);
    assert.ok(document.gen_ai.input.text.length < 300);
  }
});

test('names are short whatever was sent as one, and it is said', async () => {
  const long = 'x'.repeat(100_000);
  const answer = messageOf('', {
    ...{ id: long, model: long, stop_reason: long },
    content: [{ type: 'tool_use', name: long }],
  });
  const request = messagesRequest('hi', { model: long });
  const { gen_ai: genAi, skilltape } = await documentOf(transcriptOf({ request, answer }));
  const started = { path: `/${long}`, headers: [['user-agent', long]] as const };
  const { url, user_agent: agent } = await documentOf(transcriptOf({ started }));
  const { id, model, finish_reasons: reasons } = genAi.response;
  for (const name of [genAi.request.model, id, model, ...reasons, ...genAi.tool.name, url.path, agent.original]) {
    assert.ok(name.length > 0 && name.length < 1_100);
  }
  assert.equal(skilltape.truncated, true);
});

test('JSON nested to the limit of a request is masked without overflowing, its depths not shown', async () => {
  const nested = JSON.parse(`${'[{"a":'.repeat(95)}"${secrets['key of AWS']}"${'}]'.repeat(95)}`) as JsonValue;
  const content = [{ type: 'tool_use', id: 't', name: 'n', input: nested }];
  const transcript = transcriptOf({ request: messagesRequest(content), answer: messageOf('', { content }) });
  const document = await documentOf(transcript);
  assert.ok(document.skilltape.new_messages.length === 1);
  assert.ok(!JSON.stringify(document).includes(secrets['key of AWS']));
  assert.ok(JSON.stringify(document).includes('[DEEP]'));
});

test('what was found is counted by kind', async () => {
  const { findings } = (await documentOf(transcriptOf({ request: messagesRequest('a@example.org b@example.org') })))
    .skilltape.masking;
  assert.deepEqual(findings, [{ type: 'EMAIL', place: 'messages', count: 2 }]);
});

test('a content-encoding that nobody knows is masked like any text, and sizes of bodies stay numbers', async () => {
  const secret = 'grace.hopper@navy.example.org';
  const started = startedOf({ headers: [['content-encoding', secret]] });
  const { skilltape } = await documentOf(transcriptOf({ started }));
  assert.equal(skilltape.decoded, false);
  assert.match(skilltape.decoded_detail, /^request: its content-encoding is \[EMAIL:/);
  const plain = Buffer.from(JSON.stringify(messagesRequest('x'.repeat(4_111))));
  const gzipped = startedOf({ headers: [['content-encoding', 'gzip']] });
  const encoded = await documentOf(transcriptOf({ requestBody: gzipSync(plain), started: gzipped }));
  assert.deepEqual(encoded.skilltape.body.request, { codings: ['gzip'], decoded_bytes: plain.length });
});
