/** Managed agents (beta): the environments that sessions run in. */
import { type Call, jsonBody, ok, param } from '../call.ts';
import { InvalidRequest, property } from '../messages-request.ts';
import type { Reply } from '../reply.ts';
import { pageByCursor } from '../storage/paging.ts';

const CLOUD = {
  type: 'cloud',
  networking: { type: 'unrestricted' },
  packages: { type: 'packages', apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] },
};

export async function createEnvironment(call: Call): Promise<Reply> {
  const body = await jsonBody(call);
  const { environments, clock, nextEnvironmentId } = call.resources;
  const name = property(body, 'name');
  if (typeof name !== 'string') throw new InvalidRequest('name: Field required');
  const now = clock.now();
  const environment = {
    id: nextEnvironmentId(),
    type: 'environment',
    name,
    description: property(body, 'description') ?? null,
    config: { ...CLOUD, ...Object(property(body, 'config')) },
    metadata: property(body, 'metadata') ?? {},
    scope: property(body, 'scope') ?? 'organization',
    created_at: now,
    updated_at: now,
    archived_at: null,
  };
  return ok(environments.put(environment));
}

export function listEnvironments(call: Call): Reply {
  const { data, next_page } = pageByCursor(call.resources.environments.newestFirst(), call.query);
  return ok({ data, next_page });
}

export function getEnvironment(call: Call): Reply {
  return ok(call.resources.environments.find(param(call, 'environment_id')));
}

export async function updateEnvironment(call: Call): Promise<Reply> {
  const { environments, clock } = call.resources;
  const environment = environments.find(param(call, 'environment_id'));
  const body = await jsonBody(call);
  const changes = ['name', 'description', 'config', 'metadata', 'scope'].flatMap((key) => {
    const value = property(body, key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return ok(environments.put({ ...environment, ...Object.fromEntries(changes), updated_at: clock.now() }));
}

export function archiveEnvironment(call: Call): Reply {
  const { environments, clock } = call.resources;
  return ok(environments.put({ ...environments.find(param(call, 'environment_id')), archived_at: clock.now() }));
}

export function deleteEnvironment(call: Call): Reply {
  const id = param(call, 'environment_id');
  call.resources.environments.delete(id);
  return ok({ id, type: 'environment_deleted' });
}
