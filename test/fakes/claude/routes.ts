/** The part of the Claude API that the fake speaks: checks the key and the dialect, then answers by path. */
import type { IncomingHttpHeaders } from 'node:http';
import { type ExchangeIds, prepareAnswer } from './answer.ts';
import { type Behaviour, readDirectives, UnknownDirective } from './behaviour.ts';
import { InvalidRequest } from './messages-request.ts';
import { modelJson, modelsJson } from './models.ts';
import { errorReply, jsonReply, type Reply } from './reply.ts';
import { parseMessages, type ReceivedBody } from './request-body.ts';

export type RoutedRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: ReceivedBody;
};

export type RouteOptions = {
  readonly apiKey: string | undefined;
  /** What a request does unless a script step or a directive says otherwise. */
  readonly usual: Behaviour;
  /** Takes the next step off the script, if there is one. */
  readonly nextStep: () => Partial<Behaviour> | undefined;
};

const DIALECTS = ['2023-06-01', '2026-10-21'];

/** Chooses the answer and how it is sent. Throws nothing that a caller could cause. */
export async function route(
  request: RoutedRequest,
  options: RouteOptions,
  ids: ExchangeIds,
): Promise<{ reply: Reply; behaviour: Behaviour }> {
  const plain = (reply: Reply) => ({ reply, behaviour: { ...options.usual, ending: 'complete' as const } });
  const refusal = refuse(request.headers, options.apiKey, ids);
  if (refusal !== undefined) return plain(refusal);

  const path = request.path.split('?', 1)[0] ?? '';
  try {
    switch (`${request.method} ${path}`) {
      case 'POST /v1/messages':
        return await answerMessages(request, options, ids);
      case 'POST /v1/messages/count_tokens': {
        const { inputTokens } = await parseMessages(request.body, request.headers['content-encoding']);
        return plain(jsonReply(200, JSON.stringify({ input_tokens: inputTokens })));
      }
      case 'GET /v1/models':
        return plain(jsonReply(200, modelsJson()));
      default: {
        const model =
          request.method === 'GET' && path.startsWith('/v1/models/') ? modelJson(path.slice(11)) : undefined;
        return plain(model === undefined ? errorReply(ids.requestId, 404) : jsonReply(200, model));
      }
    }
  } catch (error) {
    if (error instanceof InvalidRequest || error instanceof UnknownDirective) {
      return plain(errorReply(ids.requestId, 400, error.message));
    }
    throw error;
  }
}

async function answerMessages(request: RoutedRequest, options: RouteOptions, ids: ExchangeIds) {
  const step = options.nextStep();
  const message = await parseMessages(request.body, request.headers['content-encoding']);
  const behaviour = { ...options.usual, ...(step ?? readDirectives(message.lastUserText)) };
  return { reply: await prepareAnswer(message, behaviour.answer, ids), behaviour };
}

/** Both dialects take the key in either header; only its presence counts unless one key is set. */
function refuse(headers: IncomingHttpHeaders, apiKey: string | undefined, ids: ExchangeIds): Reply | undefined {
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const keys = [headers['x-api-key'], bearer].filter((key) => typeof key === 'string' && key !== '');
  if (keys.length === 0) return errorReply(ids.requestId, 401, 'x-api-key header is required');
  if (apiKey !== undefined && !keys.includes(apiKey)) return errorReply(ids.requestId, 401);
  const version = headers['anthropic-version'];
  if (version === undefined) return errorReply(ids.requestId, 400, 'anthropic-version: header is required');
  if (!DIALECTS.includes(String(version))) {
    return errorReply(ids.requestId, 400, `anthropic-version: "${version}" is not a valid version`);
  }
  return undefined;
}
