import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentOf } from '../../../extproc/claude/agent.ts';

function read(headers: Record<string, string>) {
  return agentOf((name) => headers[name]);
}

const none = { promptId: null, requestClass: null, agentId: null, agentType: null, parentAgentId: null };

test('the headers of Claude Code tell prompt, class and place in the tree of agents', () => {
  const headers = {
    'x-claude-code-prompt-id': 'p-1',
    'x-claude-code-request-class': 'subagent',
    'x-claude-code-agent-id': 'a-2',
    'x-claude-code-agent-type': 'code reviewer',
    'x-claude-code-parent-agent-id': 'a-1',
  };
  assert.deepEqual(read(headers), {
    promptId: 'p-1',
    requestClass: 'subagent',
    agentId: 'a-2',
    agentType: 'code reviewer',
    parentAgentId: 'a-1',
  });
  assert.deepEqual(read({}), none);
});

test('a class that is not known is another one, and no class is none', () => {
  assert.equal(read({ 'x-claude-code-request-class': 'Main' }).requestClass, 'other');
  assert.equal(read({ 'x-claude-code-request-class': '__proto__' }).requestClass, 'other');
  assert.equal(read({ 'x-claude-code-request-class': ' ' }).requestClass, null);
});

test('values that are too long or not printable are passed over', () => {
  for (const value of ['', '   ', 'x'.repeat(257), 'a\nb', 'a\0', 'é', '\u202e']) {
    assert.deepEqual(read({ 'x-claude-code-agent-id': value, 'x-claude-code-request-class': value }), none);
  }
  assert.equal(read({ 'x-claude-code-agent-id': 'x'.repeat(256) }).agentId?.length, 256);
});
