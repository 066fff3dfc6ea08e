import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { encoders, storedBlock } from '../builders/encoders.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { HeaderPairs, HttpsAnswer } from '../environment/https-call.ts';
import { httpsCall } from '../environment/https-call.ts';
import { readJournal } from '../environment/journal-view.ts';
import { claudeError } from '../environment/traffic.ts';

const MiB = 1024 * 1024;

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function sent(body: Uint8Array, more: HeaderPairs, path = '/v1/messages'): Promise<HttpsAnswer> {
  const own = new Set(more.map(([name]) => name));
  const type = own.has('content-type') ? [] : [['content-type', 'application/json'] as const];
  const authorization = ['authorization', `Bearer ${await gateway.token()}`] as const;
  return httpsCall(gateway, {
    path,
    headers: [['anthropic-version', '2023-06-01'], authorization, ...type, ...more],
    body,
  });
}

/** Goes up byte for byte, is answered, and stands in the journal as it came. */
async function forwarded(body: Uint8Array, more: HeaderPairs, path?: string): Promise<HttpsAnswer> {
  const number = gateway.fake.requestCount() + 1;
  const answer = await sent(body, more, path);
  const arrival = await gateway.fake.waitForSettled(number);
  assert.equal(answer.status, 200, answer.body.toString());
  assert.equal(arrival.bodySha256, sha256(body));
  const headers = arrival.headers.map((text) => text.toLowerCase());
  for (const [name, value] of more) assert.equal(headers[headers.indexOf(name) + 1], value.toLowerCase());
  assert.deepEqual((await recorded(answer.exchangeId)).requestBody, Buffer.from(body));
  return answer;
}

async function recorded(exchangeId: string) {
  const entry = (await readJournal(gateway.dataDirectory)).find(({ id }) => id === exchangeId);
  assert.ok(entry);
  return entry;
}

/** In Claude's envelope, on record with its bytes, and nothing went up. */
async function refused(body: Uint8Array, more: HeaderPairs, expected: { status: number; code: string }) {
  const count = gateway.fake.requestCount();
  const answer = await sent(body, more);
  assert.equal(answer.status, expected.status, answer.body.toString());
  const type = answer.headers.find(([name]) => name === 'content-type')?.[1];
  const message = claudeError(answer.body, type, ['invalid_request_error']);
  assert.equal(JSON.parse(answer.body.toString()).error.details.error_code, expected.code);
  assert.equal(gateway.fake.requestCount(), count);
  const document = await gateway.document(answer.exchangeId);
  assert.equal(document.skilltape.outcome, 'refused');
  return { message, document, entry: await recorded(answer.exchangeId) };
}

for (const { name, header, encode } of encoders) {
  test(`a request in ${name} goes up byte for byte, and its text is found and shown`, async () => {
    const prompt = `Squeezed in ${name}: what is a tape? `.repeat(20);
    const body = encode(Buffer.from(messagesBody(prompt)));
    const { exchangeId } = await forwarded(body, [['content-encoding', header]]);
    const { skilltape: document, http, gen_ai: genAi } = await gateway.document(exchangeId);
    assert.deepEqual([document.outcome, document.decoded, document.decoded_detail], ['complete', true, '']);
    const coded = { codings: [header.replace('x-', '')], decoded_bytes: Buffer.byteLength(messagesBody(prompt)) };
    assert.deepEqual([http.request.body.bytes, document.body.request], [body.length, coded]);
    assert.ok(genAi.input.text.includes(prompt.trim()));
    const { stdout } = await skilltape(['--config', gateway.configFile, 'show', exchangeId]);
    assert.match(stdout, new RegExp(`Squeezed in ${name}: what is a tape\\?`));
    assert.match(stdout, new RegExp(`encoding +request ${coded.codings} \\(${coded.decoded_bytes} bytes decoded\\)`));
  });
}

test('a request in two codings, told in two header lines, goes up as it came', async () => {
  const body = brotliCompressSync(gzipSync(messagesBody('twice')));
  const answer = await sent(body, [
    ['content-encoding', 'gzip'],
    ['content-encoding', 'br'],
  ]);
  assert.equal(answer.status, 200);
  assert.deepEqual((await gateway.document(answer.exchangeId)).skilltape.body.request.codings, ['gzip', 'br']);
});

test('a request of megabytes that is encoded is judged and goes up, beside small ones', async () => {
  const prompt = Array.from({ length: 200_000 }, (_, at) => `word${at * 7919} `).join('');
  const large = sent(gzipSync(messagesBody(prompt)), [['content-encoding', 'gzip']]);
  const small = Array.from({ length: 5 }, () => sent(gzipSync(messagesBody('small')), [['content-encoding', 'gzip']]));
  const { exchangeId, status } = await large;
  assert.deepEqual([status, ...(await Promise.all(small)).map((answer) => answer.status)], Array(6).fill(200));
  assert.equal((await gateway.document(exchangeId)).skilltape.body.request.decoded_bytes, messagesBody(prompt).length);
});

