import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { isJsonObject } from '../../../extproc/claude/json.ts';
import { flatText } from '../../../extproc/claude/text.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { assembleTranscript } from '../../../extproc/transcript/transcript.ts';
import { encoders } from '../../builders/encoders.ts';
import {
  claudeFixture,
  draftOf,
  eventStream,
  exchangeIdOf,
  finishedOf,
  messageOf,
  messagesRequest,
  readingOf,
  startedMs,
  startedOf,
  transcriptOf,
} from './example.ts';

const gzipped = [...eventStream, ['content-encoding', 'gzip']] as const;

test('an event stream is read as the message that its client assembles', async () => {
  const answerBody = claudeFixture('d_stream_thinking.sse');
  const reading = await readingOf(transcriptOf({ answerBody, answerHeaders: eventStream }));
  assert.equal(reading.ended, true);
  assert.equal(reading.decoded, true);
  assert.match(flatText(reading.message?.content ?? null), /She is a customer\./);
});

test('an encoded event stream is read like the plain one', async () => {
  const plain = claudeFixture('c_stream_tool_use.sse');
  const expected = await readingOf(transcriptOf({ answerBody: plain, answerHeaders: eventStream }));
  const read = await readingOf(transcriptOf({ answerBody: gzipSync(plain), answerHeaders: gzipped }));
  const answer = { codings: ['gzip'], decoded_bytes: plain.length };
  assert.deepEqual(read, { ...expected, body: { ...expected.body, answer } });
});

test('an encoded event stream that was cut gives the beginning of its message, not ended', async () => {
  const body = gzipSync(claudeFixture('b_stream_text.sse'));
  const reading = await readingOf(
    transcriptOf({ answerBody: body.subarray(0, body.length - 60), answerHeaders: gzipped }),
  );
  assert.equal(reading.ended, false);
  assert.ok(reading.message !== null);
});

test('a JSON message is whole, other JSON is kept as it came, an error is an error', async () => {
  assert.equal((await readingOf(transcriptOf())).ended, true);
  const counted = await readingOf(transcriptOf({ answer: { input_tokens: 7 } }));
  assert.deepEqual([counted.message, counted.other, counted.ended], [null, { input_tokens: 7 }, null]);
  const answerBody = claudeFixture('j_error_529.json');
  const failed = await readingOf(transcriptOf({ answerBody, answerStatus: 529 }));
  assert.equal(failed.message, null);
  assert.equal(failed.error?.type, 'error');
});

test('a refusal of our own is read from the record, since no answer came', async () => {
  const localReply = JSON.stringify({ type: 'error', error: { type: 'permission_error', message: 'no' } });
  const reading = await readingOf(transcriptOf({ finished: { outcome: 'denied', localReply } }));
  assert.deepEqual(reading.error, JSON.parse(localReply));
  assert.ok(reading.request !== null);
});

test('a request body that is no messages request is said to be unread, and the answer is read all the same', async () => {
  const bodies = ['{"model":', '[]', '{"model":"m"}', '{"model":"m","model":"n","messages":[]}', '\xff\xfe', '\0'];
  for (const body of bodies) {
    const reading = await readingOf(transcriptOf({ requestBody: Buffer.from(body, 'latin1') }));
    assert.deepEqual([reading.request, reading.decoded], [null, false], body);
    assert.ok(reading.message !== null);
  }
});

test('a request without a body, and an answer without one, leave nothing unread', async () => {
  const empty = new Uint8Array();
  const reading = await readingOf(transcriptOf({ requestBody: empty, answerBody: empty }));
  assert.deepEqual([reading.request, reading.message, reading.decoded], [null, null, true]);
});

