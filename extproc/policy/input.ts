/** The documents that policies judge: facts, and no text of the exchange but a short excerpt that is not recorded. policies/README.md explains each field. */
import { z } from 'zod';
import { bodyForms } from '../claude/body-form.ts';
import { endpointNames } from '../claude/endpoint.ts';
import { endpointKinds, treatments } from '../claude/endpoint-table.ts';
import { ownedKinds } from '../claude/owned-ids.ts';
import { codings } from '../encoding/codings.ts';
import { findingPlaces } from '../masking/finding.ts';
import { tagNamePattern, weekdays } from './input-bounds.ts';
import { typeName } from './type-name.ts';

const text = z.string();
const texts = z.array(text);
const count = z.number().min(0);
const countOrNull = count.nullable();

/** What a clock on the wall shows in one time zone. */
const wallClock = z.strictObject({
  date: text,
  weekday: z.enum(weekdays),
  hour: count,
  minute: count,
  minute_of_day: count,
});

const accessFields = {
  version: z.literal(1),
  connection: z.strictObject({
    name: text,
    issuers: texts,
    recording: z.enum(['full', 'metadata']),
    data: z.record(text, z.unknown()),
  }),
  identity: z
    .strictObject({
      issuer: text,
      subject: text,
      kind: z.enum(['person', 'workload']),
      name: text,
      email: text,
      groups: texts,
    })
    .nullable(),
  authentication: z.strictObject({
    failure: z.enum(['missing', 'failed', 'two_credentials', 'wrong_issuer']).nullable(),
    detail: text,
  }),
  request: z.strictObject({
    method: text,
    path: text,
    endpoint: z.enum(endpointNames),
    endpoint_kind: z.enum(endpointKinds),
    endpoint_treatment: z.enum(treatments),
    body_form: z.enum(bodyForms),
    list_filtered: z.boolean(),
    content_type: text,
    content_encoding: text,
    content_length: countOrNull,
    betas: texts,
    anthropic_version: text,
    tags: z.record(z.string().regex(tagNamePattern), text),
  }),
  source: z.strictObject({ address: text }),
  time: text,
  clock: z.record(text, wallClock),
  /** What people allowed this identity on this connection for a time (extproc/grants). */
  grants: z.array(
    z.strictObject({ id: text, kind: z.enum(['access', 'break_glass']), skill: text, model: text, until: text }),
  ),
  owners: z.array(z.strictObject({ kind: z.enum(ownedKinds), owner: z.enum(['mine', 'others', 'unknown']), count })),
};

const skills = z.array(z.strictObject({ type: text, id: text, version: text }));

/** What of the tools of MCP servers the model has; see `claude/mcp-toolsets.ts`. */
const mcpToolsets = z.array(z.strictObject({ server: text, host: text, open: z.boolean(), on: texts, off: texts }));

const claudeFields = {
  model: text,
  models: texts,
  stream: z.boolean(),
  max_tokens: z.number().nullable(),
  message_count: count,
  new_message_count: count,
  tool_names: texts,
  tool_types: texts,
  mcp_server_names: texts,
  mcp_server_hosts: texts,
  mcp_toolsets: mcpToolsets,
  skills,
  has_system: z.boolean(),
  text_bytes: count,
};

const batch = z.strictObject({ size: count, requests: z.array(z.strictObject({ ...claudeFields, count })) });

const agent = z.strictObject({
  models: texts,
  tool_names: texts,
  tool_types: texts,
  mcp_server_names: texts,
  mcp_server_hosts: texts,
  mcp_toolsets: mcpToolsets,
  skills,
});

const upload = z.strictObject({
  bytes: count,
  count,
  extensions: texts,
  content_types: texts,
  parts: z.array(z.strictObject({ field: text, filename: text, content_type: text, bytes: count })),
  truncated: z.boolean(),
});

const sums = z.strictObject({
  requests: count,
  input_tokens: count,
  output_tokens: count,
  spend: count,
  unpriced_requests: count,
});

/** What the caller used before this request; nothing where no rule looks. */
const totals = z.strictObject({
  counted: z.boolean(),
  priced: z.boolean(),
  day: sums,
  session: sums,
  minute: z.strictObject({ requests: count }),
});

const requestFields = {
  ...accessFields,
  body: z.strictObject({
    bytes: count,
    decoded_bytes: count,
    codings: z.array(z.enum(codings)),
    status: z.enum(['parsed', 'unread', 'empty']),
    fault: text,
  }),
  claude: z.strictObject(claudeFields).nullable(),
  batch: batch.nullable(),
  agent: agent.nullable(),
  events: z.strictObject({ count, types: texts, text_bytes: count }).nullable(),
  upload: upload.nullable(),
  findings: z.array(z.strictObject({ type: typeName, place: z.enum(findingPlaces), count })),
  findings_complete: z.boolean(),
  totals,
};

/** Of the new text of a request, where a rule looks; nothing that is recorded has it. */
const excerpt = z.strictObject({ text, complete: z.boolean() });

const recordFields = {
  ...requestFields,
  answer: z.strictObject({
    outcome: text,
    status: countOrNull,
    stop_reason: text,
    model: text,
    input_tokens: countOrNull,
    output_tokens: countOrNull,
    tool_names: texts,
  }),
  verdict: z.strictObject({ decision: z.enum(['allow', 'deny', 'hold', 'none']) }),
};

/** Known from the headers, before any byte of the body. */
export const accessInput = z.strictObject(accessFields);
/** Known when the whole body was read; nothing has reached the upstream. */
export const requestInput = z.strictObject({ ...requestFields, excerpt });
/** Known when the exchange has ended. */
export const recordInput = z.strictObject(recordFields);

export type AccessInput = z.infer<typeof accessInput>;
export type RequestInput = z.infer<typeof requestInput>;
export type RecordInput = z.infer<typeof recordInput>;
export type ClaudeFacts = NonNullable<RequestInput['claude']>;
export type BatchFacts = NonNullable<RequestInput['batch']>;
export type UploadFacts = NonNullable<RequestInput['upload']>;
