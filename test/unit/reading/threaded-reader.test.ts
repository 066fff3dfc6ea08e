import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { endpointOf } from '../../../extproc/claude/endpoint.ts';
import type { Coding } from '../../../extproc/encoding/codings.ts';
import type { DecodingLimits } from '../../../extproc/encoding/limits.ts';
import type { BodyPlace } from '../../../extproc/exchange/body.ts';
import { HeldBody } from '../../../extproc/exchange/held-body.ts';
import type { ReadingKind } from '../../../extproc/exchange/reader.ts';
import { readHere } from '../../../extproc/exchange/reader.ts';
import { createThreadedReader } from '../../../extproc/reading/threaded-reader.ts';
import { decodingLimits, noCodings } from '../../builders/decoding.ts';
import { ownList, ownNames, ownRule } from '../masking/own-list.ts';

const MiB = 1024 * 1024;
const reader = createThreadedReader();
after(() => reader.close());

const place: BodyPlace = {
  endpoint: endpointOf('POST', '/v1/messages'),
  bodyForm: 'messages',
  contentType: 'application/json',
  codings: noCodings,
  decoding: decodingLimits,
};

function held(...chunks: (string | Uint8Array)[]): HeldBody {
  const body = new HeldBody({ openExchanges: 0, heldBodyBytes: 0 });
  const limits = { requestBodyMaxBytes: 2 ** 40, heldBodyMaxBytes: 2 ** 40 };
  for (const chunk of chunks) assert.equal(body.add(Buffer.from(chunk), limits), 'taken');
  return body;
}

test('a body that is searched is read in a thread, however small and encoded', async () => {
  const searched: BodyPlace = { ...place, findingsMaxChars: 1_000_000 };
  const mail = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'ada@example.com' }] });
  const told = [{ type: 'EMAIL', place: 'messages', count: 1 }];
  const small = reader.read('body', searched, held(mail));
  assert.ok(small instanceof Promise);
  assert.deepEqual((await small).findings, { findings: told, findings_complete: true });
  const gzip: BodyPlace = { ...searched, codings: { ok: true, codings: ['gzip'] } };
  assert.deepEqual((await reader.read('body', gzip, held(gzipSync(mail)))).findings.findings, told);
  const here = reader.read('body', place, held(mail));
  assert.ok(!(here instanceof Promise));
  assert.equal(here.findings.findings_complete, false);
});

test("a search finds what an operator's detectors find", async (t) => {
  const detectors = ownList({ rules: [ownRule()], names: [ownNames(['Acme Corp'])] });
  const own = createThreadedReader(null, undefined, detectors);
  t.after(() => own.close());
  const searched: BodyPlace = { ...place, findingsMaxChars: 1_000_000 };
  const body = { model: 'm', messages: [{ role: 'user', content: 'TCK-12345 of acme corp, ada@example.com' }] };
  const { findings } = await own.read('body', searched, held(JSON.stringify(body)));
  const types = ['EMAIL', 'CUSTOMER', 'TICKET'];
  assert.deepEqual(
    findings.findings,
    types.map((type) => ({ type, place: 'messages', count: 1 })),
  );
});

const prompt = (bytes: number) =>
  JSON.stringify({ model: 'm', container: 'c_1', messages: [{ role: 'user', content: 'x'.repeat(bytes) }] });

for (const bytes of [100, 100_000, 3 * MiB]) {
  test(`a body of ${bytes} bytes is read as in this thread, and stays whole`, async () => {
    const text = prompt(bytes);
    const body = held(text.slice(0, 50), text.slice(50));
    assert.deepEqual(await reader.read('body', place, body), readHere('body', place, Buffer.from(text)));
    assert.equal(Buffer.from(body.joined()).toString(), text);
  });
}

test('a body that is one chunk is not given away', async () => {
  const body = held(prompt(100_000));
  await reader.read('body', place, body);
  assert.equal(body.joined().length, Buffer.byteLength(prompt(100_000)));
});

test('no turn of the event loop is taken by a large body, and a small one does not wait for it', async () => {
  const order: string[] = [];
  const large = Promise.resolve(reader.read('body', place, held(prompt(16 * MiB)))).then(() => order.push('large'));
  const middle = Promise.resolve(reader.read('body', place, held(prompt(100_000)))).then(() => order.push('middle'));
  const small = Promise.resolve(reader.read('body', place, held(prompt(10)))).then(() => order.push('small'));
  await Promise.all([large, middle, small]);
  assert.deepEqual(order, ['small', 'middle', 'large']);
});

test('an encoded answer is read in the thread however small it is: it may decode to much', async () => {
  const form = { status: 200, contentType: 'application/json', decodedMaxBytes: MiB };
  const answer = { ...form, endpoint: 'messages.create' };
  const message = JSON.stringify({ type: 'message', id: 'm_1', container: { id: 'c_1' }, pad: 'x'.repeat(500_000) });
  const read = reader.read('answerIds', { ...answer, contentEncoding: 'gzip' }, held(gzipSync(message)));
  assert.ok(read instanceof Promise);
  const made = [{ kind: 'container', id: 'c_1' }];
  assert.deepEqual(await read, { messageId: 'm_1', containerId: 'c_1', managedSessionId: null, made });
  const bomb = held(gzipSync(Buffer.alloc(64 * MiB)));
  assert.equal(await reader.read('answerIds', { ...answer, contentEncoding: 'gzip' }, bomb), null);
});

