import { dialectOf } from '../claude/dialect.ts';
import type { Endpoint } from '../claude/endpoint.ts';
import { endpointOf } from '../claude/endpoint.ts';
import { parseStrictJson, requestMaxDepth, requestMaxTokens } from '../claude/json.ts';
import type { MessagesRequest } from '../claude/request.ts';
import { readMessagesRequest } from '../claude/request.ts';
import { flatText } from '../claude/text.ts';
import type { AccessInput, RequestInput } from '../policy/input.ts';
import type { Frame } from './frame.ts';
import type { HeaderList } from './headers.ts';
import { headerValue, splitTarget } from './headers.ts';
import type { Authentication } from './identity.ts';
import { authenticationOf } from './identity.ts';
import type { Connection } from './ports.ts';

/** What the headers of a request say, read once. */
export type RequestFacts = {
  method: string;
  path: string;
  query: Record<string, string>;
  endpoint: Endpoint;
  headers: HeaderList;
  authentication: Authentication;
  sourceAddress: string;
  envoyRequestId: string;
  contentType: string;
  contentEncoding: string;
};

/** `pathPrefix` is the route's own (`/sandbox`), which Envoy takes off on the way up. */
export function requestFacts(
  frame: Extract<Frame, { kind: 'request_headers' }>,
  connection: Connection,
  pathPrefix: string,
): RequestFacts {
  const target = headerValue(frame.headers, ':path') ?? '';
  const { path: wholePath, query } = splitTarget(target);
  const path = wholePath.startsWith(`${pathPrefix}/`) ? wholePath.slice(pathPrefix.length) : wholePath;
  const method = headerValue(frame.headers, ':method') ?? '';
  return {
    method,
    path,
    query,
    endpoint: endpointOf(method, path),
    headers: frame.headers,
    authentication: authenticationOf(frame.metadata, query, connection.identityProvider),
    sourceAddress: withoutPort(String(frame.attributes['source.address'] ?? '')),
    envoyRequestId: headerValue(frame.headers, 'x-request-id') ?? '',
    contentType: headerValue(frame.headers, 'content-type') ?? '',
    contentEncoding: contentEncodingOf(frame.headers),
  };
}

/** Repeated headers mean the same as one with commas: the upstream would decode by all of them. */
function contentEncodingOf(headers: HeaderList): string {
  const values = headers.filter(([name]) => name === 'content-encoding').map(([, value]) => value.toLowerCase());
  return values.join(', ') || 'identity';
}

function withoutPort(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** The policy input document of `access`: everything known before the body. */
export function accessInput(facts: RequestFacts, connection: Connection, timeMs: number): AccessInput {
  const { authentication } = facts;
  const length = Number(headerValue(facts.headers, 'content-length') ?? Number.NaN);
  const dialect = dialectOf((name) => headerValue(facts.headers, name), facts.query.beta === 'true' ? 'beta=true' : '');
  return {
    version: 1,
    connection: {
      name: connection.name,
      issuer: connection.identityProvider.issuer,
    },
    identity: authentication.kind === 'verified' ? authentication.identity : null,
    authentication:
      authentication.kind === 'verified'
        ? { failure: null, detail: '' }
        : { failure: authentication.failure, detail: authentication.detail },
    request: {
      method: facts.method,
      path: facts.path,
      endpoint: facts.endpoint.name,
      endpoint_kind: facts.endpoint.kind,
      content_type: facts.contentType,
      content_encoding: facts.contentEncoding,
      content_length: Number.isSafeInteger(length) && length >= 0 ? length : null,
      betas: dialect.betas,
      anthropic_version: dialect.version,
    },
    source: { address: facts.sourceAddress },
    time: new Date(timeMs).toISOString(),
  };
}

/** A request body as read: what it asks of Claude, or why it could not be read. */
export type ReadBody =
  | { kind: 'empty' }
  /** Sent to an endpoint whose bodies are not known: policy decides without it. */
  | { kind: 'unread' }
  | { kind: 'messages'; request: MessagesRequest }
  | { kind: 'malformed'; fault: string };

/** Reads the whole body of an endpoint that carries a messages request; other bodies are not looked into. */
export function readBody(facts: RequestFacts, body: Uint8Array): ReadBody {
  if (body.length === 0) return { kind: 'empty' };
  if (facts.endpoint.kind !== 'messages' && facts.endpoint.kind !== 'count_tokens') return { kind: 'unread' };
  const json = parseStrictJson(body, { maxDepth: requestMaxDepth, maxTokens: requestMaxTokens });
  if (!json.ok) return { kind: 'malformed', fault: `${json.fault.replaceAll('_', ' ')} (${json.detail})` };
  const read = readMessagesRequest(json.value);
  return read.ok ? { kind: 'messages', request: read.request } : { kind: 'malformed', fault: read.fault };
}

const bodyStatus = { empty: 'empty', unread: 'not_json', malformed: 'not_json', messages: 'parsed' } as const;

/** The policy input document of `request`: facts about the body, never its text. */
export function requestInput(access: AccessInput, read: ReadBody, bytes: number): RequestInput {
  return {
    ...access,
    body: { bytes, status: bodyStatus[read.kind], fault: read.kind === 'malformed' ? read.fault : '' },
    claude: read.kind === 'messages' ? claudeFacts(read.request) : null,
  };
}

function claudeFacts(request: MessagesRequest): RequestInput['claude'] {
  const lastAnswer = request.messages.findLastIndex(({ role }) => role === 'assistant');
  const newTurns = request.messages.slice(lastAnswer + 1);
  return {
    model: request.model,
    stream: request.stream,
    max_tokens: request.maxTokens,
    message_count: request.messages.length,
    new_message_count: newTurns.length,
    tool_names: request.toolNames,
    tool_types: request.toolTypes,
    mcp_server_names: request.mcpServerNames,
    skills: request.skills,
    has_system: request.system !== null,
    text_bytes: newTurns.reduce((sum, { content }) => sum + Buffer.byteLength(flatText(content)), 0),
  };
}
