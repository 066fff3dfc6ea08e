/** Input documents that the shipped policy lets through, and variants of them for each rule. */
import { bodyForms } from '../../extproc/claude/body-form.ts';
import { treatments } from '../../extproc/claude/endpoint-table.ts';
import type { ConsoleInput } from '../../extproc/policy/console.ts';
import type { AccessInput, ClaudeFacts, RecordInput, RequestInput } from '../../extproc/policy/input.ts';
import { noBodyFacts } from '../../extproc/policy/input-bounds.ts';

export function accessDocument(change: Partial<AccessInput> = {}): AccessInput {
  return {
    version: 1,
    connection: { name: 'claude', issuers: ['https://idp.example'], recording: 'full', data: {} },
    identity: {
      issuer: 'https://idp.example',
      subject: 'u-1',
      kind: 'person',
      name: 'Ada Example',
      email: 'ada@example.org',
      groups: ['staff'],
    },
    authentication: { failure: null, detail: '' },
    request: {
      method: 'POST',
      path: '/v1/messages',
      endpoint: 'messages.create',
      endpoint_kind: 'messages',
      endpoint_treatment: 'prompt',
      body_form: 'messages',
      list_filtered: false,
      content_type: 'application/json',
      content_encoding: 'identity',
      content_length: 120,
      betas: ['files-api-2025-04-14'],
      anthropic_version: '2023-06-01',
      tags: {},
    },
    source: { address: '192.0.2.7' },
    time: '2026-01-02T03:04:05.678Z',
    clock: { UTC: { date: '2026-01-02', weekday: 'fri', hour: 3, minute: 4, minute_of_day: 184 } },
    owners: [],
    grants: [],
    ...change,
  };
}

export function requestDocument(change: Partial<RequestInput> = {}): RequestInput {
  return {
    ...accessDocument(),
    body: { bytes: 120, decoded_bytes: 120, codings: [], status: 'parsed', fault: '' },
    ...noBodyFacts,
    claude: claudeFacts(),
    ...{ findings: [], findings_complete: true },
    totals: totalsFacts(),
    excerpt: { text: 'what does the plan say', complete: true },
    ...change,
  };
}

export function totalsFacts(day: Partial<RequestInput['totals']['day']> = {}): RequestInput['totals'] {
  const sums = { requests: 10, input_tokens: 1000, output_tokens: 500, spend: 1.5, unpriced_requests: 0 };
  return { counted: true, priced: true, day: { ...sums, ...day }, session: sums, minute: { requests: 3 } };
}

const mcpToolset = { server: 'docs', host: 'docs.example.com', open: true, on: ['find'], off: ['delete'] };

export function claudeFacts(change: Partial<ClaudeFacts> = {}): ClaudeFacts {
  return {
    model: 'claude-opus-5-5',
    models: [change.model ?? 'claude-opus-5-5'],
    stream: true,
    max_tokens: 1024,
    message_count: 3,
    new_message_count: 1,
    tool_names: ['bash'],
    tool_types: ['custom'],
    mcp_server_names: ['docs'],
    mcp_server_hosts: ['docs.example.com'],
    mcp_toolsets: [mcpToolset],
    skills: [{ type: 'anthropic', id: 'pdf', version: 'latest' }],
    has_system: true,
    text_bytes: 12,
    ...change,
  };
}

/** A document in which no field is null that can have fields of its own. */
export function fullRequestDocument(change: Partial<RequestInput> = {}): RequestInput {
  return requestDocument({
    batch: { size: 3, requests: [{ ...claudeFacts(), count: 3 }] },
    agent: {
      ...{ models: ['claude-opus-5-5'], tool_names: ['bash'], tool_types: ['custom'], mcp_server_names: ['docs'] },
      mcp_server_hosts: ['docs.example.com'],
      mcp_toolsets: [mcpToolset],
      skills: [{ type: 'custom', id: 'skill_1', version: '' }],
    },
    events: { count: 1, types: ['user.message'], text_bytes: 3 },
    upload: {
      ...{ bytes: 12, count: 1, extensions: ['md'], content_types: ['text/markdown'], truncated: false },
      parts: [{ field: 'file', filename: 'a.md', content_type: 'text/markdown', bytes: 12 }],
    },
    ...change,
  });
}

