import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageOf } from '../../../extproc/claude/usage.ts';
import { decodeAll, fixtureBytes, foldEvents } from './fixture.ts';

const unknown = { inputTokens: null, outputTokens: null, cacheReadTokens: null, cacheCreationTokens: null };

test('the input is the sum of uncached, read and written tokens', () => {
  const message = foldEvents(decodeAll([fixtureBytes('d_stream_thinking.sse')])).message;
  assert.deepEqual(usageOf(message), {
    inputTokens: 1244,
    outputTokens: 61,
    cacheReadTokens: 1200,
    cacheCreationTokens: 0,
  });
  const written = usageOf({
    usage: { input_tokens: 1, cache_creation_input_tokens: 10, cache_read_input_tokens: null },
  });
  assert.deepEqual(written, { ...unknown, inputTokens: 11, cacheCreationTokens: 10 });
});

test('what the answer does not say is null, not zero', () => {
  assert.deepEqual(usageOf(null), unknown);
  assert.deepEqual(usageOf({}), unknown);
  assert.deepEqual(usageOf({ usage: { cache_read_input_tokens: 5 } }), { ...unknown, cacheReadTokens: 5 });
});

test('numbers that count no tokens are not believed', () => {
  for (const value of [-1, 1.5, Number.POSITIVE_INFINITY, 1e300, '7', true, {}]) {
    assert.deepEqual(usageOf({ usage: { input_tokens: value, output_tokens: value } }), unknown);
  }
});
