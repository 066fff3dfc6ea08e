import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { AnswerUsage } from '../../../extproc/exchange/answer-usage.ts';

const usage = {
  ...{ input_tokens: 100, cache_read_input_tokens: 40, cache_creation_input_tokens: 10, output_tokens: 1 },
  service_tier: 'priority',
};

function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

function stream(text: string, delta: object | null = { output_tokens: 321, input_tokens: 101 }): string {
  return [
    event('message_start', { message: { id: 'm', type: 'message', model: 'claude-opus-5-5', content: [], usage } }),
    ...(text.match(/[\s\S]{1,20}/g) ?? []).map((piece) =>
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: piece } }),
    ),
    ...(delta === null ? [] : [event('message_delta', { delta: {}, usage: delta }), event('message_stop', {})]),
  ].join('');
}

function readOf(
  body: string | Buffer,
  { contentType = 'text/event-stream', contentEncoding = '', status = 200, chunk = 700 } = {},
) {
  const reader = new AnswerUsage({ status, contentType, contentEncoding });
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += chunk) reader.take(bytes.subarray(at, at + chunk));
  return reader.read(400);
}

test('a stream of any length tells what it used at its end, however it is cut', () => {
  for (const length of [0, 100, 5_000, 100_000]) {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), (chunk) => {
        const read = readOf(stream('x'.repeat(length)), { chunk });
        assert.deepEqual([read?.inputTokens, read?.outputTokens, read?.estimated], [151, 321, false]);
        assert.equal(read?.billed.model, 'claude-opus-5-5');
      }),
      { numRuns: 20 },
    );
  }
});

test('what is billed is told by its prices', () => {
  assert.deepEqual(readOf(stream('x'))?.billed, {
    ...{ model: 'claude-opus-5-5', serviceTier: 'priority', uncachedInput: 101, cacheRead: 40 },
    ...{ cacheCreation5m: 10, cacheCreation1h: 0, output: 321, webSearchRequests: 0 },
  });
});

test('text that looks like the usage of a stream is not taken for it', () => {
  const forged = JSON.stringify({ type: 'message_delta', usage: { output_tokens: 0, input_tokens: 0 } });
  const read = readOf(stream(`\ndata: ${forged}\n\n${forged}`));
  assert.deepEqual([read?.inputTokens, read?.outputTokens], [151, 321]);
});

test("JSON of any length tells it, encoded or not; the last usage is the API's own", () => {
  const message = (text: string) =>
    JSON.stringify({
      ...{ id: 'm', type: 'message', model: 'claude-haiku-5' },
      content: [{ type: 'tool_use', input: { text, usage: { input_tokens: 0, output_tokens: 0 } } }],
      usage: { ...usage, output_tokens: 77 },
    });
  for (const length of [1, 3_000, 50_000]) {
    const body = message('y'.repeat(length));
    for (const coded of [
      { body, contentEncoding: 'identity' },
      { body: gzipSync(body), contentEncoding: 'gzip' },
    ]) {
      const read = readOf(coded.body, { contentType: 'application/json', contentEncoding: coded.contentEncoding });
      assert.deepEqual([read?.inputTokens, read?.outputTokens, read?.estimated], [150, 77, false], String(length));
      assert.equal(read?.billed.model, 'claude-haiku-5');
    }
  }
});

test('an answer that broke off counts by its size, so that nobody saves by leaving early', () => {
  const broken = stream('z'.repeat(40_000), null);
  const read = readOf(broken);
  assert.deepEqual([read?.inputTokens, read?.estimated], [150, true]);
  assert.ok((read?.outputTokens ?? 0) > 1_000, String(read?.outputTokens));
});

test('an answer that cannot be read is estimated, and an error used nothing', () => {
  const read = readOf(Buffer.alloc(4_000, 7), { contentType: 'application/json', contentEncoding: 'br' });
  assert.deepEqual([read?.inputTokens, read?.outputTokens, read?.estimated], [100, 1_000, true]);
  assert.equal(readOf('{"type":"error"}', { status: 529, contentType: 'application/json' }), null);
});
