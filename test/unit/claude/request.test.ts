import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../../../extproc/claude/json.ts';
import { type MessagesRequest, readMessagesRequest } from '../../../extproc/claude/request.ts';
import { fixtureJson } from './fixture.ts';

function read(value: JsonValue): MessagesRequest {
  const result = readMessagesRequest(value);
  assert.ok(result.ok, result.ok ? '' : result.fault);
  return result.request;
}

const minimal: JsonObject = { model: 'm', messages: [] };

test('a request with skills is read', () => {
  const request = read(fixtureJson('e_skills_turn2_request.json'));
  assert.equal(request.model, 'claude-opus-5-5');
  assert.equal(request.maxTokens, 4096);
  assert.equal(request.stream, false);
  assert.deepEqual(request.skills, [
    { type: 'anthropic', id: 'xlsx', version: 'latest' },
    { type: 'custom', id: 'skill_01FixtureQuarterly', version: 'latest' },
  ]);
  assert.equal(request.containerId, 'container_011FixtureContainer');
  assert.deepEqual(request.toolNames, ['code_execution']);
  assert.deepEqual(request.toolTypes, ['code_execution_20260521']);
  assert.deepEqual(
    request.messages.map((turn) => turn.role),
    ['user', 'assistant', 'user'],
  );
});

test('a request of Claude Code is read, and fields of a message beside its content are kept', () => {
  const request = read(fixtureJson('i_claude_p_request.trimmed.json'));
  assert.equal(request.stream, true);
  assert.ok(request.toolNames.includes('Skill'));
  assert.deepEqual(new Set(request.toolTypes), new Set(['custom']));
  assert.match(request.metadataUserId ?? '', /session_id/);
  assert.deepEqual(request.messages[1]?.rest, { output_config: { effort: 'medium' } });
  assert.equal(request.messages[0]?.rest, undefined);
});

test('a request to count tokens needs no max_tokens', () => {
  const request = read(fixtureJson('g_count_tokens_request.json'));
  assert.equal(request.maxTokens, null);
  assert.equal(request.system, 'You are terse.');
});

test('every request fixture is read', () => {
  for (const name of [
    'a_plain_request',
    'e_skills_request',
    'h_tool_loop_200k_request',
    'i2_claude_p_skill_turn2_request.trimmed',
  ]) {
    assert.equal(read(fixtureJson(`${name}.json`)).model, 'claude-opus-5-5');
  }
});

test('a container may be an id, and servers, threads and unknown things are read as far as known', () => {
  const request = read({
    ...minimal,
    container: 'container_1',
    mcp_servers: [{ type: 'url', name: 'crm', url: 'https://crm.test' }],
    thread: { type: 'continue', previous_message_id: 'msg_1' },
    metadata: { user_id: 7 },
    brand_new: { x: [1] },
    messages: [{ role: 'narrator', content: [{ type: 'hologram' }, 7, null] }, { role: 'user' }],
  });
  assert.equal(request.containerId, 'container_1');
  assert.deepEqual(request.mcpServerNames, ['crm']);
  assert.equal(request.previousMessageId, 'msg_1');
  assert.equal(request.metadataUserId, null);
  assert.deepEqual(request.messages[1], { role: 'user', content: null });
});

test('a request with diagnostics is one that later ones can be compared with, whether it names a message or not', () => {
  for (const diagnostics of [{}, { previous_message_id: null }, { previous_message_id: 'msg_1' }])
    assert.equal(read({ ...minimal, diagnostics }).isComparable, true);
  for (const none of [{}, { diagnostics: null }]) assert.equal(read({ ...minimal, ...none }).isComparable, false);
});

test('tools that are defined inside messages are tools of the request', () => {
  const addition = (definition: JsonObject) => ({
    type: 'tool_addition',
    tool: { type: 'tool_definition', definition },
  });
  const request = read({
    ...minimal,
    tools: [{ name: 'first', type: null }],
    messages: [
      { role: 'system', content: [addition({ name: 'second', input_schema: {} })] },
      {
        role: 'assistant',
        content: [{ type: 'compaction', tool_changes: [addition({ name: 'bash', type: 'bash_20250124' })] }],
      },
      { role: 'system', content: [{ type: 'tool_addition', tool: { type: 'tool_reference', name: 'first' } }] },
    ],
  });
  assert.deepEqual(request.toolNames, ['first', 'second', 'bash']);
  assert.deepEqual(request.toolTypes, ['custom', 'custom', 'bash_20250124']);
});

test('a field that policy judges by, in a form that cannot be read, is a fault that names it', () => {
  const faults: [JsonValue, string][] = [
    [[], 'the body must be an object'],
    [null, 'the body must be an object'],
    [{ messages: [] }, 'model must be a non-empty string'],
    [{ model: '', messages: [] }, 'model must be a non-empty string'],
    [{ model: ['m'], messages: [] }, 'model must be a non-empty string'],
    [{ model: 'm' }, 'messages must be an array'],
    [{ model: 'm', messages: { length: 1 } }, 'messages must be an array'],
    [{ model: 'm', messages: [{ role: 'user' }, 'x'] }, 'messages[1] must be an object'],
    [{ model: 'm', messages: [{ content: 'x' }] }, 'messages[0].role must be a string'],
    [{ ...minimal, stream: 'true' }, 'stream must be a boolean'],
    [{ ...minimal, stream: null }, 'stream must be a boolean'],
    [{ ...minimal, max_tokens: '5' }, 'max_tokens must be a number'],
    [{ ...minimal, max_tokens: JSON.parse('1e999') }, 'max_tokens must be a number'],
    [{ ...minimal, tools: {} }, 'tools must be an array'],
    [{ ...minimal, tools: null }, 'tools must be an array'],
    [{ ...minimal, tools: [{}, 'bash'] }, 'tools[1] must be an object'],
    [{ ...minimal, tools: [{ name: 1 }] }, 'tools[0].name must be a string'],
    [{ ...minimal, tools: [{ type: {} }] }, 'tools[0].type must be a string'],
    [{ ...minimal, container: 7 }, 'container must be an object'],
    [{ ...minimal, container: { skills: {} } }, 'container.skills must be an array'],
    [{ ...minimal, container: { skills: ['xlsx'] } }, 'container.skills[0] must be an object'],
    [{ ...minimal, container: { skills: [{ type: 'custom' }] } }, 'container.skills[0].skill_id must be a string'],
    [{ ...minimal, mcp_servers: [{}] }, 'mcp_servers[0].name must be a string'],
  ];
  for (const [value, fault] of faults) assert.deepEqual(readMessagesRequest(value), { ok: false, fault });
});

test('prototype keys are fields like others', () => {
  const request = read(
    JSON.parse('{"model":"m","__proto__":{"stream":true},"messages":[{"role":"user","__proto__":{"content":"x"}}]}'),
  );
  assert.equal(request.stream, false);
  assert.equal(request.messages[0]?.content, null);
  assert.deepEqual(Object.keys(request.messages[0]?.rest ?? {}), ['__proto__']);
});
