/** Managed agents (beta): the resources of a session. */
import { type Call, jsonBody, ok, param } from '../call.ts';
import type { Reply } from '../reply.ts';
import { pageByCursor } from '../storage/paging.ts';
import { findSession } from './session-routes.ts';

export async function addResource(call: Call): Promise<Reply> {
  return ok(findSession(call).resources.add(await jsonBody(call)));
}

export function listResources(call: Call): Reply {
  const { data, next_page } = pageByCursor(findSession(call).resources.list(), call.query);
  return ok({ data, next_page });
}

export function getResource(call: Call): Reply {
  return ok(findSession(call).resources.get(param(call, 'resource_id')));
}

export function updateResource(call: Call): Reply {
  return ok(findSession(call).resources.touch(param(call, 'resource_id')));
}

export function deleteResource(call: Call): Reply {
  const id = param(call, 'resource_id');
  findSession(call).resources.delete(id);
  return ok({ id, type: 'session_resource_deleted' });
}
