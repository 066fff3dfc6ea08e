import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../../../extproc/claude/json.ts';
import { readMessagesRequest } from '../../../extproc/claude/request.ts';
import { requestModelsMax } from '../../../extproc/claude/request-models.ts';

function read(change: JsonObject) {
  return readMessagesRequest({ model: 'm', messages: [], ...change });
}

function modelsOf(change: JsonObject): string[] {
  const result = read(change);
  assert.ok(result.ok, result.ok ? '' : result.fault);
  return result.request.models;
}

const advisor = (model: JsonValue): JsonObject => ({ type: 'advisor_20260301', name: 'advisor', model });
const addition = (definition: JsonValue): JsonObject => ({
  type: 'tool_addition',
  tool: { type: 'tool_definition', definition },
});

test('every model that may answer is named once, the one that is asked for first', () => {
  assert.deepEqual(modelsOf({}), ['m']);
  assert.deepEqual(modelsOf({ fallbacks: null, tools: [] }), ['m']);
  const everywhere = {
    fallbacks: [{ model: 'b' }, { model: 'm', max_tokens: 5 }],
    tools: [advisor('c'), { name: 't', input_schema: { properties: { model: { type: 'string' } } } }, advisor('b')],
    messages: [
      { role: 'system', content: [addition(advisor('d'))] },
      {
        role: 'assistant',
        content: [{ type: 'compaction', tool_changes: [addition({ ...advisor('e'), type: 'x' })] }],
      },
      { role: 'assistant', content: [{ type: 'fallback', from: { model: 'x' }, to: { model: 'y' } }] },
    ],
  };
  assert.deepEqual(modelsOf(everywhere), ['m', 'b', 'c', 'd', 'e']);
});

test('fallbacks that Claude chooses stand for themselves', () => {
  assert.deepEqual(modelsOf({ fallbacks: 'default' }), ['m', 'default']);
});

test('a model in a form that cannot be read is a fault that names its place', () => {
  const fallbacks = 'fallbacks must be an array or the word default';
  const faults: [JsonObject, string][] = [
    [{ fallbacks: 'claude-x' }, fallbacks],
    [{ fallbacks: { model: 'b' } }, fallbacks],
    [{ fallbacks: false }, fallbacks],
    [{ fallbacks: ['b'] }, 'fallbacks[0] must be an object'],
    [{ fallbacks: [{ model: 'b' }, {}] }, 'fallbacks[1].model must be a non-empty string'],
    [{ fallbacks: [{ model: null }] }, 'fallbacks[0].model must be a non-empty string'],
    [{ fallbacks: [JSON.parse('{"__proto__":{"model":"b"}}')] }, 'fallbacks[0].model must be a non-empty string'],
    [{ tools: [advisor({ id: 'b' })] }, 'tools[0].model must be a non-empty string'],
    [{ tools: [advisor('')] }, 'tools[0].model must be a non-empty string'],
    [
      { messages: [{ role: 'system', content: [addition(advisor(null))] }] },
      'a tool defined in messages[0].model must be a non-empty string',
    ],
  ];
  for (const [change, fault] of faults) assert.deepEqual(read(change), { ok: false, fault });
});

test('more models than policy can judge in time are a fault', () => {
  const fallbacks = (count: number) => Array.from({ length: count }, (_, at) => ({ model: `m-${at}` }));
  assert.equal(modelsOf({ fallbacks: fallbacks(requestModelsMax - 1) }).length, requestModelsMax);
  assert.deepEqual(read({ fallbacks: fallbacks(requestModelsMax) }), {
    ok: false,
    fault: 'it names more than 32 models',
  });
});
