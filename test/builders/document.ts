import type { Masked } from '../../extproc/masking/masked.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';

type Overrides = {
  id?: string;
  time?: string;
  user?: Partial<NonNullable<ExchangeDocument['user']>> | null;
  input?: string;
  output?: string;
  model?: string;
  session?: string;
  connection?: string;
  action?: ExchangeDocument['event']['action'];
  usage?: Partial<ExchangeDocument['gen_ai']['usage']>;
  agent?: Partial<ExchangeDocument['gen_ai']['agent']>;
  responseModel?: string;
  skilltape?: Partial<ExchangeDocument['skilltape']>;
};

const defaultUser = {
  id: 'u-1',
  name: 'Ada Example',
  email: 'ada@example.org',
  roles: ['research'],
  domain: 'https://login.example.org',
};

/** Nothing reported: the part of a document that a test fills in as it needs. */
export const noBilledUsage: ExchangeDocument['skilltape']['usage'] = {
  uncached_input_tokens: null,
  cache_creation_5m_input_tokens: null,
  cache_creation_1h_input_tokens: null,
  web_search_requests: null,
  web_fetch_requests: null,
  service_tier: '',
};

/** A complete, allowed exchange of one user message and one answer; the tests' only maker of masked values. */
export function documentOf(overrides: Overrides = {}): Masked<ExchangeDocument> {
  const { input = 'What is a tape?', output = 'A strip that records.', model = 'claude-sonnet-4-5' } = overrides;
  const document: ExchangeDocument = {
    '@timestamp': overrides.time ?? '2026-01-15T10:00:00.000Z',
    event: {
      id: overrides.id ?? 'exchange-1',
      kind: 'event',
      action: overrides.action ?? 'exchange',
      outcome: 'success',
      duration: 1_500_000_000,
    },
    user: overrides.user === null ? null : { ...defaultUser, ...overrides.user },
    source: { ip: '192.0.2.7' },
    user_agent: { original: 'anthropic-sdk' },
    url: { path: '/v1/messages' },
    http: {
      request: { id: 'r-1', method: 'POST', body: { bytes: 120 } },
      response: { status_code: 200, body: { bytes: 340 } },
    },
    gen_ai: {
      provider: { name: 'anthropic' },
      operation: { name: 'chat' },
      conversation: { id: overrides.session ?? 'session-1' },
      request: { model, max_tokens: 1024, stream: true },
      response: { id: 'msg_1', model: overrides.responseModel ?? model, finish_reasons: ['end_turn'] },
      usage: {
        input_tokens: 12,
        output_tokens: 34,
        cache_read: { input_tokens: null },
        cache_creation: { input_tokens: null },
        reasoning: { output_tokens: null },
        ...overrides.usage,
      },
      agent: { id: null, name: null, ...overrides.agent },
      tool: { name: [] },
      input: { text: input },
      output: { text: output },
    },
    skilltape: {
      outcome: 'complete',
      outcome_detail: '',
      connection: overrides.connection ?? 'claude',
      endpoint: { name: 'messages', treatment: 'record' },
      noise: null,
      session: { id: overrides.session ?? 'session-1', source: 'header' },
      agent: { parent_id: null, prompt_id: null, request_class: null },
      skill: [],
      skill_offered: [],
      file: [],
      link: [],
      batch: null,
      usage: { ...noBilledUsage, uncached_input_tokens: 12, service_tier: 'standard' },
      verdict: {
        decision: 'allow',
        reasons: [],
        would: null,
        would_reasons: [],
        ...{ lifted: null, lifted_reasons: [], lifted_grants: [], lifted_by: [], lifted_why: [] },
        policy_revision: 'rev-1',
        record_policy_revision: 'rev-1',
      },
      keep: 'full',
      retention_class: 'standard',
      masking: { status: 'masked', reason: '', findings: [], readable: [], whole: [], dropped: [] },
      decoded: true,
      decoded_detail: '',
      body: { request: { codings: [], decoded_bytes: null }, answer: { codings: [], decoded_bytes: null } },
      truncated: false,
      history: { message_count: 0, prefix_hash: '' },
      request_hash: 'hash-1',
      system: null,
      tools: null,
      new_messages: [{ role: 'user', content: input }],
      answer: { role: 'assistant', content: [{ type: 'text', text: output }], stop_reason: 'end_turn' },
      error: null,
      ...overrides.skilltape,
    },
  };
  return document as Masked<ExchangeDocument>;
}

export function maskedText(text: string): Masked<string> {
  return text as Masked<string>;
}
