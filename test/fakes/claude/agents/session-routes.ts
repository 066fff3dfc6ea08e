/** Managed agents (beta): sessions, their events and their threads. */
import { notFound } from '../api-error.ts';
import { type Call, jsonBody, ok, param, queryList } from '../call.ts';
import type { Json } from '../message.ts';
import { InvalidRequest, property } from '../messages-request.ts';
import type { Reply } from '../reply.ts';
import { pageByCursor } from '../storage/paging.ts';
import { Session } from './session.ts';
import { streamThread } from './session-stream.ts';

export async function createSession(call: Call): Promise<Reply> {
  const { sessions, clock, nextSessionId, sessionSeries } = call.resources;
  const body = await jsonBody(call);
  const agent = sessionAgent(call, property(body, 'agent'));
  const environmentId = property(body, 'environment_id');
  if (typeof environmentId !== 'string') throw new InvalidRequest('environment_id: Field required');
  const { id: environment_id } = call.resources.environments.find(environmentId);
  const settings = {
    environment_id,
    title: property(body, 'title') ?? null,
    metadata: property(body, 'metadata') ?? {},
    budget: property(body, 'budget') ?? null,
    vault_ids: property(body, 'vault_ids') ?? [],
  };
  const session = new Session({ id: nextSessionId(), agent, settings, createdAt: clock.now() }, sessionSeries, clock);
  const resources = property(body, 'resources');
  if (Array.isArray(resources)) for (const resource of resources) session.resources.add(resource);
  const initial = property(body, 'initial_events');
  if (initial !== undefined) session.post(initial);
  sessions.set(session.id, session);
  return ok(session.json());
}

export function listSessions(call: Call): Reply {
  const sessions = call.resources.sessions.newestFirst().map((session) => session.json());
  return ok(pageByCursor(sessions, call.query));
}

export function getSession(call: Call): Reply {
  return ok(findSession(call).json());
}

export async function updateSession(call: Call): Promise<Reply> {
  const session = findSession(call);
  const body = await jsonBody(call);
  const changes = ['title', 'metadata', 'budget', 'vault_ids'].flatMap((key) => {
    const value = property(body, key);
    return value === undefined ? [] : [[key, value] as const];
  });
  session.update(Object.fromEntries(changes));
  return ok(session.json());
}

export function archiveSession(call: Call): Reply {
  const session = findSession(call);
  session.archive();
  return ok(session.json());
}

export function deleteSession(call: Call): Reply {
  const session = findSession(call);
  session.end();
  call.resources.sessions.delete(session.id);
  return ok({ id: session.id, type: 'session_deleted' });
}

export async function sendEvents(call: Call): Promise<Reply> {
  const session = findSession(call);
  return ok({ data: session.post(property(await jsonBody(call), 'events')) });
}

export function listEvents(call: Call): Reply {
  const session = findSession(call);
  return ok(events(call, session, session.mainThreadId));
}

export function streamEvents(call: Call): Reply {
  const session = findSession(call);
  return streamThread(call, session, session.mainThreadId);
}

export function listThreads(call: Call): Reply {
  const { data, next_page } = pageByCursor(findSession(call).threads(), call.query);
  return ok({ data, next_page });
}

export function getThread(call: Call): Reply {
  return ok(findThread(call, findSession(call)));
}

export function archiveThread(call: Call): Reply {
  const session = findSession(call);
  return ok(session.archiveThread(String(findThread(call, session).id)));
}

export function listThreadEvents(call: Call): Reply {
  const session = findSession(call);
  return ok(events(call, session, String(findThread(call, session).id)));
}

export function streamThreadEvents(call: Call): Reply {
  const session = findSession(call);
  return streamThread(call, session, String(findThread(call, session).id));
}

/** Oldest first unless `order=desc`; `types[]` chooses some. */
function events(call: Call, session: Session, threadId: string) {
  const types = queryList(call, 'types');
  const chosen = session.log.eventsOf(threadId).filter(({ type }) => types === undefined || types.includes(type));
  const ordered = call.query.get('order') === 'desc' ? chosen.toReversed() : chosen;
  const { data, next_page } = pageByCursor(ordered, call.query);
  return { data, next_page };
}

export function findSession(call: Call): Session {
  const id = param(call, 'session_id');
  const session = call.resources.sessions.get(id);
  if (session === undefined) throw notFound(`session ${id}`);
  return session;
}

function findThread(call: Call, session: Session): Json {
  const id = param(call, 'thread_id');
  const thread = session.threads().find((candidate) => candidate.id === id);
  if (thread === undefined) throw notFound(`thread ${id}`);
  return thread;
}

/** The agent that the session names, by id or as an object that may change some of it. */
function sessionAgent(call: Call, named: unknown): Json {
  const id = typeof named === 'string' ? named : property(named, 'id');
  if (typeof id !== 'string') throw new InvalidRequest('agent: Field required');
  const { created_at: _, updated_at: __, archived_at: ___, metadata: ____, ...agent } = call.resources.agents.find(id);
  if (property(named, 'type') !== 'agent_with_overrides') return agent;
  const overrides = ['system', 'tools', 'mcp_servers', 'skills'].flatMap((key) => {
    const value = property(named, key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return { ...agent, ...Object.fromEntries(overrides) };
}
