/** Frames as Envoy sends them, with the parts that a test cares about. */
import type { Frame, JsonFacts } from '../../../extproc/exchange/frame.ts';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import { provider } from './rig.ts';

export const alice: JsonFacts = {
  iss: provider.issuer,
  sub: 'alice',
  name: 'Alice Ames',
  email: 'alice@example.org',
  groups: ['research'],
};

export function tokenOf(payload: JsonFacts): Record<string, JsonFacts> {
  return { 'envoy.filters.http.jwt_authn': { payload_idp: payload } };
}

export const question = JSON.stringify({
  model: 'claude-opus-5-5',
  max_tokens: 9,
  messages: [{ role: 'user', content: 'Hi' }],
});

export function requestHeaders(
  options: {
    method?: string;
    path?: string;
    headers?: HeaderList;
    endOfStream?: boolean;
    metadata?: Record<string, JsonFacts>;
    requestId?: string;
  } = {},
): Extract<Frame, { kind: 'request_headers' }> {
  const { method = 'POST', path = '/v1/messages', headers = [], endOfStream = false, requestId = 'r-1' } = options;
  return {
    kind: 'request_headers',
    headers: [
      [':method', method],
      [':path', path],
      ['content-type', 'application/json'],
      ['x-request-id', requestId],
      ...headers,
    ],
    endOfStream,
    metadata: options.metadata ?? tokenOf(alice),
    attributes: { 'source.address': '192.0.2.7:40000' },
  };
}

export function requestBody(text: string, endOfStream = false): Extract<Frame, { kind: 'request_body' }> {
  return { kind: 'request_body', body: Buffer.from(text), endOfStream };
}

/** A whole request as Envoy sends one with a content length: an empty body chunk ends it. */
export const wholeRequest: readonly Frame[] = [requestHeaders(), requestBody(question), requestBody('', true)];

export function answerHeaders(
  options: { status?: number; headers?: HeaderList; endOfStream?: boolean; codeDetails?: string } = {},
): Extract<Frame, { kind: 'response_headers' }> {
  const { status = 200, headers = [['content-type', 'application/json']], endOfStream = false } = options;
  return {
    kind: 'response_headers',
    headers: [[':status', String(status)], ...headers],
    endOfStream,
    attributes: { 'response.code': status, 'response.code_details': options.codeDetails ?? 'via_upstream' },
  };
}

export function answerBody(bytes: string | Uint8Array, endOfStream = false): Extract<Frame, { kind: 'response_body' }> {
  return { kind: 'response_body', body: Buffer.from(bytes), endOfStream };
}

export const eventStream: HeaderList = [['content-type', 'text/event-stream']];
export const eventDelta = 'event: content_block_delta\ndata: {"type":"content_block_delta"}\n\n';
export const eventStop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';
