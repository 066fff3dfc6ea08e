/** The documents that policies judge: facts, never text of the exchange. policies/README.md explains each field. */
import { z } from 'zod';

const text = z.string();
const texts = z.array(text);
const count = z.number().min(0);
const countOrNull = count.nullable();

/** Beyond this size of its JSON a document is not judged but refused. */
export const inputMaxBytes = 64 * 1024;

const accessFields = {
  version: z.literal(1),
  connection: z.strictObject({ name: text, issuer: text }),
  identity: z.strictObject({ issuer: text, subject: text, name: text, email: text, groups: texts }).nullable(),
  authentication: z.strictObject({
    failure: z.enum(['missing', 'failed', 'two_credentials', 'wrong_issuer']).nullable(),
    detail: text,
  }),
  request: z.strictObject({
    method: text,
    path: text,
    endpoint: text,
    endpoint_kind: text,
    content_type: text,
    content_encoding: text,
    content_length: countOrNull,
    betas: texts,
    anthropic_version: text,
  }),
  source: z.strictObject({ address: text }),
  time: text,
};

const requestFields = {
  ...accessFields,
  body: z.strictObject({ bytes: count, status: z.enum(['parsed', 'not_json', 'empty']), fault: text }),
  claude: z
    .strictObject({
      model: text,
      stream: z.boolean(),
      max_tokens: z.number().nullable(),
      message_count: count,
      new_message_count: count,
      tool_names: texts,
      tool_types: texts,
      mcp_server_names: texts,
      skills: z.array(z.strictObject({ type: text, id: text, version: text })),
      has_system: z.boolean(),
      text_bytes: count,
    })
    .nullable(),
};

const recordFields = {
  ...requestFields,
  answer: z
    .strictObject({
      outcome: text,
      status: countOrNull,
      stop_reason: text,
      model: text,
      input_tokens: countOrNull,
      output_tokens: countOrNull,
      tool_names: texts,
    })
    .nullable(),
  verdict: z.strictObject({ decision: z.enum(['allow', 'deny', 'hold', 'none']) }),
};

/** Known from the headers, before any byte of the body. */
export const accessInput = z.strictObject(accessFields);
/** Known when the whole body was read; nothing has reached the upstream. */
export const requestInput = z.strictObject(requestFields);
/** Known when the exchange has ended. */
export const recordInput = z.strictObject(recordFields);

export type AccessInput = z.infer<typeof accessInput>;
export type RequestInput = z.infer<typeof requestInput>;
export type RecordInput = z.infer<typeof recordInput>;
