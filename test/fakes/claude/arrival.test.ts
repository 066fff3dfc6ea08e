import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { request as httpRequest } from 'undici';
import { encoders } from '../../builders/encoders.ts';
import { type FakeClaude, type FakeClaudeOptions, startFakeClaude } from '../claude.ts';
import { ArrivalLog } from './arrival.ts';

async function withFake(options: Partial<FakeClaudeOptions>, use: (fake: FakeClaude) => Promise<void>): Promise<void> {
  const fake = await startFakeClaude({ listen: { host: '127.0.0.1', port: 0 }, ...options });
  try {
    await use(fake);
  } finally {
    await fake.close();
  }
}

const HEADERS = { 'x-api-key': 'k', 'anthropic-version': '2026-10-21' };

function post(fake: FakeClaude, body: string | Buffer | Readable, headers: Record<string, string> = {}) {
  return httpRequest(`${fake.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body,
  });
}

function question(text: string, stream = false): string {
  return JSON.stringify({
    model: 'claude-opus-5-5',
    max_tokens: 1,
    stream,
    messages: [{ role: 'user', content: text }],
  });
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

test('5 MB up and 5 MB down are counted and hashed as they were on the wire', async () => {
  await withFake({}, async (fake) => {
    for (const [stream, directives] of [
      [false, ''],
      [true, ''],
      [true, '[fake: gzip]'],
      [true, '[fake: chunk 100000]'],
    ] as const) {
      const sent = question(`${'x'.repeat(5_000_000)} [fake: large 5000000] ${directives}`, stream);
      const { body } = await post(fake, sent);
      const got = Buffer.from(await body.bytes());
      const arrival = await fake.waitForSettled(fake.requestCount());
      assert.equal(arrival.bodyBytes, Buffer.byteLength(sent));
      assert.equal(arrival.bodySha256, sha256(sent));
      assert.equal(arrival.answerBytes, got.length);
      assert.equal(arrival.answerSha256, sha256(got));
      if (directives !== '[fake: gzip]') assert.ok(got.length > 5_000_000);
      assert.equal(arrival.body, undefined);
      assert.equal(arrival.clientAborted, false);
    }
  });
});

test('a 40 MB body is hashed as it streams in, and its directives and stream flag are found at its ends', async () => {
  await withFake({}, async (fake) => {
    const expected = createHash('sha256');
    const piece = 'y'.repeat(65_536);
    const parts = function* () {
      yield '{"model":"claude-opus-5-5","stream": true,"messages":[{"role":"user","content":"';
      for (let i = 0; i < 640; i += 1) yield piece;
      yield ' [fake: fixture b_stream_text]"}]}';
    };
    for (const part of parts()) expected.update(part);
    const { statusCode, headers, body } = await post(fake, Readable.from(parts(), { objectMode: false }));
    assert.equal(statusCode, 200);
    assert.match(String(headers['content-type']), /^text\/event-stream/);
    assert.match(await body.text(), /message_stop/);
    assert.equal(fake.requests[0]?.bodySha256, expected.digest('hex'));
    assert.ok((fake.requests[0]?.bodyBytes ?? 0) > 40 * 1024 * 1024);
  });
});

test('headers are kept as they came, with path, query and, when asked, the body', async () => {
  await withFake({ keepBodies: true }, async (fake) => {
    const socket = connect(fake.port, '127.0.0.1');
    const body = question('hi');
    socket.write(
      `POST /v1/messages?beta=true HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\nanthropic-version: 2023-06-01\r\nx-Twice: 1\r\nx-twice: 2\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const arrival = await fake.waitForSettled(1);
    assert.deepEqual(arrival.headers.slice(2, 10), [
      'X-API-Key',
      'k',
      'anthropic-version',
      '2023-06-01',
      'x-Twice',
      '1',
      'x-twice',
      '2',
    ]);
    assert.deepEqual([arrival.method, arrival.path], ['POST', '/v1/messages?beta=true']);
    assert.equal(arrival.body?.toString(), body);
    socket.destroy();
  });
});

