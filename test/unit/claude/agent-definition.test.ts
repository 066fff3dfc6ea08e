import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AgentDefinition, agentModelsMax, readAgentDefinition } from '../../../extproc/claude/agent-definition.ts';
import type { JsonObject, JsonValue } from '../../../extproc/claude/json.ts';

function definitionOf(endpoint: string, value: JsonValue): AgentDefinition | null {
  const read = readAgentDefinition(endpoint, value);
  assert.ok(read.ok, read.ok ? '' : read.fault);
  return read.definition;
}

const everyAgentTool = ['bash', 'edit', 'glob', 'grep', 'read', 'web_fetch', 'web_search', 'write'];

test('the definition of an agent names its model, tools, skills and servers', () => {
  const definition = definitionOf('agents.create', {
    ...{ name: 'a', model: 'claude-opus-5-5', system: 's' },
    tools: [{ type: 'custom', name: 'lookup', description: 'd', input_schema: { model: { type: 'string' } } }],
    skills: [{ type: 'anthropic', skill_id: 'xlsx' }],
    mcp_servers: [{ type: 'url', name: 'crm', url: 'https://crm.test' }],
  });
  assert.deepEqual(definition, {
    models: ['claude-opus-5-5'],
    toolNames: ['lookup'],
    toolTypes: ['custom'],
    skills: [{ type: 'anthropic', id: 'xlsx', version: '' }],
    mcpServerNames: ['crm'],
    mcpServerHosts: ['crm.test'],
    mcpToolsets: [{ server: 'crm', host: 'crm.test', open: true, on: [], off: [] }],
  });
});

test('a model may be an object, and stand anywhere in a roster of agents', () => {
  const multiagent: JsonObject = {
    type: 'multiagent_20261001',
    advisor: { type: 'enabled', model: 'claude-mythos-1' },
    subagents: { type: 'enabled', predefined_agents: ['agent_1', { type: 'new_kind', nested: [{ model: 'm-2' }] }] },
  };
  const definition = definitionOf('agents.update', { model: { id: 'm-1', effort: 'high' }, multiagent });
  assert.deepEqual(definition?.models, ['m-1', 'claude-mythos-1', 'm-2']);
  const roster = { type: 'coordinator', agents: [{ type: 'advisor', model: 'm-3' }] };
  assert.deepEqual(definitionOf('agents.update', { multiagent: roster })?.models, ['m-3']);
  const tools = [{ type: 'advisor_20260301', name: 'advisor', model: 'm-4' }];
  assert.deepEqual(definitionOf('agents.create', { model: 'm-1', tools })?.models, ['m-1', 'm-4']);
});

test('a toolset brings all of its tools along, except those that it says are off', () => {
  const names = (toolset: JsonObject): string[] | undefined =>
    definitionOf('agents.create', { model: 'm', tools: [toolset] })?.toolNames;
  const type = 'agent_toolset_20260401';
  assert.deepEqual(names({ type }), everyAgentTool);
  assert.deepEqual(
    names({ type, configs: [{ name: 'bash', enabled: false }] }),
    everyAgentTool.filter((name) => name !== 'bash'),
  );
  assert.deepEqual(names({ type, default_config: { enabled: false } }), []);
  assert.deepEqual(names({ type, default_config: { enabled: false }, configs: [{ name: 'bash' }] }), ['bash']);
  assert.deepEqual(names({ type: 'mcp_toolset', mcp_server_name: 'crm', configs: [{ name: 'find' }] }), ['find']);
});

test('sessions, deployments and dreams define agents too, and an id defines nothing', () => {
  const agent = { type: 'agent_with_overrides', id: 'agent_1', model: 'm', tools: [{ name: 't' }] };
  for (const endpoint of ['sessions.create', 'sessions.update', 'deployments.create', 'deployments.update']) {
    assert.deepEqual(definitionOf(endpoint, { agent, model: 'ignored' })?.models, ['m'], endpoint);
    assert.equal(definitionOf(endpoint, { agent: 'agent_1' }), null);
    assert.equal(definitionOf(endpoint, { title: 't' }), null);
  }
  assert.deepEqual(definitionOf('dreams.create', { model: { id: 'm' }, inputs: [] })?.models, ['m']);
  assert.equal(definitionOf('memories.create', { content: 'c', model: 'm' }), null);
  assert.equal(definitionOf('agents.archive', {}), null);
});

test('a definition that cannot be judged has a fault that names the field', () => {
  const faults: [string, JsonValue, string][] = [
    ['agents.create', [], 'the body must be an object'],
    ['sessions.create', { agent: ['planted'] }, 'agent must be an object'],
    ['agents.create', { model: null }, 'model must be a non-empty string, or an object with one as id'],
    ['agents.create', { model: { id: '' } }, 'model must be a non-empty string, or an object with one as id'],
    [
      'agents.create',
      { multiagent: { advisor: { model: ['planted'] } } },
      'multiagent: model must be a non-empty string, or an object with one as id',
    ],
    ['sessions.create', { agent: { tools: {} } }, 'agent.tools must be an array'],
    ['agents.create', { tools: [{ name: 7 }] }, 'tools[0].name must be a string'],
    ['agents.create', { skills: 'planted' }, 'skills must be an array'],
    ['agents.create', { skills: [{ type: 'custom' }] }, 'skills[0].skill_id must be a string'],
    ['sessions.update', { agent: { mcp_servers: [7] } }, 'agent.mcp_servers[0] must be an object'],
  ];
  for (const [endpoint, value, fault] of faults) {
    assert.deepEqual(readAgentDefinition(endpoint, value), { ok: false, fault });
  }
});

test('a definition with more models than policy can judge in time has a fault', () => {
  const roster = (count: number) => ({ multiagent: Array.from({ length: count }, (_, at) => ({ model: `m-${at}` })) });
  assert.equal(definitionOf('agents.create', roster(agentModelsMax))?.models.length, agentModelsMax);
  assert.deepEqual(readAgentDefinition('agents.create', roster(agentModelsMax + 1)), {
    ok: false,
    fault: 'multiagent names more than 256 models',
  });
});
