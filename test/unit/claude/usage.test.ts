import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageOf } from '../../../extproc/claude/usage.ts';
import { decodeAll, fixtureBytes, foldEvents, sseText, utf8 } from './fixture.ts';

const unknown = {
  inputTokens: null,
  outputTokens: null,
  cacheReadTokens: null,
  cacheCreationTokens: null,
  cacheCreation5mTokens: null,
  cacheCreation1hTokens: null,
  reasoningTokens: null,
  webSearchRequests: null,
  webFetchRequests: null,
  serviceTier: '',
};

test('the input is the sum of uncached, read and written tokens, and every count of the API is kept', () => {
  const message = foldEvents(decodeAll([fixtureBytes('d_stream_thinking.sse')])).message;
  assert.deepEqual(usageOf(message), {
    ...unknown,
    inputTokens: 1244,
    outputTokens: 61,
    cacheReadTokens: 1200,
    cacheCreationTokens: 0,
    cacheCreation5mTokens: 0,
    cacheCreation1hTokens: 0,
    reasoningTokens: 40,
    serviceTier: 'standard',
  });
  const usage = {
    input_tokens: 1,
    cache_creation_input_tokens: 10,
    cache_read_input_tokens: null,
    cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 6 },
    server_tool_use: { web_search_requests: 2, web_fetch_requests: 3 },
  };
  assert.deepEqual(usageOf({ usage }), {
    ...unknown,
    inputTokens: 11,
    cacheCreationTokens: 10,
    cacheCreation5mTokens: 4,
    cacheCreation1hTokens: 6,
    webSearchRequests: 2,
    webFetchRequests: 3,
  });
});

test('totals at the end of a stream replace those of its start, and null replaces nothing', () => {
  const start = {
    input_tokens: 100,
    cache_read_input_tokens: 7,
    output_tokens: 1,
    server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 },
  };
  const delta = (usage: object) => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage });
  const stream = sseText([
    { type: 'message_start', message: { content: [], usage: start } },
    delta({ output_tokens: 5, input_tokens: 120, cache_read_input_tokens: null }),
    delta({
      output_tokens: 9,
      input_tokens: null,
      server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 },
      output_tokens_details: { thinking_tokens: 4 },
    }),
    { type: 'message_stop' },
  ]);
  assert.deepEqual(usageOf(foldEvents(decodeAll([utf8(stream)])).message), {
    ...unknown,
    inputTokens: 127,
    outputTokens: 9,
    cacheReadTokens: 7,
    reasoningTokens: 4,
    webSearchRequests: 3,
    webFetchRequests: 1,
  });
});

const tokens = (input_tokens: number, output_tokens: number, more: object = {}) => ({
  ...{ input_tokens, output_tokens, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
  ...more,
});

test('tokens of a compaction and of an advisor are counted beside the total, those of other iterations are in it', () => {
  const iterations = [
    { type: 'compaction', ...tokens(900, 90, { cache_read_input_tokens: 5 }) },
    { type: 'message', model: 'm', ...tokens(100, 10) },
    {
      ...{ type: 'advisor_message', model: 'n' },
      ...tokens(7, 3, { cache_creation_input_tokens: 2, cache_creation: { ephemeral_1h_input_tokens: 2 } }),
    },
    { type: 'message', model: 'm', ...tokens(20, 2) },
  ];
  const counted = usageOf({ usage: { ...tokens(120, 12), iterations } });
  assert.deepEqual(counted, {
    ...unknown,
    inputTokens: 120 + 900 + 5 + 7 + 2,
    outputTokens: 12 + 90 + 3,
    cacheReadTokens: 5,
    cacheCreationTokens: 2,
    cacheCreation1hTokens: 2,
  });
  // Of several calls the top level may have the input of the first alone.
  assert.deepEqual(usageOf({ usage: { ...tokens(100, 12), iterations } }), counted);
  // A fallback that served, and the model that declined before it.
  const hops = [
    { type: 'message', ...tokens(50, 1) },
    { type: 'fallback_message', model: 'n', ...tokens(60, 9) },
  ];
  const { inputTokens, outputTokens } = usageOf({ usage: { ...tokens(60, 9), iterations: hops } });
  assert.deepEqual([inputTokens, outputTokens], [110, 10]);
});

test('iterations in a form that counts nothing change nothing', () => {
  const compaction = { type: 'compaction', input_tokens: '9', output_tokens: -9 };
  for (const iterations of [null, {}, 'x', [], [null, 7, 'x', []], [compaction], [{ type: {}, usage: tokens(1, 1) }]]) {
    assert.deepEqual(usageOf({ usage: { ...tokens(4, 3), iterations } }), usageOf({ usage: tokens(4, 3) }));
  }
  const huge = { type: 'compaction', ...tokens(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) };
  const { inputTokens, outputTokens } = usageOf({ usage: { ...tokens(4, 3), iterations: [huge, huge] } });
  assert.deepEqual([inputTokens, outputTokens], [null, null]);
});

test('what the answer does not say is null, not zero', () => {
  assert.deepEqual(usageOf(null), unknown);
  assert.deepEqual(usageOf({}), unknown);
  assert.deepEqual(usageOf({ usage: { cache_read_input_tokens: 5 } }), { ...unknown, cacheReadTokens: 5 });
});

test('what counts nothing is not believed', () => {
  for (const value of [-1, 1.5, Number.POSITIVE_INFINITY, 1e300, '7', true, {}]) {
    const usage = { input_tokens: value, output_tokens: value, output_tokens_details: { thinking_tokens: value } };
    assert.deepEqual(usageOf({ usage }), unknown);
    assert.deepEqual(usageOf({ usage: { cache_creation: value, server_tool_use: value } }), unknown);
  }
  assert.deepEqual(usageOf({ usage: { service_tier: 5 } }), unknown);
});
