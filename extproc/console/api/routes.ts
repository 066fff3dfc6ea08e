/** The HTTP API: the same as the pages, for programs that act for a person. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sanitisedJson } from '../../terminal/sanitise.ts';
import type { Outcome } from '../approvals.ts';
import { type ConsoleContext, cookieNameOf, isOwnPost, overLimit, personOf, sessionOf } from '../context.ts';
import { decisionBody, faultsOf, wishOf } from '../decision.ts';
import { notOurs } from '../login-routes.ts';
import { idIn } from '../pages/ids.ts';
import { conflictWords } from '../pages/routes.ts';
import { nameOf, type Person } from '../person.ts';
import { overWords } from '../person-limits.ts';
import { accessHandlersOf } from './access-routes.ts';
import { type Answer, type Caller, type Handler, unknownCursor } from './answer.ts';
import { openApiDocument } from './openapi.ts';
import { apiPrefix, listQuery, type Operation, operations } from './operations.ts';
import { type Problem, problem, problemOf } from './problem.ts';
import { stopHandlersOf } from './stop-routes.ts';
import { documentOf } from './ticket-document.ts';

export function apiRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const handlers = handlersOf(context);
  for (const operation of operations) {
    const url = `${apiPrefix}${operation.path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
    app.route({
      method: operation.method,
      url,
      handler: (request, reply) => answer(request, reply, { context, operation, handler: handlers[operation.id] }),
    });
  }
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  { context, operation, handler }: { context: ConsoleContext; operation: Operation; handler: Handler | null },
): Promise<FastifyReply> {
  if (handler === null) return reply.send(openApiDocument(context.settings.origin, cookieNameOf(context, 'session')));
  const caller = await callerOf(request, context);
  if ('problem' in caller) {
    if (caller.problem.status === 401) reply.header('www-authenticate', 'Bearer');
    return problem(reply, caller.problem);
  }
  const limit = operation.method === 'GET' ? 'looksPerMinuteMax' : 'decisionsPerMinuteMax';
  const over = overLimit(context, caller.person, limit);
  if (over !== null) {
    return problem(reply.header('retry-after', String(over.retryAfterSeconds)), problemOf(429, overWords(over)));
  }
  if (operation.method !== 'GET' && !caller.isTrusted) {
    context.approvals.refused(caller.person, `${operation.id} by the API`, 'not sent by a page of the console');
    return problem(reply, problemOf(403, notOurs));
  }
  const answered = await handler(request, caller);
  if ('problem' in answered) return problem(reply, answered.problem);
  return reply.type('application/json').send(sanitisedJson(answered.ok));
}

/** A token goes before a cookie: who sends one means it. */
async function callerOf(request: FastifyRequest, context: ConsoleContext): Promise<Caller | { problem: Problem }> {
  const { authorization } = request.headers;
  if (authorization !== undefined) return bearerCaller(request, context, authorization);
  const session = sessionOf(request, context);
  if (session === null) return { problem: problemOf(401, 'Log in to the console, or send a token.') };
  const { csrfToken } = session;
  const isTrusted = isOwnPost(request, context, session, request.headers['x-csrf-token']);
  return { person: { ...personOf(session, request), via: 'api' }, csrfToken, isTrusted };
}

async function bearerCaller(
  request: FastifyRequest,
  { bearer, attempts }: ConsoleContext,
  authorization: string,
): Promise<Caller | { problem: Problem }> {
  const [, token] = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization) ?? [];
  const verified =
    token === undefined ? { kind: 'refused' as const, why: 'Send a token as Bearer.' } : await bearer.verify(token);
  switch (verified.kind) {
    case 'person': {
      const { identity, authenticatedMs } = verified;
      const person: Person = { identity, via: 'api', address: request.ip, authenticatedMs };
      // No browser adds it by itself to what another page has it send.
      return { person, csrfToken: null, isTrusted: true };
    }
    case 'refused':
      if (!attempts.take(request.ip))
        return { problem: problemOf(429, 'Too many tokens were refused. Wait a minute.') };
      return { problem: problemOf(401, verified.why) };
    case 'unreachable':
      return { problem: problemOf(503, verified.why) };
    default:
      return verified satisfies never;
  }
}

function handlersOf(context: ConsoleContext): Record<Operation['id'], Handler | null> {
  const { approvals, live } = context;
  return {
    ...accessHandlersOf(context),
    ...stopHandlersOf(context),
    getOpenApi: null,
    getMe: async (_request, { person: { identity }, csrfToken }) => {
      const { issuer, subject, groups } = identity;
      return { ok: { issuer, subject, name: nameOf(identity), groups, csrfToken } };
    },
    listApprovals: async (request, { person }) => {
      const query = listQuery.safeParse(request.query);
      if (!query.success) return { problem: problemOf(422, queryFaults) };
      const { state, limit, after } = query.data;
      const listed = await approvals.list(person, state, limit, after);
      if (listed === null) return { problem: problemOf(422, unknownCursor) };
      return { ok: { approvals: listed.tickets.map(documentOf), next: listed.next } };
    },
    getApproval: async (request, { person }) => {
      const ticket = idIn(request, 'ticket');
      if (ticket === null) return hidden;
      const seen = await approvals.read(person, ticket);
      return seen.kind === 'hidden' ? hidden : { ok: documentOf(seen.ticket) };
    },
    decideApproval: async (request, { person }) => {
      const ticket = idIn(request, 'ticket');
      if (ticket === null) return hidden;
      const body = decisionBody.safeParse(request.body);
      if (!body.success) return { problem: problemOf(422, faultsOf(body.error)) };
      const outcome = await approvals.decide(person, ticket, wishOf(body.data));
      if (outcome.kind === 'recorded') live.nudge();
      return answerTo(outcome);
    },
  };
}

const queryFaults =
  'The query may have `state` (live or all), `limit` (1 to 100) and `after` (`next` of the answer before).';

const hidden: Answer = { problem: problemOf(404, 'There is no such approval, or you may not see it.') };

function answerTo(outcome: Outcome): Answer {
  switch (outcome.kind) {
    case 'recorded':
      return { ok: documentOf(outcome.ticket) };
    case 'hidden':
      return hidden;
    case 'denied':
      return { problem: problemOf(403, 'Policy does not let you decide this.', { reasons: [...outcome.reasons] }) };
    case 'conflict': {
      const status = outcome.why === 'scope_not_offered' ? 422 : 409;
      return { problem: problemOf(status, conflictWords(outcome), { approval: documentOf(outcome.ticket) }) };
    }
    default:
      return outcome satisfies never;
  }
}
