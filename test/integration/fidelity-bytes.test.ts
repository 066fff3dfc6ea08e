import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { HttpsAnswer } from '../environment/https-call.ts';
import { httpsCall } from '../environment/https-call.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({ settings: { decisionTimeoutMs: 10_000 } });
});
after(() => gateway.stop());

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/claude/${name}`, import.meta.url));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function header(answer: HttpsAnswer, name: string): string | undefined {
  return answer.headers.find(([other]) => other === name)?.[1];
}

/** Sends the bytes and asserts that none of them, and none of the answer's, was changed on the way. */
async function roundTrip(body: Uint8Array, framing: [string, string][] = []): Promise<HttpsAnswer> {
  const number = gateway.fake.requestCount() + 1;
  const authorization = ['authorization', `Bearer ${await gateway.token()}`] as const;
  const usual = [['content-type', 'application/json'], ['anthropic-version', '2023-06-01'], authorization] as const;
  const answer = await httpsCall(gateway, { headers: [...usual, ...framing], body });
  const arrival = await gateway.fake.waitForSettled(number);
  assert.equal(arrival.bodySha256, sha256(body));
  assert.equal(arrival.bodyBytes, body.length);
  assert.equal(arrival.status, answer.status);
  assert.equal(arrival.answerSha256, sha256(answer.body));
  assert.equal(arrival.answerBytes, answer.body.length);
  return answer;
}

const textOf1kB = messagesBody('x'.repeat(900));
const prompts: [name: string, body: Buffer, status: number][] = [
  ['1 kB', Buffer.from(textOf1kB), 200],
  ['a first request of Claude Code', fixture('i_claude_p_request.trimmed.json'), 200],
  ['Claude Code after a skill was used', fixture('i2_claude_p_skill_turn2_request.trimmed.json'), 200],
  ['a tool loop of 200 kB', fixture('h_tool_loop_200k_request.json'), 200],
  ['5 MB', Buffer.from(messagesBody(`${'All work and no play. '.repeat(240_000)}`)), 200],
];

for (const [name, body, status] of prompts) {
  test(`${name}: the upstream gets the caller's bytes and the caller the upstream's`, async () => {
    const answer = await roundTrip(body);
    assert.equal(answer.status, status);
    const { http } = await gateway.document(answer.exchangeId);
    assert.equal(http.request.body.bytes, body.length);
    assert.equal(http.response.body.bytes, answer.body.length);
  });
}

test('the same bytes go through when the upload has no length', async () => {
  const answer = await roundTrip(fixture('h_tool_loop_200k_request.json'), [['transfer-encoding', 'chunked']]);
  assert.equal(answer.status, 200);
});

/** Each of them means the same message to a JSON parser, which a gateway that writes JSON anew would give away. */
const spellings: [name: string, text: string][] = [
  [
    'white space',
    `\n\t {\r\n "model" :"claude-opus-5-5" ,"max_tokens":\t9,\n"messages":[ {"role":"user","content":"Hi"} ]\n}\n\n`,
  ],
  [
    'escapes',
    String.raw`{"model":"claude\u002dopus-5-5","max_tokens":9,"messages":[{"role":"user","content":"\u0048\/\b\f \u00e9 \ud83d\ude00 \u0000"}]}`,
  ],
  [
    'raw characters',
    '{"model":"claude-opus-5-5","max_tokens":9,"messages":[{"role":"user","content":"Grüße 😀 \u2028 \u007f é e\u0301"}]}',
  ],
  [
    'order of keys',
    '{"messages":[{"content":"Hi","role":"user"}],"zz":1,"max_tokens":9,"aa":2,"model":"claude-opus-5-5"}',
  ],
  [
    'numbers',
    '{"model":"claude-opus-5-5","max_tokens":9,"temperature":1.0,"top_p":1e-1,"top_k":0.50E1,"messages":[{"role":"user","content":"Hi"}],"n":123456789012345678901234567890}',
  ],
  [
    'keys that look like a prototype',
    '{"model":"claude-opus-5-5","max_tokens":9,"__proto__":{"x":1},"constructor":2,"messages":[{"role":"user","content":"Hi"}]}',
  ],
  [
    'a lone surrogate',
    String.raw`{"model":"claude-opus-5-5","max_tokens":9,"messages":[{"role":"user","content":"\ud83d"}]}`,
  ],
];

for (const [name, text] of spellings) {
  test(`the spelling of the JSON stays: ${name}`, async () => {
    const answer = await roundTrip(Buffer.from(text));
    assert.equal(answer.status, 200, answer.body.toString());
  });
}

const answers: [directive: string, type: RegExp, encoding?: string][] = [
  ['[fake: large 3000000]', /^application\/json$/],
  ['[fake: fixture k_stream_unknowns]', /^text\/event-stream/],
  ['[fake: fixture d_stream_thinking] [fake: chunk 7]', /^text\/event-stream/],
  ['Hi [fake: gzip]', /^application\/json$/, 'gzip'],
  ['Hi [fake: br]', /^application\/json$/, 'br'],
  ['[fake: fixture b_stream_text] [fake: zstd]', /^text\/event-stream/, 'zstd'],
  ['[fake: error 429 7]', /^application\/json$/],
];

for (const [directive, type, encoding] of answers) {
  test(`the answer to ${directive} arrives with its bytes, length, type and encoding`, async () => {
    const answer = await roundTrip(Buffer.from(messagesBody(directive)));
    assert.match(header(answer, 'content-type') ?? '', type);
    assert.equal(header(answer, 'content-encoding'), encoding);
    const hasLength = header(answer, 'content-type') === 'application/json' && encoding === undefined;
    assert.equal(header(answer, 'content-length'), hasLength ? String(answer.body.length) : undefined);
  });
}

test('a body of bytes that are no text reaches the caller unchanged', async () => {
  const body = Buffer.from(Array.from({ length: 65_536 }, (_, at) => (at * 31) % 256));
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(body.length) };
  gateway.fake.script({ answer: { kind: 'raw', status: 200, headers, body } });
  const answer = await roundTrip(Buffer.from(textOf1kB));
  assert.deepEqual(answer.body, body);
  assert.equal(header(answer, 'content-length'), '65536');
});
