import type { Masked } from '../../extproc/masking/masked.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { documentOf } from './document.ts';

/** A document in which every field says something: a sub-agent's exchange with a skill, files, links and a batch. */
export function sampleDocument(overrides: Parameters<typeof documentOf>[0] = {}): Masked<ExchangeDocument> {
  return documentOf({
    id: 'sample-1',
    model: 'claude-sonnet-4-5',
    responseModel: 'claude-sonnet-4-5-20250929',
    agent: { id: 'agent-2', name: 'reviewer' },
    usage: {
      input_tokens: 1_012,
      output_tokens: 34,
      cache_read: { input_tokens: 700 },
      cache_creation: { input_tokens: 300 },
      reasoning: { output_tokens: 9 },
    },
    ...overrides,
    skilltape: {
      outcome_detail: 'end seen',
      endpoint: { name: 'messages', treatment: 'record' },
      noise: 'title',
      agent: { parent_id: 'agent-1', prompt_id: 'prompt-1', request_class: 'subagent' },
      skill: [
        { name: 'pdf', version: 'latest', source: 'container' },
        { name: 'brand-voice', version: '', source: 'tool' },
      ],
      decoded_detail: 'answer: its br is damaged or none',
      body: {
        request: { codings: ['gzip'], decoded_bytes: 4_096 },
        answer: { codings: ['br'], decoded_bytes: 512 },
      },
      skill_offered: ['brand-voice', 'quarterly-report'],
      file: [
        {
          id: 'file_011',
          role: 'produced',
          name: 'report.pdf',
          media_type: 'application/pdf',
          bytes: 4_096,
          hash: 'hash-of-file',
        },
        { id: 'file_012', role: 'referenced', name: '', media_type: '', bytes: null, hash: '' },
      ],
      link: [{ event_id: 'exchange-0', via: 'file' }],
      batch: { id: 'msgbatch_1', custom_id: 'first', size: 2 },
      usage: {
        uncached_input_tokens: 12,
        cache_creation_5m_input_tokens: 100,
        cache_creation_1h_input_tokens: 200,
        web_search_requests: 1,
        web_fetch_requests: 2,
        service_tier: 'standard',
      },
      verdict: {
        decision: 'deny',
        reasons: [{ rule: 'no_secrets', message: 'a key stands in the text' }],
        would: 'hold',
        would_reasons: [{ rule: 'tools_known', message: 'a tool is not known' }],
        lifted: 'access',
        lifted_reasons: [{ rule: 'request/skill_allowed', message: 'a skill is not allowed' }],
        lifted_grants: ['g-1'],
        lifted_by: ['grace'],
        lifted_why: ['the release is on Friday'],
        policy_revision: 'rev-1',
        record_policy_revision: 'rev-1',
      },
      retention_class: 'long',
      masking: {
        status: 'masked',
        reason: '',
        findings: [{ type: 'EMAIL', place: 'messages', count: 2 }],
        ...{ readable: ['IP'], whole: ['system'], dropped: ['tools'] },
      },
      truncated: true,
      history: { message_count: 3, prefix_hash: 'hash-of-prefix' },
      system: [{ type: 'text', text: 'You are terse.' }],
      tools: [{ name: 'bash', description: 'runs a command' }],
      error: { type: 'overloaded_error', message: 'try again' },
      ...overrides.skilltape,
    },
  });
}
