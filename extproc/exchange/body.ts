import type { AgentDefinition } from '../claude/agent-definition.ts';
import { readAgentDefinition } from '../claude/agent-definition.ts';
import { readBatchRequest } from '../claude/batch.ts';
import { readCompletionRequest } from '../claude/completion-request.ts';
import type { JsonObject, JsonValue } from '../claude/json.ts';
import { parseStrictJson, requestMaxDepth, requestMaxTokens } from '../claude/json.ts';
import { idsNamedByBody, namedIdsMax, type OwnedId } from '../claude/owned-ids.ts';
import type { MessagesRequest } from '../claude/request.ts';
import { readMessagesRequest } from '../claude/request.ts';
import { readSentEvents } from '../claude/sent-events.ts';
import { textBytes } from '../claude/text-bytes.ts';
import type { Coding } from '../encoding/codings.ts';
import type { AccessInput, BatchFacts, RequestInput } from '../policy/input.ts';
import { inputMaxBytes, noBodyFacts, noExcerpt } from '../policy/input-bounds.ts';
import type { MultipartPart } from '../upload/multipart.ts';
import { readMultipart } from '../upload/multipart.ts';
import { batchFacts, claudeFacts } from './claude-facts.ts';
import type { EncodedPlace } from './decoded-body.ts';
import { decodedBody } from './decoded-body.ts';
import { excerptOf } from './excerpt.ts';
import type { RequestFacts } from './facts.ts';
import { uploadFacts } from './upload-facts.ts';

/** A request body as read: what it asks of Claude, or why it could not be read. */
export type ReadBody =
  | { kind: 'empty' }
  /** Sent to an endpoint that takes none: policy decides without it. */
  | { kind: 'unread' }
  | { kind: 'messages'; request: MessagesRequest; value: JsonValue }
  | { kind: 'batch'; batch: BatchFacts; value: JsonValue }
  | { kind: 'upload'; parts: MultipartPart[] }
  | { kind: 'json'; definition: AgentDefinition | null; events: JsonObject[] | null; value: JsonValue }
  | { kind: 'malformed'; fault: string };

/**
 * `findingsMaxChars`: how much of the text is searched for secrets and personal data, in UTF-16 units; absent where no
 * policy asks for it. `excerptMaxChars`: the same of the excerpt that a rule looks at.
 */
export type BodyPlace = Pick<RequestFacts, 'endpoint'> &
  EncodedPlace & { findingsMaxChars?: number; excerptMaxChars?: number };

/** What a search of a body for secrets and personal data says of it; at most `maxChars` UTF-16 units are searched. */
export type FindingsSearch = {
  request(value: JsonValue, maxChars: number): RequestFindings;
  batch(value: JsonValue, maxChars: number): RequestFindings;
  parts(parts: readonly MultipartPart[], maxChars: number): RequestFindings;
};

export type RequestFindings = Pick<RequestInput, 'findings' | 'findings_complete'>;

/** What is said of a body that was not searched: nobody must take it for one in which nothing is. */
export const notSearched: RequestFindings = { findings: [], findings_complete: false };

/** `search` is given where the body is to be searched. */
type SearchedPlace = BodyPlace & { search?: FindingsSearch };

/** Why a body cannot be judged; each is a reason of `refusal.ts`. */
export type BodyFaultReason =
  | 'body_malformed'
  | 'encoding_invalid'
  | 'decoded_body_too_large'
  | 'decoded_ratio_too_high';

/** A body as policy judges it, without its text; `fault` is not empty when it could not be read, and `reason` then counts. */
export type BodyFacts = {
  status: RequestInput['body']['status'];
  /** The size that was read: of an encoded body, when its codings were off. */
  decodedBytes: number;
  fault: string;
  reason: BodyFaultReason;
  facts: Partial<RequestInput>;
  findings: RequestFindings;
  excerpt: RequestInput['excerpt'];
  /** What it names of the things in Claude's workspace. */
  named: readonly OwnedId[];
  /** Of a messages request, its messages, system prompt and tools taken out. */
  request: MessagesRequest | null;
};

/**
 * Reads the body and takes what it names out of it; names that policy could not judge anyway are a fault. `letGo` as in
 * `parseStrictJson`.
 */
export function bodyFacts(place: SearchedPlace, body: Uint8Array, letGo?: () => void): BodyFacts {
  const decoded = decodedBody(place, body);
  if (!decoded.ok) return unreadBody(decodingReasons[decoded.fault], decoded.detail);
  const decodedBytes = decoded.bytes.length;
  const read = readBody(place, decoded.bytes, letGo);
  if (read.kind === 'malformed') return unreadBody('body_malformed', read.fault);
  const named = 'value' in read ? idsNamedByBody(read.value) : [];
  if (named === null) return unreadBody('body_malformed', tooManyIds);
  const facts = factsOf(read);
  if (decodedBytes > inputMaxBytes && JSON.stringify(facts).length > inputMaxBytes) {
    return unreadBody('body_malformed', tooManyNames);
  }
  const request = read.kind === 'messages' ? { ...read.request, messages: [], system: null, tools: null } : null;
  return {
    ...{ status: statusOf(read), decodedBytes, fault: '', reason: 'body_malformed' },
    ...{ facts, request, named, findings: findingsOf(read, place), excerpt: excerptIn(read, place) },
  };
}

/** A body that is refused for this. */
export function unreadBody(reason: BodyFaultReason, fault: string): BodyFacts {
  return {
    status: 'unread',
    decodedBytes: 0,
    fault,
    reason,
    facts: {},
    findings: notSearched,
    excerpt: noExcerpt,
    named: [],
    request: null,
  };
}

