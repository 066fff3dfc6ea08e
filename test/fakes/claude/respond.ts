/** Chooses the answer to one request and how it is sent: by script, by directive, or as usual. */
import type { IncomingHttpHeaders } from 'node:http';
import { checkAccess } from './access.ts';
import { composeAnswer } from './answer.ts';
import { ApiError } from './api-error.ts';
import type { Behaviour } from './behaviour.ts';
import type { Call, ExchangeIds } from './call.ts';
import { UnknownDirective } from './directives.ts';
import { createMessage, type DirectedReply } from './message-routes.ts';
import { InvalidRequest, skimMessagesRequest } from './messages-request.ts';
import { errorReply, type Reply } from './reply.ts';
import type { ReceivedBody } from './request-body.ts';
import type { Resources } from './resources.ts';
import { findRoute, MESSAGES } from './routes.ts';

export type ReceivedRequest = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: ReceivedBody;
};

export type RespondOptions = {
  readonly apiKey: string | undefined;
  /** What a request does unless a script step or a directive says otherwise. */
  readonly usual: Behaviour;
  /** Takes the next step off the script of a route, if there is one. */
  readonly nextStep: (route: string) => Partial<Behaviour> | undefined;
  readonly resources: Resources;
};

/** Throws nothing that a caller could cause. */
export async function respond(
  request: ReceivedRequest,
  options: RespondOptions,
  ids: ExchangeIds,
): Promise<DirectedReply> {
  try {
    return await choose(request, options, ids);
  } catch (error) {
    const behaviour = { ...options.usual, ending: 'complete' as const };
    return { reply: refusal(error, ids), behaviour };
  }
}

async function choose(request: ReceivedRequest, options: RespondOptions, ids: ExchangeIds): Promise<DirectedReply> {
  checkAccess(request.headers, options.apiKey);
  const { usual, resources } = options;
  const [path = '', query = ''] = request.path.split('?', 2);
  const route = findRoute(request.method, path);
  if (route === 'unknown') throw new ApiError(404, 'Not found');
  if (route === 'wrong_method') throw new ApiError(405, 'Method not allowed');
  const betas = readBetas(request.headers['anthropic-beta']);
  const search = new URLSearchParams(query);
  const isBeta = betas.size > 0 || search.get('beta') === 'true';
  const { headers, body } = request;
  const call = { headers, body, params: route.params, query: search, betas, isBeta, ids, resources };
  const step = options.nextStep(route.name);
  if (route.name === MESSAGES) return createMessage(call, usual, step);
  const behaviour = { ...usual, ...step };
  const scripted = step?.answer === undefined ? undefined : await replyOf(step.answer, behaviour, call);
  const reply = scripted ?? (await route.handle?.(call)) ?? errorReply(ids.requestId, 404);
  return { reply, behaviour };
}

/** An error, fixture or raw bytes in the place of what the route would answer. */
async function replyOf(answer: Behaviour['answer'], behaviour: Behaviour, call: Call): Promise<Reply | undefined> {
  const answered = await composeAnswer(skimMessagesRequest('', 0), { ...behaviour, answer }, call);
  return answered.kind === 'reply' ? answered.reply : undefined;
}

function readBetas(header: string | string[] | undefined): ReadonlySet<string> {
  const values = [header ?? []].flat().join(',').split(',');
  return new Set(values.map((value) => value.trim()).filter((value) => value !== ''));
}

function refusal(error: unknown, ids: ExchangeIds): Reply {
  if (error instanceof ApiError) return errorReply(ids.requestId, error.status, error.message, {}, error.details);
  if (error instanceof InvalidRequest || error instanceof UnknownDirective) {
    return errorReply(ids.requestId, 400, error.message);
  }
  throw error;
}