test('an answer of another kind, of broken JSON, too deep, or in an unknown encoding is said to be unread', async () => {
  const json = ['content-type', 'application/json'] as const;
  const deep = Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  const unread = [
    { answerBody: Buffer.from('PK\x03\x04'), answerHeaders: [['content-type', 'application/zip']] as const },
    { answerBody: Buffer.from('{"type":"mess'), answerHeaders: [json] },
    { answerBody: deep, answerHeaders: [json] },
    { answerBody: Buffer.from('{}'), answerHeaders: [json, ['content-encoding', 'compress']] as const },
    { answerBody: Buffer.from('{}'), answerHeaders: [] },
  ];
  for (const overrides of unread) {
    const reading = await readingOf(transcriptOf(overrides));
    assert.deepEqual([reading.decoded, reading.message, reading.other], [false, null, null]);
  }
});

test('a bomb in the answer is not decoded', async () => {
  const answerBody = zstdCompressSync(Buffer.alloc(65 * 1024 * 1024, ' '));
  const answerHeaders = [...eventStream, ['content-encoding', 'zstd']] as const;
  assert.ok(answerBody.length < 100_000);
  assert.equal((await readingOf(transcriptOf({ answerBody, answerHeaders }))).decoded, false);
});

test('names of the prototype in request and answer are plain data', async () => {
  const hostile = '{"__proto__":{"polluted":1},"constructor":2}';
  const request = `{"model":"m","messages":[{"role":"user","content":[${hostile}],"__proto__":{"a":1}}]}`;
  const answer = JSON.stringify(messageOf('')).replace('"content":[', `"content":[${hostile},`);
  const reading = await readingOf(transcriptOf({ requestBody: Buffer.from(request), answerBody: Buffer.from(answer) }));
  assert.equal(JSON.stringify(reading.request?.messages[0]?.rest), '{"__proto__":{"a":1}}');
  assert.ok(JSON.stringify(reading.message).includes(hostile));
  assert.ok(isJsonObject({}) && !('polluted' in {}));
});

test('reading never throws, whatever bytes came under whatever headers', async () => {
  const contentType = fc.constantFrom('application/json', 'text/event-stream', 'text/plain', '', ';');
  const encoding = fc.constantFrom('', 'gzip', 'br', 'zstd', 'deflate', 'x');
  const json = fc.json().map((text) => Buffer.from(text));
  const events = fc
    .array(fc.tuple(fc.constantFrom('message_start', 'content_block_start', 'error', 'x'), fc.json()))
    .map((list) => Buffer.from(list.map(([event, data]) => `event: ${event}\ndata: ${data}\n\n`).join('')));
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), json, events);
  await fc.assert(
    fc.asyncProperty(bytes, bytes, contentType, encoding, async (requestBody, answerBody, type, encodedAs) => {
      const answerHeaders = [
        ['content-type', type],
        ['content-encoding', encodedAs],
      ] as const;
      await readingOf(transcriptOf({ requestBody, answerBody, answerHeaders }));
    }),
    { numRuns: 300 },
  );
});

for (const { name, header, encode } of encoders) {
  test(`a request in ${name} is read like the plain one, and its codings and size are told`, async () => {
    const plain = Buffer.from(JSON.stringify(messagesRequest('What is a tape?')));
    const started = startedOf({ headers: [['content-encoding', header]] });
    const reading = await readingOf(transcriptOf({ requestBody: encode(plain), started }));
    const expected = await readingOf(transcriptOf({ requestBody: plain }));
    const request = { codings: [header.replace('x-', '')], decoded_bytes: plain.length };
    assert.deepEqual(reading, { ...expected, body: { ...expected.body, request } });
  });

  test(`an answer in ${name} is read like the plain one, at any border of its chunks`, async () => {
    const plain = claudeFixture('c_stream_tool_use.sse').subarray(0, 1_500);
    const answerHeaders = [...eventStream, ['content-encoding', header]] as const;
    const encoded = encode(plain);
    const expected = await readingOf(transcriptOf({ answerBody: plain, answerHeaders: eventStream }));
    assert.ok(expected.message !== null);
    for (let border = 0; border <= encoded.length; border += 1) {
      const { answerBody } = assembled([encoded.subarray(0, border), encoded.subarray(border)]);
      const reading = await readingOf(transcriptOf({ answerBody, answerHeaders }));
      assert.deepEqual(reading.message, expected.message, `border ${border}`);
    }
  });
}

