import { bodyFormOf } from '../claude/body-form.ts';
import { endpointOf } from '../claude/endpoint.ts';
import { mediaTypeOf } from '../claude/media-type.ts';
import { usageOf } from '../claude/usage.ts';
import type { Coding } from '../encoding/codings.ts';
import { headerValue } from '../exchange/headers.ts';
import type { Decided } from '../exchange/record.ts';
import { notCounted } from '../exchange/totals.ts';
import { wallClocks } from '../exchange/wall-clock.ts';
import type { AccessInput, ClaudeFacts, RecordInput, RequestInput } from '../policy/input.ts';
import { noBodyFacts, noExcerpt } from '../policy/input-bounds.ts';
import { endingOf } from './ending.ts';
import { toolsUsed } from './gen-ai.ts';
import type { Reading } from './reading.ts';
import type { Transcript } from './transcript.ts';

/**
 * The policy input document of `record`: what was judged before, with the answer beside it; null when the exchange was
 * refused before there was anything to judge.
 */
export function recordInputOf(transcript: Transcript, reading: Reading): RecordInput | null {
  const { decided, finished } = transcript;
  if (decided === null) return null;
  const { message } = reading;
  const usage = usageOf(message);
  const { excerpt: _, ...judged } = judgedInputOf({ ...transcript, decided });
  return {
    ...judged,
    answer: {
      outcome: endingOf(transcript, reading).outcome,
      status: finished.status,
      stop_reason: typeof message?.stop_reason === 'string' ? message.stop_reason : '',
      model: typeof message?.model === 'string' ? message.model : '',
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      tool_names: toolsUsed(message),
    },
    verdict: { decision: decided.verdict },
  };
}

/** What is needed of a transcript to know what was judged. */
export type Judged = Pick<Transcript, 'started' | 'startedMs' | 'requestBytes'> & { decided: Decided };

/** The input as it was judged, with what inputs of earlier versions did not say; of stage `access` without body facts. */
export function judgedInputOf({ decided, started, startedMs, requestBytes: bytes }: Judged): RequestInput {
  const body = { bytes, decoded_bytes: bytes, codings: [], status: 'empty' as const, fault: '' };
  const empty = {
    body,
    ...noBodyFacts,
    findings: [],
    findings_complete: false,
    totals: notCounted,
    owners: [],
    grants: [],
    excerpt: noExcerpt,
  };
  const judged = decided.input as AccessInput & Partial<RequestInput>;
  return {
    ...empty,
    // An input of stage `access` has no body facts yet; the ones of `request` replace the empty ones.
    ...judged,
    ...rewordedSince(judged),
    clock: judged.clock ?? wallClocks(startedMs, []),
    request: { ...addedSince({ started }), ...judged.request },
  };
}

/** What the inputs did not say that skilltape 0.1.0 recorded; its journal is still shipped after an upgrade. */
function addedSince({
  started,
}: Pick<Transcript, 'started'>): Pick<
  AccessInput['request'],
  'endpoint_treatment' | 'body_form' | 'list_filtered' | 'tags'
> {
  const endpoint = endpointOf(started.method, started.path);
  const mediaType = mediaTypeOf(headerValue(started.headers, 'content-type') ?? '');
  return {
    endpoint_treatment: endpoint.treatment,
    body_form: bodyFormOf(endpoint, started.method, mediaType),
    list_filtered: false,
    tags: {},
  };
}

/** The same for what inputs of then said in other words: the models that may answer, and a body that was not read. */
function rewordedSince(judged: Partial<RequestInput>): Partial<RequestInput> {
  const { claude, batch, agent, body, connection, identity } = judged;
  const status: string | undefined = body?.status;
  return {
    ...(connection && { connection: withIssuers(connection) }),
    ...(identity && { identity: { ...identity, kind: identity.kind ?? 'person' } }),
    ...(claude && { claude: withThings(claude) }),
    ...(batch && { batch: { ...batch, requests: batch.requests.map(withThings) } }),
    ...(agent && { agent: withServers(agent) }),
    ...(body && {
      body: { ...withSizes(body), status: status === 'not_json' ? 'unread' : body.status },
    }),
  };
}

/** A connection had one issuer then, and nothing of its own for policies. */
function withIssuers({ issuer, ...connection }: AccessInput['connection'] & { issuer?: string }) {
  const issuers = issuer === undefined ? {} : { issuers: [issuer], recording: 'full' as const, data: {} };
  return { ...connection, ...issuers };
}

/** An encoded body was refused then. */
function withSizes<Body extends { bytes: number }>(body: Body): Body & { decoded_bytes: number; codings: Coding[] } {
  return { decoded_bytes: body.bytes, codings: [], ...body };
}

type Later = 'models' | 'mcp_server_hosts' | 'mcp_toolsets';

function withThings<Facts extends Omit<ClaudeFacts, Later>>(facts: Facts): Facts & Pick<ClaudeFacts, Later> {
  return { models: [facts.model], ...withServers(facts) };
}

/** What was said of the tools of a server is not known any more: it counts as one that is open. */
function withServers<Facts extends Partial<Pick<ClaudeFacts, ServerFacts>>>(facts: Facts) {
  const { mcp_server_names: names = [], mcp_server_hosts: hosts = hostsUnknown(facts) } = facts;
  const open = names.map((server) => ({ server, host: '', open: true, on: [], off: [] }));
  return { mcp_server_hosts: hosts, mcp_toolsets: open, ...facts };
}

type ServerFacts = 'mcp_server_names' | 'mcp_server_hosts' | 'mcp_toolsets';

/** An empty text is a host that could not be read. */
function hostsUnknown({ mcp_server_names: names = [] }: Partial<Pick<ClaudeFacts, 'mcp_server_names'>>): string[] {
  return names.length === 0 ? [] : [''];
}