test('the changed form of an answer comes back from the thread', async () => {
  const asked = { publicUrl: 'https://g.example', contentEncoding: 'gzip', maxBytes: MiB };
  const link = '{"results_url":"https://api.anthropic.com/v1/messages/batches/b/results"}';
  const changed = await reader.read('changed', asked, held(gzipSync(link)));
  assert.ok(changed.ok && changed.changed);
  assert.equal(
    Buffer.from(changed.bytes).toString(),
    '{"results_url":"https://g.example/v1/messages/batches/b/results"}',
  );
  const withoutLinks = JSON.stringify({ id: 'msgbatch_1', note: 'x'.repeat(100_000) });
  const plain = { ...asked, contentEncoding: '' };
  const unchanged = await reader.read('changed', plain, held(withoutLinks));
  assert.ok(unchanged.ok && !unchanged.changed);
  assert.equal(Buffer.from(unchanged.bytes).toString(), withoutLinks);
  assert.deepEqual(await reader.read('changed', asked, held('no gzip')), { ok: false, fault: 'not_decoded' });
});

test('a question that fails rejects without repeating what it failed on, and the next is answered', async () => {
  const broken = reader.read('unknown' as ReadingKind as 'body', place, held(prompt(100_000)));
  await assert.rejects(
    Promise.resolve(broken),
    ({ message }: Error) => /TypeError/.test(message) && !/xxx/.test(message),
  );
  const answered = await reader.read('body', place, held(prompt(100_000)));
  assert.equal(answered.fault, '');
});

test('a closed reader rejects, and its threads are gone', async () => {
  const closing = createThreadedReader();
  await closing.read('body', place, held(prompt(100_000)));
  const open = Promise.resolve(closing.read('body', place, held(prompt(8 * MiB))));
  const ended = assert.rejects(open, /the thread that reads bodies could not/);
  await closing.close();
  await ended;
  await assert.rejects(Promise.resolve(closing.read('body', place, held(prompt(100_000)))), /closed/);
});

const encodedIn = (coding: Coding, decoding: Partial<DecodingLimits> = {}): BodyPlace => ({
  ...place,
  codings: { ok: true, codings: [coding] },
  decoding: { ...decodingLimits, ...decoding },
});

for (const bytes of [100, 100_000, 3 * MiB]) {
  test(`a request that decodes to ${bytes} bytes is read as in this thread, and stays encoded`, async () => {
    const encoded = zstdCompressSync(prompt(bytes));
    const body = held(encoded);
    const asked = encodedIn('zstd', { decodedRatioMax: 100_000 });
    const read = await reader.read('body', asked, body);
    assert.deepEqual(read, readHere('body', asked, encoded));
    assert.deepEqual([read.fault, read.decodedBytes], ['', Buffer.byteLength(prompt(bytes))]);
    assert.deepEqual(Buffer.from(body.joined()), encoded);
  });
}

test('a small encoded request does not wait for one that decodes to much, however small that one came', async () => {
  const order: string[] = [];
  const asked = encodedIn('gzip', { decodedRatioMax: 100_000 });
  const read = (name: string, bytes: number) =>
    Promise.resolve(reader.read('body', asked, held(gzipSync(prompt(bytes))))).then(() => order.push(name));
  assert.ok(gzipSync(prompt(8 * MiB)).length < 16 * 1024);
  await Promise.all([read('large', 8 * MiB), read('middle', 200_000), read('small', 10)]);
  assert.deepEqual(order, ['small', 'middle', 'large']);
});

test('the limits of the configuration hold in every thread, and say which of them was met', async () => {
  for (const [bytes, decodedBodyMaxBytes] of [
    [2_000, 1_000],
    [100_000, 90_000],
    [3 * MiB, 2_500_000],
  ] as const) {
    const asked = encodedIn('gzip', { decodedBodyMaxBytes, decodedRatioMax: 100_000 });
    const read = await reader.read('body', asked, held(gzipSync(prompt(bytes))));
    assert.deepEqual([read.reason, read.fault], ['decoded_body_too_large', `${decodedBodyMaxBytes} bytes`]);
  }
  const bomb = await reader.read('body', encodedIn('gzip'), held(gzipSync(Buffer.alloc(32 * MiB))));
  assert.equal(bomb.reason, 'decoded_ratio_too_high');
});

test('a broken encoded request is refused at once, of any size', async () => {
  for (const bytes of [100, 50_000, 3 * MiB]) {
    const read = await reader.read('body', encodedIn('br'), held(randomBytes(bytes)));
    assert.equal(read.reason, 'encoding_invalid');
  }
});