const decodingReasons = {
  invalid: 'encoding_invalid',
  too_large: 'decoded_body_too_large',
  ratio_too_high: 'decoded_ratio_too_high',
} as const;

const tooManyIds = `it names more than ${namedIdsMax} files, skills and other things`;

const tooManyNames = `it names more models, tools, skills or other things than ${inputMaxBytes} bytes can list`;

/** Reads the whole body, decoded, in the form that its endpoint takes. What cannot be read cannot be judged (inv. 2). */
function readBody(
  { endpoint, bodyForm, contentType }: BodyPlace,
  body: Uint8Array,
  letGo: (() => void) | undefined,
): ReadBody {
  if (body.length === 0) return { kind: 'empty' };
  switch (bodyForm) {
    case 'none':
      return { kind: 'unread' };
    case 'upload':
      return readUpload(contentType, body);
    case 'messages':
    case 'completion':
    case 'batch':
    case 'json': {
      const json = parseStrictJson(body, { maxDepth: requestMaxDepth, maxTokens: requestMaxTokens }, letGo);
      if (json.ok) return readJson(bodyForm, endpoint.name, json.value);
      const limit = json.fault === 'too_many_values' ? `; at most ${requestMaxTokens} commas and opening brackets` : '';
      return malformed(`${json.fault.replaceAll('_', ' ')} (${json.detail}${limit})`);
    }
    default:
      return bodyForm satisfies never;
  }
}

function readJson(form: 'messages' | 'completion' | 'batch' | 'json', endpoint: string, value: JsonValue): ReadBody {
  switch (form) {
    case 'messages':
    case 'completion': {
      const read = form === 'messages' ? readMessagesRequest(value) : readCompletionRequest(value);
      return read.ok ? { kind: 'messages', request: read.request, value } : malformed(read.fault);
    }
    case 'batch': {
      const read = readBatchRequest(value);
      if (!read.ok) return malformed(read.fault);
      const facts = batchFacts(read.entries);
      return facts.ok ? { kind: 'batch', batch: facts.batch, value } : malformed(facts.fault);
    }
    case 'json': {
      const read = readAgentDefinition(endpoint, value);
      if (!read.ok) return malformed(read.fault);
      const sent = readSentEvents(endpoint, value);
      if (!sent.ok) return malformed(sent.fault);
      return { kind: 'json', definition: read.definition, events: sent.events, value };
    }
    default:
      return form satisfies never;
  }
}

function readUpload(contentType: string, body: Uint8Array): ReadBody {
  const read = readMultipart(body, contentType);
  return read.ok ? { kind: 'upload', parts: read.parts } : malformed(read.fault);
}

function malformed(fault: string): ReadBody {
  return { kind: 'malformed', fault };
}

/** The policy input document of `request`: facts about the body, and of its text no more than the excerpt. */
export function requestInput(
  access: AccessInput,
  { status, decodedBytes, fault, facts, findings, excerpt }: BodyFacts,
  sent: { bytes: number; codings: readonly Coding[]; totals: RequestInput['totals'] },
): RequestInput {
  const { bytes, codings, totals } = sent;
  const body = { bytes, decoded_bytes: decodedBytes, codings: [...codings], status, fault };
  return { ...access, body, ...noBodyFacts, ...facts, ...findings, totals, excerpt };
}

function statusOf({ kind }: ReadBody): RequestInput['body']['status'] {
  if (kind === 'empty') return 'empty';
  return kind === 'unread' || kind === 'malformed' ? 'unread' : 'parsed';
}

function factsOf(read: ReadBody): Partial<RequestInput> {
  switch (read.kind) {
    case 'messages':
      return { claude: claudeFacts(read.request) };
    case 'batch':
      return { batch: read.batch };
    case 'upload':
      return { upload: uploadFacts(read.parts) };
    case 'json':
      return { agent: agentFacts(read.definition), events: eventFacts(read.events) };
    case 'empty':
    case 'unread':
    case 'malformed':
      return {};
    default:
      return read satisfies never;
  }
}

function findingsOf(read: ReadBody, { search, findingsMaxChars: maxChars }: SearchedPlace): RequestFindings {
  if (search === undefined || maxChars === undefined) return notSearched;
  switch (read.kind) {
    case 'messages':
    case 'json':
      return search.request(read.value, maxChars);
    case 'batch':
      return search.batch(read.value, maxChars);
    case 'upload':
      return search.parts(read.parts, maxChars);
    case 'empty':
      return { findings: [], findings_complete: true };
    case 'unread':
    case 'malformed':
      return notSearched;
    default:
      return read satisfies never;
  }
}

/** Where there is no prompt, nothing of one is left out. */
function excerptIn(read: ReadBody, { excerptMaxChars: maxChars }: BodyPlace): RequestInput['excerpt'] {
  if (maxChars === undefined || read.kind === 'unread' || read.kind === 'malformed') return noExcerpt;
  return 'value' in read ? excerptOf(read.value, maxChars) : { text: '', complete: true };
}

function agentFacts(definition: AgentDefinition | null): RequestInput['agent'] {
  if (definition === null) return null;
  const { models, skills } = definition;
  return {
    models,
    tool_names: definition.toolNames,
    tool_types: definition.toolTypes,
    mcp_server_names: definition.mcpServerNames,
    mcp_server_hosts: definition.mcpServerHosts,
    mcp_toolsets: definition.mcpToolsets,
    skills,
  };
}

function eventFacts(events: readonly JsonObject[] | null): RequestInput['events'] {
  if (events === null) return null;
  return {
    count: events.length,
    types: [...new Set(events.map(({ type }) => String(type)))],
    text_bytes: events.reduce((sum, event) => sum + textBytes(event), 0),
  };
}
