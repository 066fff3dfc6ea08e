/** Reads which models, tools, skills and servers a body gives to an agent of its own (managed agents, dreams). */
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { mcpHostsOf } from './mcp-host.ts';
import { type McpToolset, readMcpToolsets } from './mcp-toolsets.ts';
import type { SkillRef } from './request.ts';
import { readTools, toolDefinitions } from './request-tools.ts';

/** `models` also has those of advisors and sub-agents, `toolNames` also the tools that a toolset brings along. */
export type AgentDefinition = {
  models: string[];
  toolNames: string[];
  toolTypes: string[];
  skills: SkillRef[];
  mcpServerNames: string[];
  mcpServerHosts: string[];
  mcpToolsets: McpToolset[];
};

export type ReadDefinition = { ok: true; definition: AgentDefinition | null } | { ok: false; fault: string };

/** The tools of `agent_toolset_20260401`, by their names in the official SDK. */
const agentTools = ['bash', 'edit', 'glob', 'grep', 'read', 'web_fetch', 'web_search', 'write'];

/** Where a definition stands in the body: it is the body, or its field `agent` (an id there defines nothing). */
const placeByName: ReadonlyMap<string, 'body' | 'agent'> = new Map([
  ['agents.create', 'body'],
  ['agents.update', 'body'],
  ['dreams.create', 'body'],
  ['sessions.create', 'agent'],
  ['sessions.update', 'agent'],
  ['deployments.create', 'agent'],
  ['deployments.update', 'agent'],
]);

/** Policy judges each of them, while the request waits (inv. 10). */
export const agentModelsMax = 256;

/** Null for an endpoint whose bodies define no agent. `fault` names a field, never its value. */
export function readAgentDefinition(endpointName: string, value: JsonValue): ReadDefinition {
  const place = placeByName.get(endpointName);
  if (place === undefined) return { ok: true, definition: null };
  if (!isJsonObject(value)) return { ok: false, fault: 'the body must be an object' };
  if (place === 'body') return readDefinition(value, '');
  const { agent } = value;
  if (agent === undefined || typeof agent === 'string') return { ok: true, definition: null };
  return isJsonObject(agent) ? readDefinition(agent, 'agent.') : { ok: false, fault: 'agent must be an object' };
}

function readDefinition(agent: JsonObject, place: string): ReadDefinition {
  const tools = readTools(agent.tools ?? [], []);
  if (!tools.ok) return { ok: false, fault: `${place}${tools.fault}` };
  const faults: string[] = [];
  const models = new Set<string>();
  addModel(agent, place, models, faults);
  addModelsBelow(agent.multiagent, models, faults);
  for (const model of tools.models) models.add(model);
  if (models.size > agentModelsMax) faults.push(`${place}multiagent names more than ${agentModelsMax} models`);
  const toolsets = readMcpToolsets(agent.mcp_servers, toolDefinitions(agent.tools, []));
  if (!toolsets.ok) faults.push(`${place}${toolsets.fault}`);
  const definition = {
    models: [...models],
    toolNames: [...tools.names, ...toolsetNames(agent.tools)],
    toolTypes: tools.types,
    skills: objectsIn(agent.skills, `${place}skills`, faults).map((skill, at) => ({
      type: text(skill.type, `${place}skills[${at}].type`, faults),
      id: text(skill.skill_id, `${place}skills[${at}].skill_id`, faults),
      version: text(skill.version ?? '', `${place}skills[${at}].version`, faults),
    })),
    mcpServerNames: objectsIn(agent.mcp_servers, `${place}mcp_servers`, faults).map((server, at) =>
      text(server.name, `${place}mcp_servers[${at}].name`, faults),
    ),
    mcpServerHosts: mcpHostsOf(agent.mcp_servers),
    mcpToolsets: toolsets.ok ? toolsets.toolsets : [],
  };
  const [fault] = faults;
  return fault === undefined ? { ok: true, definition } : { ok: false, fault };
}

/** A model is its name, or an object with the name as `id`. */
function addModel(owner: JsonObject, place: string, models: Set<string>, faults: string[]): void {
  const { model } = owner;
  if (model === undefined) return;
  const name = isJsonObject(model) ? model.id : model;
  if (typeof name === 'string' && name !== '') models.add(name);
  else faults.push(`${place}model must be a non-empty string, or an object with one as id`);
}

/** Every `model` at any depth: in which part of a roster it stands makes no difference to what may be used. */
function addModelsBelow(value: JsonValue | undefined, models: Set<string>, faults: string[]): void {
  if (Array.isArray(value)) for (const item of value) addModelsBelow(item, models, faults);
  if (!isJsonObject(value)) return;
  addModel(value, 'multiagent: ', models, faults);
  for (const field of Object.values(value)) addModelsBelow(field, models, faults);
}

/**
 * The tools that toolsets bring along. A toolset of the agent's own has all of its tools unless it says otherwise of
 * one or of all; of an MCP server only the tools that are named are known.
 */
function toolsetNames(tools: JsonValue | undefined): string[] {
  const toolsets = Array.isArray(tools) ? tools.filter(isJsonObject) : [];
  return toolsets.flatMap((toolset) => {
    const isAgents = typeof toolset.type === 'string' && toolset.type.startsWith('agent_toolset_');
    const names = new Set(isAgents && enabledIn(toolset.default_config) ? agentTools : []);
    for (const config of Array.isArray(toolset.configs) ? toolset.configs.filter(isJsonObject) : []) {
      if (typeof config.name !== 'string') continue;
      if (enabledIn(config)) names.add(config.name);
      else names.delete(config.name);
    }
    return [...names];
  });
}

function enabledIn(config: JsonValue | undefined): boolean {
  return !isJsonObject(config) || config.enabled !== false;
}

function objectsIn(value: JsonValue | undefined, place: string, faults: string[]): JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    faults.push(`${place} must be an array`);
    return [];
  }
  return value.map((item, at) => {
    if (isJsonObject(item)) return item;
    faults.push(`${place}[${at}] must be an object`);
    return {};
  });
}

function text(value: JsonValue | undefined, place: string, faults: string[]): string {
  if (typeof value === 'string') return value;
  faults.push(`${place} must be a string`);
  return '';
}
