import type { Outcome } from '../exchange/outcome.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** One rule that fired, in words for the person who was refused. */
export type DocumentReason = { rule: string; message: string };

/**
 * What is searched: one immutable document per exchange, holding what is new in it. Field names follow ECS and the
 * OpenTelemetry `gen_ai` conventions; what neither has stands under `skilltape`. Every string in it is masked before
 * a sink sees it. Durations are nanoseconds (ECS `event.duration`), times ISO 8601 in UTC, sizes bytes.
 */
export type ExchangeDocument = {
  '@timestamp': string;
  event: {
    id: string;
    kind: 'event';
    action: 'exchange';
    outcome: 'success' | 'failure';
    duration: number;
  };
  user: {
    id: string;
    name: string;
    email: string;
    roles: string[];
    domain: string;
  } | null;
  source: { ip: string };
  user_agent: { original: string };
  url: { path: string };
  http: {
    request: { id: string; method: string; body: { bytes: number } };
    response: { status_code: number | null; body: { bytes: number } };
  };
  gen_ai: {
    provider: { name: 'anthropic' };
    operation: { name: string };
    conversation: { id: string };
    request: { model: string; max_tokens: number | null; stream: boolean };
    response: { id: string; model: string; finish_reasons: string[] };
    usage: {
      input_tokens: number | null;
      output_tokens: number | null;
      cache_read: { input_tokens: number | null };
      cache_creation: { input_tokens: number | null };
    };
    tool: { name: string[] };
    /** The new turn as flat text, and the answer as flat text; capped, see `skilltape.truncated`. */
    input: { text: string };
    output: { text: string };
  };
  skilltape: {
    outcome: Outcome;
    outcome_detail: string;
    connection: string;
    session: { id: string; source: string };
    verdict: {
      decision: 'allow' | 'deny' | 'hold' | 'none';
      reasons: DocumentReason[];
      policy_revision: string;
    };
    keep: 'full' | 'metadata';
    masking: {
      status: 'masked' | 'failed';
      findings: { type: string; count: number }[];
    };
    decoded: boolean;
    truncated: boolean;
    /** Messages of the request that were indexed with an earlier exchange; their text is not repeated here. */
    history: { message_count: number; prefix_hash: string };
    request_hash: string;
    /** The new messages, the system prompt when new, and the answer as the client's SDK assembles it. */
    system: JsonValue;
    new_messages: JsonValue[];
    answer: JsonValue;
    error: JsonValue;
  };
};
