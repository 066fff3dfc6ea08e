import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBatchRequest } from '../../../extproc/claude/batch.ts';
import type { JsonObject, JsonValue } from '../../../extproc/claude/json.ts';

const params: JsonObject = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] };

function entry(id: JsonValue, change: JsonObject = {}): JsonObject {
  return { custom_id: id, params: { ...params, ...change } };
}

test('every entry of a batch is read as a Messages request, under its own id', () => {
  const read = readBatchRequest({ requests: [entry('a'), entry('b', { model: 'n', tools: [{ name: 'bash' }] })] });
  assert.ok(read.ok);
  assert.deepEqual(
    read.entries.map(({ customId, request }) => [customId, request.model, request.toolNames]),
    [
      ['a', 'm', []],
      ['b', 'n', ['bash']],
    ],
  );
});

test('a fault names the entry and the field, never a value', () => {
  const faults: [JsonValue, string][] = [
    [null, 'the body must be an object'],
    [[entry('a')], 'the body must be an object'],
    [{}, 'requests must be an array'],
    [{ requests: { 0: entry('a'), length: 1 } }, 'requests must be an array'],
    [{ requests: [] }, 'requests must not be empty'],
    [{ requests: [entry('a'), 'planted'] }, 'requests[1] must be an object'],
    [{ requests: [{ params }] }, 'requests[0].custom_id must be a non-empty string'],
    [{ requests: [entry('')] }, 'requests[0].custom_id must be a non-empty string'],
    [{ requests: [entry(['planted'])] }, 'requests[0].custom_id must be a non-empty string'],
    [{ requests: [{ custom_id: 'a' }] }, 'requests[0].params must be an object'],
    [{ requests: [{ custom_id: 'a', params: [params] }] }, 'requests[0].params must be an object'],
    [
      { requests: [entry('planted'), entry('b'), entry('planted')] },
      'requests[2].custom_id repeats that of requests[0]',
    ],
    [
      { requests: [entry('a'), entry('b'), entry('c', { model: ['planted'] })] },
      'requests[2].params: model must be a non-empty string',
    ],
    [
      { requests: [entry('a', { messages: [{ role: 'user' }, 7] })] },
      'requests[0].params: messages[1] must be an object',
    ],
  ];
  for (const [value, fault] of faults) assert.deepEqual(readBatchRequest(value), { ok: false, fault });
});

test('ids that are names of object properties are ids like others', () => {
  const requests = ['__proto__', 'constructor', 'toString'].map((id) => entry(id));
  assert.ok(readBatchRequest({ requests }).ok);
});
