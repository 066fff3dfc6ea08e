import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCompletionRequest } from '../../../extproc/claude/completion-request.ts';
import type { JsonValue } from '../../../extproc/claude/json.ts';

test('the prompt of a text completion is one message of the user', () => {
  const read = readCompletionRequest({
    ...{ model: 'claude-2', prompt: '\n\nHuman: Hi', max_tokens_to_sample: 5, stream: true },
    metadata: { user_id: 'u' },
  });
  assert.ok(read.ok);
  const { model, maxTokens, stream, messages, metadataUserId } = read.request;
  assert.deepEqual(
    [model, maxTokens, stream, messages, metadataUserId],
    ['claude-2', 5, true, [{ role: 'user', content: '\n\nHuman: Hi' }], 'u'],
  );
});

test('a completion that cannot be judged has a fault', () => {
  const faults: [JsonValue, string][] = [
    [[], 'the body must be an object'],
    [{ model: 'm' }, 'prompt must be a string'],
    [{ prompt: 'p' }, 'model must be a non-empty string'],
    [{ model: 'm', prompt: 'p', stream: 1 }, 'stream must be a boolean'],
    [{ model: 'm', prompt: 'p', max_tokens_to_sample: '5' }, 'max_tokens_to_sample must be a number'],
  ];
  for (const [value, fault] of faults) assert.deepEqual(readCompletionRequest(value), { ok: false, fault });
});
