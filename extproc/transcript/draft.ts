import type { Agent } from '../claude/agent.ts';
import { agentOf } from '../claude/agent.ts';
import type { Endpoint } from '../claude/endpoint.ts';
import { endpointOf } from '../claude/endpoint.ts';
import { noiseOf } from '../claude/noise.ts';
import type { MessagesRequest } from '../claude/request.ts';
import { headerValue } from '../exchange/headers.ts';
import type { Identity } from '../exchange/identity.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import type { RecordDecision } from '../policy/decision.ts';
import type { ExchangeDocument } from './document.ts';
import { endingOf } from './ending.ts';
import { billedOf, genAiOf } from './gen-ai.ts';
import { liftedOf } from './lifted.ts';
import type { Reading } from './reading.ts';
import type { Brought, Recall } from './recall.ts';
import type { Transcript } from './transcript.ts';

export type DraftContext = {
  keyedHash: KeyedHash;
  /** `revision` is of the policy that made it; absent when none did. */
  decision: Pick<RecordDecision, 'keep' | 'retention_class' | 'masking'> & { revision?: string };
  recall: Recall;
};

/** A document before masking, and what later exchanges will find by it. */
export type Drafted = { draft: ExchangeDocument; brought: Brought };

/** What the headers of an exchange say about it; read once for the document and for those of its batch. */
export type Setting = {
  endpoint: Endpoint;
  agent: Agent;
  noise: string | null;
  session: { id: string; source: string };
};

export function settingOf({ started, decided, exchangeId }: Transcript, request: MessagesRequest | null): Setting {
  const header = (name: string) => headerValue(started.headers, name);
  const endpoint = endpointOf(started.method, started.path);
  const agent = agentOf(header);
  const userAgent = header('user-agent') ?? '';
  return {
    endpoint,
    agent,
    noise: noiseOf({ endpointName: endpoint.name, requestClass: agent.requestClass, request, userAgent }),
    session: decided?.session ?? { id: exchangeId, source: 'exchange' },
  };
}

const nanosecondsPerMs = 1_000_000;

/**
 * An index document before masking, never given to a sink: who, when, how it ended, without content. Flat texts stay
 * empty, they are derived from the masked blocks (`masked-document.ts`), so that nothing slips in between.
 */
export function frameOf(
  transcript: Transcript,
  reading: Reading,
  setting: Setting,
  { decision, keyedHash }: DraftContext,
): ExchangeDocument {
  const { started, finished, decided, exchangeId } = transcript;
  const { outcome, detail } = endingOf(transcript, reading);
  const { endpoint, agent, session } = setting;
  return {
    '@timestamp': new Date(transcript.startedMs).toISOString(),
    event: {
      id: exchangeId,
      kind: 'event',
      action: 'exchange',
      outcome: outcome === 'complete' ? 'success' : 'failure',
      duration: Math.max(0, Math.round((transcript.finishedMs - transcript.startedMs) * nanosecondsPerMs)),
    },
    user: userOf(started.identity),
    source: { ip: started.sourceAddress },
    user_agent: { original: headerValue(started.headers, 'user-agent') ?? '' },
    url: { path: started.path },
    http: {
      request: { id: started.envoyRequestId, method: started.method, body: { bytes: transcript.requestBytes } },
      response: { status_code: finished.status, body: { bytes: transcript.answerBytes } },
    },
    // `chat` is the OpenTelemetry name of the operation; the others have none there.
    gen_ai: genAiOf({
      operation: endpoint.kind === 'messages' ? 'chat' : endpoint.name,
      conversation: session.id,
      request: reading.request,
      message: reading.message,
      agent,
    }),
    skilltape: {
      outcome,
      outcome_detail: detail,
      connection: started.connection,
      endpoint: { name: endpoint.name, treatment: endpoint.treatment },
      noise: setting.noise,
      session,
      agent: { parent_id: agent.parentAgentId, prompt_id: agent.promptId, request_class: agent.requestClass },
      ...{ skill: [], skill_offered: [], file: [], link: [], batch: null },
      usage: billedOf(reading.message),
      verdict: {
        decision: decided?.verdict ?? 'none',
        reasons: [...(decided?.reasons ?? [])],
        would: decided?.observed?.verdict ?? null,
        would_reasons: [...(decided?.observed?.reasons ?? [])],
        ...liftedOf(decided),
        policy_revision: decided?.policyRevision ?? '',
        record_policy_revision: decision.revision ?? '',
      },
      keep: decision.keep,
      retention_class: decision.retention_class,
      masking: { status: 'masked', reason: '', findings: [], readable: [], whole: [], dropped: [] },
      decoded: reading.decoded,
      decoded_detail: reading.fault,
      body: reading.body,
      truncated: false,
      history: { message_count: 0, prefix_hash: '' },
      request_hash: keyedHash('request', transcript.requestBody),
      ...noContent,
    },
  };
}

export const noContent = { system: null, tools: null, new_messages: [], answer: null, error: null };

export function userOf(identity: Identity | null): ExchangeDocument['user'] {
  if (identity === null) return null;
  const { subject, name, email, groups, issuer } = identity;
  return { id: subject, name, email, roles: groups, domain: issuer };
}