test('what policy denies is denied in any encoding', async () => {
  const count = gateway.fake.requestCount();
  for (const { header, encode } of encoders) {
    const body = encode(Buffer.from(messagesBody('denied', { model: 'claude-mythos-1' })));
    assert.equal((await sent(body, [['content-encoding', header]])).status, 403);
  }
  assert.equal(gateway.fake.requestCount(), count);
});

test('an upload in gzip is judged by its file, and the file is found', async () => {
  const form = [
    '--b-4711\r\nContent-Disposition: form-data; name="file"; filename="squeezed.md"\r\nContent-Type: text/markdown\r\n\r\n',
    `${'# Squeezed notes '.repeat(50)}\r\n--b-4711--\r\n`,
  ].join('');
  const headers = [
    ['content-type', 'multipart/form-data; boundary=b-4711'],
    ['content-encoding', 'gzip'],
    ['anthropic-beta', 'files-api-2025-04-14'],
  ] as const;
  const { exchangeId } = await forwarded(gzipSync(form), headers, '/v1/files');
  const { skilltape: document } = await gateway.document(exchangeId);
  assert.deepEqual(
    document.file.map(({ role, name }) => [role, name]),
    [['uploaded', 'squeezed.md']],
  );
});

test('bombs are refused as too large after decoding, and are on record', async () => {
  const zeros = Buffer.alloc(80 * MiB);
  const bombs = encoders.map(({ header, encode }) => [header, encode(zeros)] as const);
  for (const [header, bomb] of [...bombs, ['gzip, gzip', gzipSync(gzipSync(zeros))] as const]) {
    const expected = { status: 413, code: 'request_body_too_large_after_decoding' };
    const { document, entry } = await refused(bomb, [['content-encoding', header]], expected);
    assert.match(document.skilltape.outcome_detail, /^decoded_ratio_too_high 100 times their size$/);
    assert.deepEqual(entry.requestBody, bomb);
    assert.deepEqual([document.skilltape.decoded, document.skilltape.new_messages], [false, []]);
    assert.match(document.skilltape.decoded_detail, /^request: it decodes to more than 100 times/);
  }
});

test('a stream that is cut, doubled or damaged is refused, and is on record with the reason', async () => {
  const whole = gzipSync(messagesBody('once'));
  const stored = storedBlock(Buffer.from(messagesBody('stored')), { last: true });
  const bodies: [header: string, body: Uint8Array, reason: RegExp][] = [
    ['gzip', whole.subarray(0, -1), /ends before its gzip/],
    ['gzip', Buffer.concat([whole, whole]), /behind the end of its gzip/],
    ['gzip', Buffer.concat([whole, Buffer.of(0)]), /behind the end of its gzip/],
    ['br', Buffer.from('not brotli'), /its br is damaged/],
    ['deflate', stored.subarray(0, -1), /ends before its deflate/],
  ];
  for (const [header, body, reason] of bodies) {
    const expected = { status: 400, code: 'request_body_encoding_invalid' };
    const { message, document, entry } = await refused(body, [['content-encoding', header]], expected);
    assert.match(message, reason);
    assert.match(document.skilltape.outcome_detail, reason);
    assert.deepEqual(entry.requestBody, Buffer.from(body));
    const { stdout } = await skilltape(['--config', gateway.configFile, 'show', document.event.id]);
    assert.match(stdout, /could not be read as a Claude exchange: request: /);
  }
});

test('an encoding that is unknown or doubtful is refused by name, with the remedy', async () => {
  for (const header of ['compress', 'gzip, identity', 'gzip;q=1', 'gzip, gzip, gzip, gzip']) {
    const expected = { status: 400, code: 'request_body_encoding_unsupported' };
    const { message, document } = await refused(gzipSync(messagesBody('x')), [['content-encoding', header]], expected);
    assert.ok(message.includes(`content-encoding ${header}; send it without one`), message);
    assert.equal(document.skilltape.outcome_detail, `encoding_unsupported ${header}`);
  }
});

for (const name of ['gzip', 'deflate', 'br', 'zstd']) {
  test(`an answer in ${name} that is reset is read as far as it came, and is not complete`, async () => {
    const body = messagesBody(`[fake: large 4000] [fake: ${name}] [fake: reset]`, { stream: true });
    const exchangeId = await brokenOff(Buffer.from(body));
    const { skilltape: document, gen_ai: genAi } = await gateway.document(exchangeId);
    assert.notEqual(document.outcome, 'complete');
    assert.deepEqual([document.decoded, document.body.answer.codings], [true, [name]]);
    assert.ok(genAi.output.text.length > 100);
  });
}

/** The id of an exchange whose answer does not come to its end. */
async function brokenOff(body: Buffer): Promise<string> {
  const response = (await gateway.fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${await gateway.token()}`, 'anthropic-version': '2023-06-01' },
      ...{ 'content-type': 'application/json', 'accept-encoding': 'gzip, deflate, br, zstd' },
    },
    body,
  } as never)) as Response;
  await assert.rejects(response.arrayBuffer());
  return response.headers.get('x-skilltape-exchange') ?? '';
}