export function recordDocument(change: Partial<RecordInput> = {}): RecordInput {
  const { excerpt: _, ...judged } = fullRequestDocument();
  return {
    ...judged,
    answer: {
      outcome: 'complete',
      status: 200,
      stop_reason: 'end_turn',
      model: 'claude-opus-5-5',
      input_tokens: 10,
      output_tokens: 20,
      tool_names: ['bash'],
    },
    verdict: { decision: 'allow' },
    ...change,
  };
}

/** One document or more for each rule and branch of `access`. */
export function accessVariants(): AccessInput[] {
  const { identity, request } = accessDocument();
  const failures = ['missing', 'failed', 'two_credentials', 'wrong_issuer', null] as const;
  const details = ['Jwt is expired', 'a\u0000b\u001b[2J\ud800', 'ü', ''];
  const called = (change: Partial<AccessInput['request']>) => accessDocument({ request: { ...request, ...change } });
  const calledBy = (change: Partial<NonNullable<AccessInput['identity']>>) =>
    accessDocument({ identity: identity && { ...identity, ...change } });
  return [
    accessDocument(),
    ...failures.flatMap((failure) =>
      details.map((detail) => accessDocument({ identity: null, authentication: { failure, detail } })),
    ),
    accessDocument({ authentication: { failure: 'failed', detail: 'Jwt is expired' } }),
    calledBy({ issuer: 'https://other.example' }),
    calledBy({ subject: '' }),
    calledBy({ groups: ['suspended', '\ud800', '\u{1f600}', '__proto__'] }),
    ...['messages.create', 'batches.results', 'vaults.create', 'unknown', 'claude_code.remote.write'].flatMap(
      (endpoint) => treatments.map((endpoint_treatment) => called({ endpoint, endpoint_treatment })),
    ),
    ...bodyForms.flatMap((body_form) =>
      ['', 'application/json', 'multipart/form-data; boundary=----b'].flatMap((content_type) =>
        [null, 0, 1].map((content_length) => called({ body_form, content_type, content_length })),
      ),
    ),
    ...['', 'text/plain', 'Application/JSON ; charset=utf-8', 'application/json,text/plain', 'application/json\n'].map(
      (content_type) => called({ content_type }),
    ),
  ];
}

function bodyOf(bytes: number): Pick<RequestInput['body'], 'bytes' | 'decoded_bytes' | 'codings'> {
  return { bytes, decoded_bytes: bytes, codings: [] };
}

/** One document or more for each rule and branch of `request`. */
export function requestVariants(): RequestInput[] {
  const models = [
    'claude-sonnet-4-5',
    'claude-mythos-1',
    'gpt-x',
    '',
    'claude-opus-\ud800',
    'a\u0000b',
    'x'.repeat(90),
  ];
  const { request } = accessDocument();
  return [
    requestDocument(),
    ...accessVariants().map((access) => ({ ...requestDocument(), ...access })),
    ...models.map((model) => requestDocument({ claude: claudeFacts({ model }) })),
    ...(['parsed', 'unread', 'empty'] as const).flatMap((status) =>
      ['', 'unexpected end', 'a\nb'].map((fault) =>
        requestDocument({ claude: null, body: { bytes: 1, decoded_bytes: 0, codings: ['gzip'], status, fault } }),
      ),
    ),
    ...bodyForms.flatMap((body_form) =>
      (['parsed', 'unread', 'empty'] as const).flatMap((status) =>
        [requestDocument({ claude: null }), fullRequestDocument()].map((document) => ({
          ...document,
          request: { ...request, body_form },
          body: { ...bodyOf(status === 'empty' ? 0 : 1), status, fault: '' },
        })),
      ),
    ),
    fullRequestDocument({
      claude: null,
      batch: { size: 1, requests: [{ ...claudeFacts({ model: 'gpt-x' }), count: 1 }] },
    }),
    requestDocument({ claude: claudeFacts({ max_tokens: 1.5e300, text_bytes: Number.MAX_SAFE_INTEGER }) }),
  ];
}

