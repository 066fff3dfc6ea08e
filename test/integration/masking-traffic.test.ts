import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { findingTypes } from '../../extproc/masking/finding.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { httpsCall, pairs } from '../environment/https-call.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));
/** Of the connection `sandbox` nothing is masked. */
const rules = [
  {
    when: { connections: ['sandbox'] },
    off: findingTypes.filter((type) => type !== 'URL' && type !== 'DEEP'),
    consequence: 'secrets stay readable in the index',
  },
];

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({
    settings: { policies: { directory: 'policies' } },
    keepBodies: true,
    prepare(directory) {
      cpSync(shipped, join(directory, 'policies'), { recursive: true });
      writeFileSync(join(directory, 'policies/lists/masking/data.json'), JSON.stringify({ rules }));
    },
  });
});
after(() => gateway.stop());

const mail = 'grace@navy.example.org';
const key = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
const secrets = `${mail} ${key} 4111 1111 1111 1111`;

const event = (data: { type: string } & Record<string, unknown>) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const message = {
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_reason: 'end_turn', stop_sequence: null },
  content: [{ type: 'text', text: `it is ${secrets}` }],
  usage: { input_tokens: 1, output_tokens: 1 },
};
const stream = [
  event({ type: 'message_start', message: { ...message, content: [] } }),
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  ...[...secrets].map((text) => event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
  event({ type: 'content_block_stop', index: 0 }),
  event({ type: 'message_stop' }),
].join('');

type Sent = {
  name: string;
  body: Uint8Array;
  headers: [string, string][];
  answer: Uint8Array;
  type: string;
  coding?: string;
};
const json = 'application/json';
const sent: Sent[] = [
  {
    name: 'JSON',
    body: Buffer.from(messagesBody(secrets)),
    headers: [],
    answer: Buffer.from(JSON.stringify(message)),
    type: json,
  },
  {
    name: 'odd JSON',
    body: Buffer.from(
      `{ "model":"claude-opus-5-5" ,"max_tokens":1,\n "messages":[{"role":"user","content":"\\u0041 ${secrets} \\ud800 \\/"}],"n":12345678901234567890}`,
    ),
    headers: [['x-team', secrets]],
    answer: Buffer.from(`{"type":"message","a":1,"a":2,"n":12345678901234567890,"t":"${secrets}"}`),
    type: json,
  },
  {
    name: 'a stream',
    body: Buffer.from(messagesBody(secrets, { stream: true })),
    headers: [],
    answer: Buffer.from(stream),
    type: 'text/event-stream',
  },
  {
    name: 'gzip',
    body: gzipSync(messagesBody(secrets)),
    headers: [['content-encoding', 'gzip']],
    answer: gzipSync(JSON.stringify(message)),
    type: json,
    coding: 'gzip',
  },
];

/** What the upstream saw and what the caller got, on one connection. */
async function exchanged({ body, headers, answer, type, coding }: Sent, path: string) {
  const head = { 'content-type': type, ...(coding === undefined ? {} : { 'content-encoding': coding }) };
  gateway.fake.script({ answer: { kind: 'raw', status: 200, headers: head, body: answer as never } });
  const before = gateway.fake.requests.length;
  const got = await httpsCall(gateway, {
    headers: [
      ['authorization', `Bearer ${await gateway.token()}`],
      ['content-type', json],
      ['anthropic-version', '2023-06-01'],
      ...headers,
    ],
    ...{ body, path },
  });
  const arrived = gateway.fake.requests[before];
  assert.ok(arrived !== undefined);
  const own = /^(x-request-id|request-id$|x-skilltape-|date$|x-envoy-)/;
  return {
    document: await gateway.document(got.exchangeId),
    traffic: {
      upstream: Buffer.from(arrived.body ?? '').toString('latin1'),
      upstreamHeaders: pairs(arrived.headers).filter(([name]) => !own.test(name)),
      status: got.status,
      answer: got.body.toString('latin1'),
      answerHeaders: got.headers.filter(([name]) => !own.test(name)),
    },
  };
}

for (const one of sent) {
  test(`${one.name}: what passes is the same to the byte, whether the record of it is masked or not`, async () => {
    const masked = await exchanged(one, '/v1/messages');
    const plain = await exchanged(one, '/sandbox/v1/messages');
    assert.deepEqual(masked.traffic, plain.traffic);
    assert.equal(masked.traffic.upstream, Buffer.from(one.body).toString('latin1'));
    assert.equal(masked.traffic.answer, Buffer.from(one.answer).toString('latin1'));
    const [readable, other] = [JSON.stringify(masked.document), JSON.stringify(plain.document)];
    assert.ok(other.includes(mail) && other.includes(key), 'nothing is masked there');
    assert.ok(!readable.includes(mail) && !readable.includes(key));
  });
}