test('a request counts when its headers have come, and a client that leaves before its body ends has aborted', async () => {
  await withFake({}, async (fake) => {
    const socket = connect(fake.port, '127.0.0.1');
    socket.write('POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
    const arrival = await fake.waitForRequest(1);
    assert.equal(fake.requestCount(), 1);
    assert.equal(arrival.bodySha256, undefined);
    socket.destroy();
    const settled = await fake.waitForSettled(1);
    assert.equal(settled, arrival);
    assert.equal(settled.clientAborted, true);
    assert.equal(settled.bodySha256, undefined);
    assert.equal(settled.answerBytes, 0);
  });
});

test('a connection without a request is counted as accepted and not as a request', async () => {
  await withFake({}, async (fake) => {
    const socket = connect(fake.port, '127.0.0.1');
    await once(socket, 'connect');
    await (await post(fake, question('hi'))).body.dump();
    assert.equal(fake.acceptCount(), 2);
    assert.equal(fake.requestCount(), 1);
    socket.destroy();
  });
});

test('a compressed request is understood and hashed as sent; one that cannot be decoded is refused', async () => {
  await withFake({}, async (fake) => {
    const sent = gzipSync(question('[fake: error 418]'));
    const gzip = await post(fake, sent, { 'content-encoding': 'gzip' });
    assert.equal(gzip.statusCode, 418);
    await gzip.body.dump();
    assert.equal(fake.requests[0]?.bodySha256, sha256(sent));
    for (const { header, encode } of encoders) {
      const other = await post(fake, encode(Buffer.from(question('[fake: error 418]'))), {
        'content-encoding': header,
      });
      assert.equal(other.statusCode, 418, header);
      await other.body.dump();
    }
    const twice = await post(fake, gzipSync(sent), { 'content-encoding': 'gzip, GZIP' });
    assert.equal(twice.statusCode, 418);
    await twice.body.dump();
    for (const [encoding, body] of [
      ['gzip', 'no gzip'],
      ['lzw', question('hi')],
      ['identity', '{'],
      ['identity', '[]'],
    ]) {
      const refused = await post(fake, body ?? '', { 'content-encoding': encoding ?? '' });
      assert.equal(refused.statusCode, 400);
      await refused.body.dump();
    }
  });
});

test('old requests are forgotten beyond the limit, the count is not', async () => {
  await withFake({ requestsKeptMax: 3 }, async (fake) => {
    for (let i = 0; i < 5; i += 1) await (await post(fake, question(`number ${i}`))).body.dump();
    assert.equal(fake.requestCount(), 5);
    assert.equal(fake.requests.length, 3);
    assert.equal(await fake.waitForRequest(5), fake.requests[2]);
    await assert.rejects(fake.waitForRequest(1), /no longer kept/);
  });
});

test('closing breaks open connections and tells those who wait', async () => {
  const fake = await startFakeClaude({ listen: { host: '127.0.0.1', port: 0 } });
  const answer = assert.rejects(post(fake, question('[fake: hang]')));
  await fake.waitForRequest(1);
  const never = assert.rejects(fake.waitForRequest(2), /closed before/);
  await fake.close();
  await Promise.all([answer, never]);
  await assert.rejects(post(fake, question('hi')), { code: 'ECONNREFUSED' });
});

test('exchanges may be over in another order than they began', async () => {
  const log = new ArrivalLog(10);
  const numbers = [1, 2, 3].map(() => log.add({ method: 'GET', path: '/', headers: [], connectionId: 1 }).number);
  assert.deepEqual(numbers, [1, 2, 3]);
  const order: number[] = [];
  const waits = numbers.map((n) => log.whenSettled(n).then(() => order.push(n)));
  for (const n of [3, 1, 2]) {
    log.settle(n);
    await waits[n - 1];
  }
  assert.deepEqual(order, [3, 1, 2]);
});
