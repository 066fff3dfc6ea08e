/** Managed agents (beta): the agents themselves, each change a new version. */
import { type Call, jsonBody, ok, param } from '../call.ts';
import type { Json } from '../message.ts';
import { InvalidRequest, property } from '../messages-request.ts';
import type { Reply } from '../reply.ts';
import { pageByCursor } from '../storage/paging.ts';
import type { Document } from './json-store.ts';

/** What a caller sets, with the value that stands when it is left out. */
const SETTINGS: Json = {
  name: '',
  description: null,
  system: null,
  tools: [],
  mcp_servers: [],
  skills: [],
  metadata: {},
  multiagent: null,
  execution_identity: { type: 'service_account' },
};

const VERSIONS_MAX = 100;

export async function createAgent(call: Call): Promise<Reply> {
  const body = await jsonBody(call);
  const { agents, agentVersions, clock, nextAgentId } = call.resources;
  if (typeof property(body, 'name') !== 'string') throw new InvalidRequest('name: Field required');
  const model = property(body, 'model');
  if (model === undefined) throw new InvalidRequest('model: Field required');
  const now = clock.now();
  const dates = { created_at: now, updated_at: now, archived_at: null };
  const id = nextAgentId();
  const agent = { id, type: 'agent', version: 1, ...settings(body, SETTINGS), model: modelConfig(model), ...dates };
  agentVersions.put({ id, versions: [agent] });
  return ok(agents.put(agent));
}

export function listAgents(call: Call): Reply {
  const { data, next_page } = pageByCursor(call.resources.agents.newestFirst(), call.query);
  return ok({ data, next_page });
}

/** The newest version, or the one that `?version=` names. */
export function getAgent(call: Call): Reply {
  const version = call.query.get('version');
  const agent = call.resources.agents.find(param(call, 'agent_id'));
  if (version === null) return ok(agent);
  const found = versionsOf(call, agent.id).find((candidate) => String(property(candidate, 'version')) === version);
  if (found === undefined) throw new InvalidRequest(`agent ${agent.id} has no version ${version}`);
  return ok(found);
}

export async function updateAgent(call: Call): Promise<Reply> {
  const agent = call.resources.agents.find(param(call, 'agent_id'));
  const body = await jsonBody(call);
  const model = property(body, 'model');
  const changed = {
    ...agent,
    ...settings(body, agent),
    ...(model === undefined ? {} : { model: modelConfig(model) }),
  };
  return ok(keepVersion(call, changed));
}

export function archiveAgent(call: Call): Reply {
  const { agents, clock } = call.resources;
  const agent = agents.find(param(call, 'agent_id'));
  return ok(agents.put({ ...agent, archived_at: clock.now() }));
}

export function listAgentVersions(call: Call): Reply {
  const agent = call.resources.agents.find(param(call, 'agent_id'));
  const { data, next_page } = pageByCursor(versionsOf(call, agent.id), call.query);
  return ok({ data, next_page });
}

function keepVersion(call: Call, agent: Document): Document {
  const { agents, agentVersions, clock } = call.resources;
  const changed = { ...agent, version: Number(agent.version) + 1, updated_at: clock.now() };
  const versions = [changed, ...versionsOf(call, agent.id)].slice(0, VERSIONS_MAX);
  agentVersions.put({ id: agent.id, versions });
  return agents.put(changed);
}

function versionsOf(call: Call, id: string): readonly unknown[] {
  const { versions } = call.resources.agentVersions.find(id);
  return Array.isArray(versions) ? versions : [];
}

function settings(body: unknown, before: Json): Json {
  return Object.fromEntries(Object.keys(SETTINGS).map((key) => [key, property(body, key) ?? before[key]]));
}

function modelConfig(model: unknown): unknown {
  return typeof model === 'string' ? { id: model, speed: 'standard' } : model;
}