/** As the journal gives it back: one record for each chunk. */
function assembled(chunks: readonly Uint8Array[]): Transcript {
  const base = { exchangeId: exchangeIdOf(1), timeMs: startedMs };
  const transcript = assembleTranscript([
    { ...base, kind: 'started', started: startedOf() },
    ...chunks.map((bytes) => ({ ...base, kind: 'answer_body', bytes }) as const),
    { ...base, kind: 'finished', finished: finishedOf() },
  ]);
  assert.ok(transcript !== null);
  return transcript;
}

test('an upload in a content-encoding is read into its files', async () => {
  const form = [
    '--b-4711\r\nContent-Disposition: form-data; name="file"; filename="notes.md"\r\nContent-Type: text/markdown\r\n\r\n',
    '# Notes\r\n--b-4711--\r\n',
  ].join('');
  const headers = [
    ['content-type', 'multipart/form-data; boundary=b-4711'],
    ['content-encoding', 'gzip'],
  ] as const;
  const started = startedOf({ path: '/v1/files', headers });
  const reading = await readingOf(transcriptOf({ requestBody: gzipSync(form), started }));
  assert.deepEqual(
    reading.files.map(({ name, bytes }) => [name, bytes]),
    [['notes.md', 7]],
  );
});

test('a request that could not be decoded is left to the sealed record, with the reason for it', async () => {
  const faults: [header: string, body: Uint8Array, fault: RegExp][] = [
    ['gzip', Buffer.from('no gzip'), /^request: its gzip is damaged or none$/],
    ['gzip', gzipSync(Buffer.alloc(8 * 1024 * 1024)), /^request: it decodes to more than 100 times their size$/],
    ['compress', Buffer.from('x'), /^request: its content-encoding is compress$/],
    ['gzip', gzipSync('{"model":'), /^request: invalid json$/],
  ];
  for (const [header, requestBody, fault] of faults) {
    const started = startedOf({ headers: [['content-encoding', header]] });
    const reading = await readingOf(transcriptOf({ requestBody, started }));
    assert.deepEqual([reading.request, reading.decoded], [null, false]);
    assert.match(reading.fault, fault);
  }
});

test('an answer that could not be decoded is left to the sealed record, with the reason, and its usage is unknown', async () => {
  const json = ['content-type', 'application/json'] as const;
  const faults: [header: string, body: Uint8Array, fault: RegExp][] = [
    ['br', Buffer.from('{"type":"message"}'), /^answer: its br is damaged or none$/],
    ['compress', Buffer.from('x'), /^answer: its content-encoding compress is not known$/],
    ['zstd', zstdCompressSync(Buffer.alloc(8 * 1024 * 1024)), /^answer: it decodes to more than 100 times its size$/],
  ];
  for (const [header, answerBody, fault] of faults) {
    const overrides = { answerBody, answerHeaders: [json, ['content-encoding', header]] as const };
    const { skilltape, gen_ai: genAi } = await draftOf(transcriptOf(overrides));
    assert.deepEqual([skilltape.decoded, skilltape.answer, skilltape.outcome], [false, null, 'complete']);
    assert.match(skilltape.decoded_detail, fault);
    assert.deepEqual([genAi.usage.input_tokens, genAi.usage.output_tokens], [null, null]);
    assert.equal(skilltape.usage.uncached_input_tokens, null);
  }
});

test('a content-encoding in a second header line counts for an answer too', async () => {
  const answerHeaders = [...eventStream, ['content-encoding', 'gzip'], ['content-encoding', 'br']] as const;
  const answerBody = brotliCompressSync(gzipSync(claudeFixture('b_stream_text.sse')));
  const reading = await readingOf(transcriptOf({ answerBody, answerHeaders }));
  assert.deepEqual([reading.ended, reading.body.answer.codings], [true, ['gzip', 'br']]);
});