/** One document or more for each branch of `record`. */
export function recordVariants(): RecordInput[] {
  const decisions = ['allow', 'deny', 'hold', 'none'] as const;
  return [
    ...decisions.map((decision) => recordDocument({ verdict: { decision } })),
    recordDocument({ identity: null, ...noBodyFacts }),
  ];
}

export function consoleDocument(change: Partial<ConsoleInput> = {}): ConsoleInput {
  return {
    version: 1,
    action: 'reveal',
    operator: { kind: 'os', name: 'ada', uid: 1000, groups: ['staff'] },
    person: { issuer: 'https://idp.example', subject: 'u-1', email: 'bob@example.org', groups: ['staff'] },
    ...{ connection: 'claude', session: 'session-1', exchange: 'exchange-1', retention_class: 'standard' },
    types: ['EMAIL'],
    values: 1,
    reason: 'incident 42: who was written to',
    last_hour: { operator_values: 0, person_values: 0 },
    time: '2026-01-02T03:04:05.678Z',
    ...change,
  };
}

function personVariants(): ConsoleInput[] {
  const person = {
    kind: 'person' as const,
    name: 'Grace',
    uid: -1,
    issuer: 'https://idp.example',
    home_issuer: 'https://idp.example',
  };
  const by = (subject: string, groups: string[], change: Partial<ConsoleInput> = {}) =>
    consoleDocument({ types: [], values: 0, operator: { ...person, subject, groups }, ...change });
  return [
    by('u-7', ['security'], { action: 'approvals', reason: '' }),
    by('u-7', ['security'], { action: 'decide', approvers: [['security']] }),
    by('u-7', ['security'], { action: 'decide', approvers: [['others']] }),
    by('u-1', ['security'], { action: 'decide' }),
    by('u-9', [], { action: 'decide' }),
    consoleDocument({
      ...{ types: [], values: 0, action: 'decide', approvers: [['security']] },
      operator: { ...person, issuer: 'https://other.example', subject: 'u-7', groups: ['security'] },
    }),
  ];
}

const bob = { issuer: 'https://idp.example', subject: 'u-1', email: 'bob@example.org', groups: ['staff'] };

/** One document or more for each rule and branch of `console`. */
export function consoleVariants(): ConsoleInput[] {
  const operator = (change: Partial<ConsoleInput['operator']>) =>
    consoleDocument({ operator: { ...consoleDocument().operator, ...change } });
  return [
    consoleDocument(),
    consoleDocument({ person: null }),
    consoleDocument({ action: 'decide', types: [], values: 0 }),
    { ...operator({ name: 'eve' }), action: 'decide' },
    ...(['stop', 'tail'] as const).map((action) => consoleDocument({ action, person: null, types: [], values: 0 })),
    ...personVariants(),
    consoleDocument({ action: 'decide', person: { ...bob, subject: 'u-9' } }),
    ...['', 'short', ' \t          ', 'ü'.repeat(10), '\ud800'.repeat(10)].map((reason) => consoleDocument({ reason })),
    ...[['EMAIL'], ['EMAIL', 'IP'], []].map((types) => consoleDocument({ types })),
    operator({ name: 'eve' }),
    operator({ name: 'eve', groups: ['incident'] }),
    consoleDocument({ connection: 'other' }),
    ...[0, 2, 3, 5, 6].map((values) => consoleDocument({ values })),
    consoleDocument({ last_hour: { operator_values: 5, person_values: 0 } }),
    consoleDocument({ last_hour: { operator_values: 0, person_values: 3 } }),
  ];
}
