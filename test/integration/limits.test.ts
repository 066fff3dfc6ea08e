import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { PlainAnswer, TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { findInJournal } from '../environment/journal-view.ts';
import { openCall } from '../environment/raw-call.ts';
import { claudeError, inJournal, openHalfUpload } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

const MiB = 1024 * 1024;
const requestBodyMaxBytes = 41 * MiB;
const openExchangesMax = 8;

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  // Nearly all of a large body is in the journal alone while it is held.
  const held = { heldBodyMaxBytes: MiB, spooledBodyMaxBytes: 41 * MiB };
  const limits = { requestBodyMaxBytes, ...held, openExchangesMax };
  // Judging 40 MB takes its time on a machine that does other things beside it.
  gateway = await startTestGateway({ settings: { limits, decisionTimeoutMs: 20_000 } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** An answer of the gateway's own: in Claude's envelope, recorded with that outcome, and nothing went upstream. */
async function assertNotForwarded(
  send: () => Promise<Pick<PlainAnswer, 'status' | 'body' | 'exchangeId'> & { contentType: string | null | undefined }>,
  expected: { status: number; outcome?: string; types?: string[] },
): Promise<{ message: string; id: string; body: Buffer }> {
  const upstreamRequests = gateway.fake.requestCount();
  const { status, body, contentType, exchangeId } = await send();
  assert.equal(status, expected.status, body.toString());
  const message = claudeError(body, contentType, expected.types ?? ['invalid_request_error']);
  assert.equal(gateway.fake.requestCount(), upstreamRequests);
  if (expected.outcome !== undefined) {
    const document = await gateway.document(exchangeId);
    assert.equal(document.skilltape.outcome, expected.outcome);
    assert.equal(document.http.response.status_code, status);
  }
  return { message, id: exchangeId, body };
}

async function posted(body: string | Uint8Array, more: Record<string, string> = {}) {
  const answer = await gateway.post(body, { ...headers, ...more });
  return { ...answer, contentType: answer.headers.get('content-type') };
}

async function uploaded(call: ReturnType<typeof openCall>) {
  const head = await call.head;
  await call.over;
  const exchangeId = String(head.headers['x-skilltape-exchange'] ?? '');
  return { status: head.status, body: call.received(), exchangeId, contentType: head.headers['content-type'] };
}

test('more open exchanges than allowed: the next request is refused, and taken when one has ended', async () => {
  const open: Awaited<ReturnType<typeof openHalfUpload>>[] = [];
  for (let count = 0; count < openExchangesMax; count += 1) {
    open.push(await openHalfUpload(gateway, `open number ${count}`, headers));
  }
  const expected = { status: 503, types: ['overloaded_error'] };
  const { message } = await assertNotForwarded(() => posted(messagesBody('one too many')), expected);
  assert.match(message, /open exchanges/);
  for (const call of open) call.finish();
  for (const call of open) assert.equal((await call.head).status, 200);
  await waitUntil('room again', async () => (await gateway.post(messagesBody('next'), headers)).status === 200);
});

const messages = '"messages":[{"role":"user","content":"hi"}]';
const undecodable: { name: string; body: string | Uint8Array; fault: RegExp }[] = [
  { name: 'malformed JSON', body: `{"model":"claude-opus-5-5",${messages}`, fault: /invalid json/ },
  { name: 'no JSON at all', body: 'model=claude-opus-5-5&messages=hi', fault: /invalid json/ },
  {
    name: 'a duplicate key',
    body: `{"model":"claude-opus-5-5","max_tokens":9,${messages},"model":"claude-mythos-1"}`,
    fault: /duplicate key/,
  },
  {
    name: 'a duplicate key in another spelling',
    body: `{"model":"claude-opus-5-5","max_tokens":9,${messages},"mod\\u0065l":"claude-mythos-1"}`,
    fault: /duplicate key/,
  },
  {
    name: 'invalid UTF-8',
    body: Buffer.concat([
      Buffer.from('{"model":"claude-opus-5-5","x":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]),
    fault: /invalid utf8/,
  },
  { name: 'nesting without an end', body: `{"model":${'['.repeat(1_000_000)}`, fault: /too deep/ },
  {
    name: 'nesting that is valid but too deep',
    body: `{"model":"claude-opus-5-5",${messages},"metadata":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
    fault: /too deep/,
  },
];

for (const { name, body, fault } of undecodable) {
  test(`${name} is refused, recorded as it came, and not forwarded`, async () => {
    const { id } = await assertNotForwarded(() => posted(body), { status: 400, outcome: 'refused' });
    const document = await gateway.document(id);
    assert.match(document.skilltape.outcome_detail, fault);
    assert.equal(document.http.request.body.bytes, Buffer.byteLength(body));
  });
}

for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json, text/plain', 'text/json']) {
  test(`a body of content-type ${type} is denied and recorded`, async () => {
    const send = () => posted(messagesBody('typed'), { 'content-type': type });
    await assertNotForwarded(send, {
      status: 415,
      outcome: 'denied',
      types: ['permission_error', 'invalid_request_error'],
    });
  });
}

// Last, because the tests read the whole journal again and again.
test('a body of 40 MB passes unchanged, and is in the record unchanged', async () => {
  const body = messagesBody('forty million bytes '.repeat((40 * MiB) / 20));
  const answer = await gateway.post(body, headers);
  assert.equal(answer.status, 200);
  const arrival = await gateway.fake.waitForSettled(gateway.fake.requestCount());
  assert.equal(arrival.bodySha256, sha256(body));
  const entry = await findInJournal(gateway.dataDirectory, 'forty million');
  assert.equal(entry?.id, answer.exchangeId);
  assert.equal(sha256(entry?.requestBody ?? ''), sha256(body));
});

test('a body announced as too large is refused before it is sent', async () => {
  const call = openCall(gateway, { headers: { ...headers, 'content-length': requestBodyMaxBytes + 1 } });
  const { message } = await assertNotForwarded(() => uploaded(call), { status: 413, outcome: 'refused' });
  assert.ok(message.includes(String(requestBodyMaxBytes)));
});

test('a body that turns out too large, without an announced length, is refused and its beginning recorded', async () => {
  const call = openCall(gateway, { headers: { ...headers, 'transfer-encoding': 'chunked' } });
  const piece = Buffer.alloc(MiB, 'x');
  for (let sent = 0; sent <= requestBodyMaxBytes; sent += piece.length) call.write(piece);
  const { id } = await assertNotForwarded(() => uploaded(call), { status: 413, outcome: 'refused' });
  call.abort();
  const document = await gateway.document(id);
  assert.match(document.skilltape.outcome_detail, /^request_body_too_large/);
  assert.ok(document.http.request.body.bytes <= requestBodyMaxBytes);
});

test('more bytes held at once than allowed: the next request is refused, and taken when the first one is gone', async () => {
  const announced = { ...headers, 'content-length': 40 * MiB };
  const large = openCall(gateway, { headers: announced });
  large.write(`held ${'y'.repeat(30 * MiB)}`);
  await inJournal(gateway, 'held yyy', ({ requestBody }) => requestBody.length > 30 * MiB);
  const body = messagesBody('z'.repeat(13 * MiB));
  const expected = { status: 503, outcome: 'refused', types: ['overloaded_error'] };
  const { id } = await assertNotForwarded(() => posted(body), expected);
  assert.match((await gateway.document(id)).skilltape.outcome_detail, /^held_bodies_at_limit/);
  large.abort();
  await waitUntil('room for the second one', async () => (await gateway.post(body, headers)).status === 200);
});
