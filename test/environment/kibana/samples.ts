import { openElasticsearchIndex } from '../../../extproc/index/elasticsearch/open.ts';
import type { Masked } from '../../../extproc/masking/masked.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import { documentOf } from '../../builders/document.ts';
import { elasticsearchCall } from '../elasticsearch/call.ts';

type Sample = Parameters<typeof documentOf>[0] & { durationMs?: number; tools?: string[] };

const ada = { id: 'u-1', name: 'Ada', email: 'ada@example.org' };
/** Without mail addresses, and with the same name. */
const robot1 = { id: 'robot-1', name: 'Robot', email: '' };
const robot2 = { id: 'robot-2', name: 'Robot', email: '' };
const nothingUsed = { input_tokens: null, output_tokens: null };

/** Exchanges of every kind: lists with several values, lists without any, and values that are not there. */
const samples: readonly Sample[] = [
  {
    ...{ id: 'answered', time: '2026-01-15T10:10:00Z', user: ada, session: 's-1', durationMs: 1_000 },
    ...{ model: 'claude-a', usage: { input_tokens: 12, output_tokens: 30 }, tools: ['bash', 'read'] },
    skilltape: {
      skill: [
        { name: 'pdf', version: '1', source: 'container' },
        { name: 'pdf', version: '', source: 'tool' },
        { name: 'brand', version: '', source: 'tool' },
      ],
      masking: {
        status: 'masked',
        reason: '',
        findings: [
          { type: 'EMAIL', place: 'messages', count: 7 },
          { type: 'IBAN', place: 'messages', count: 1 },
        ],
        ...{ readable: [], whole: [], dropped: [] },
      },
    },
  },
  {
    ...{ id: 'answered-later', time: '2026-01-15T12:20:00Z', user: ada, session: 's-2', durationMs: 3_000 },
    ...{ model: 'claude-b', usage: { input_tokens: 5, output_tokens: 4 }, tools: ['bash'] },
    skilltape: {
      masking: {
        status: 'masked',
        reason: '',
        findings: [{ type: 'EMAIL', place: 'messages', count: 1 }],
        ...{ readable: [], whole: [], dropped: [] },
      },
    },
  },
  {
    ...{ id: 'listing', time: '2026-01-15T10:15:00Z', user: ada, session: 's-1', durationMs: 9_000 },
    ...{ model: '', usage: nothingUsed },
    skilltape: { noise: 'models', endpoint: { name: 'models.list', treatment: 'record' } },
  },
  {
    ...{ id: 'denied', time: '2026-01-15T10:30:00Z', user: robot1, session: 's-3', durationMs: 2_000 },
    ...{ model: 'claude-b', usage: nothingUsed, connection: 'sandbox' },
    skilltape: {
      outcome: 'denied',
      verdict: {
        decision: 'deny',
        reasons: [
          { rule: 'model_denied', message: 'not this model' },
          { rule: 'no_secrets', message: 'a key stands in the text' },
        ],
        would: null,
        would_reasons: [],
        ...{ lifted: null, lifted_reasons: [], lifted_grants: [], lifted_by: [], lifted_why: [] },
        policy_revision: 'rev-1',
        record_policy_revision: 'rev-1',
      },
    },
  },
  {
    ...{ id: 'held', time: '2026-01-15T12:40:00Z', user: robot2, session: 's-4', durationMs: 4_000 },
    ...{ model: 'claude-a', usage: nothingUsed },
    skilltape: {
      outcome: 'denied',
      verdict: {
        decision: 'hold',
        reasons: [{ rule: 'no_secrets', message: 'ask' }],
        would: 'deny',
        would_reasons: [{ rule: 'working_hours', message: 'at night' }],
        ...{ lifted: 'break_glass', lifted_reasons: [{ rule: 'budget', message: 'used up' }], lifted_grants: ['g-1'] },
        ...{ lifted_by: ['grace'], lifted_why: ['incident 42'] },
        policy_revision: 'rev-1',
        record_policy_revision: 'rev-1',
      },
    },
  },
  {
    ...{ id: 'refused', time: '2026-01-15T12:50:00Z', user: null, session: 's-5', durationMs: 5_000, model: '' },
    usage: nothingUsed,
    skilltape: {
      outcome: 'refused',
      outcome_detail: 'no identity',
      verdict: {
        decision: 'none',
        reasons: [],
        would: null,
        would_reasons: [],
        ...{ lifted: null, lifted_reasons: [], lifted_grants: [], lifted_by: [], lifted_why: [] },
        policy_revision: '',
        record_policy_revision: '',
      },
    },
  },
  {
    ...{ id: 'batch#1', time: '2026-01-15T12:55:00Z', user: robot2, session: 's-4', durationMs: 60_000 },
    ...{ action: 'batch_result', model: 'claude-a', usage: { input_tokens: 100, output_tokens: 200 } },
    skilltape: {
      outcome: 'upstream_error',
      skill: [{ name: 'pdf', version: '', source: 'container' }],
      masking: { status: 'failed', reason: 'a detector failed', findings: [], readable: [], whole: [], dropped: [] },
    },
  },
];

export function sampleDocuments(): Masked<ExchangeDocument>[] {
  return samples.map(({ durationMs = 0, tools = [], ...overrides }) => {
    const document = documentOf(overrides);
    document.event.duration = durationMs * 1_000_000;
    document.gen_ai.tool.name = tools;
    return document;
  });
}

/** Stores documents as shipping does, with the template of the product, and makes them findable. */
export async function storeDocuments(
  url: string,
  prefix: string,
  documents: readonly Masked<ExchangeDocument>[],
): Promise<void> {
  const options = { nodes: [url], caFile: undefined, credential: null, prefix };
  const limits = { numberOfReplicas: 0, refreshIntervalMs: 600_000, requestTimeoutMs: 20_000 };
  const faults: string[] = [];
  const index = await openElasticsearchIndex({ ...options, ...limits }, { keep: (_, reason) => faults.push(reason) });
  try {
    const deliveries = await index.deliver(documents);
    const refused = deliveries.filter(({ kind }) => kind !== 'accepted');
    if (refused.length > 0) throw new Error(`not stored: ${JSON.stringify(refused)} ${faults}`);
  } finally {
    await index.close();
  }
  await ask(url, 'POST', `/${prefix}-*/_refresh`);
}

/** One request that must be answered with 200. */
export async function ask(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const { status, text } = await elasticsearchCall({ url, method, path, body, timeoutMs: 60_000 });
  if (status === 200) return JSON.parse(text);
  throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
}
