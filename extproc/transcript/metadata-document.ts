import { endpointOf } from '../claude/endpoint.ts';
import type { Masked } from '../masking/masked.ts';
import { withoutContent } from '../masking/masked.ts';
import { notCoded } from './coded-body.ts';
import type { ExchangeDocument } from './document.ts';
import { userOf } from './draft.ts';
import { liftedOf } from './lifted.ts';
import { requestIdOf } from './our-fields.ts';
import type { Transcript } from './transcript.ts';

const methods = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);
const nanosecondsPerMs = 1_000_000;

/**
 * What is kept of an exchange that could not be read or masked, so that it can be found and its sealed record looked
 * up. Written field by field from what we, Envoy and the identity provider say: nothing of the bodies is looked at, so
 * what failed on them cannot fail again, and no new field of the draft comes in by itself (inv. 6). `reason` says in our
 * words why, without content.
 */
export function metadataDocument(
  transcript: Transcript,
  retentionClass: string,
  reason: string,
): Masked<ExchangeDocument> {
  const { exchangeId, startedMs, finishedMs, started, finished, decided } = transcript;
  const { outcome, status } = finished;
  const session = decided?.session ?? { id: exchangeId, source: 'exchange' };
  const endpoint = endpointOf(started.method, started.path);
  return withoutContent<ExchangeDocument>({
    '@timestamp': new Date(startedMs).toISOString(),
    event: {
      id: exchangeId,
      kind: 'event',
      action: 'exchange',
      outcome: outcome === 'complete' ? 'success' : 'failure',
      duration: Math.max(0, Math.round((finishedMs - startedMs) * nanosecondsPerMs)),
    },
    user: userOf(started.identity),
    source: { ip: started.sourceAddress },
    user_agent: { original: '' },
    url: { path: '' },
    http: {
      request: {
        id: requestIdOf(started.envoyRequestId),
        method: methods.has(started.method) ? started.method : '',
        body: { bytes: transcript.requestBytes },
      },
      response: { status_code: status, body: { bytes: transcript.answerBytes } },
    },
    gen_ai: {
      provider: { name: 'anthropic' },
      operation: { name: endpoint.kind === 'messages' ? 'chat' : endpoint.name },
      conversation: { id: session.id },
      request: { model: '', max_tokens: null, stream: false },
      response: { id: '', model: '', finish_reasons: [] },
      usage: noUsage,
      agent: { id: null, name: null },
      tool: { name: [] },
      input: { text: '' },
      output: { text: '' },
    },
    skilltape: {
      ...{ outcome, outcome_detail: '', connection: started.connection },
      endpoint: { name: endpoint.name, treatment: endpoint.treatment },
      noise: null,
      session: { id: session.id, source: session.source },
      agent: { parent_id: null, prompt_id: null, request_class: null },
      ...{ skill: [], skill_offered: [], file: [], link: [], batch: null },
      usage: nothingBilled,
      verdict: {
        ...{ decision: decided?.verdict ?? 'none', reasons: [] },
        ...{ would: decided?.observed?.verdict ?? null, would_reasons: [] },
        ...{ ...liftedOf(decided), lifted_reasons: [], lifted_why: [] },
        policy_revision: decided?.policyRevision ?? '',
        record_policy_revision: '',
      },
      keep: 'metadata',
      retention_class: retentionClass,
      masking: { status: 'failed', reason, findings: [], readable: [], whole: [], dropped: [] },
      ...{ decoded: false, decoded_detail: '', body: { request: notCoded, answer: notCoded }, truncated: false },
      history: { message_count: 0, prefix_hash: '' },
      ...{ request_hash: '', system: null, tools: null, new_messages: [], answer: null, error: null },
    },
  });
}

const noUsage: ExchangeDocument['gen_ai']['usage'] = {
  input_tokens: null,
  output_tokens: null,
  cache_read: { input_tokens: null },
  cache_creation: { input_tokens: null },
  reasoning: { output_tokens: null },
};

const nothingBilled: ExchangeDocument['skilltape']['usage'] = {
  uncached_input_tokens: null,
  cache_creation_5m_input_tokens: null,
  cache_creation_1h_input_tokens: null,
  web_search_requests: null,
  web_fetch_requests: null,
  service_tier: '',
};
