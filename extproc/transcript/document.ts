import type { JsonValue } from '../claude/json.ts';
import type { Outcome } from '../exchange/outcome.ts';

/** For the folders behind this one, which do not know Claude's vocabulary. */
export type { JsonValue };

/** One rule that fired, in words for the person who was refused. */
export type DocumentReason = { rule: string; message: string };

/**
 * - `exchange`: one HTTP request and its answer.
 * - `batch_request`, `batch_result`: one prompt of a batch, and the answer to one, each found by itself; their
 *   `event.id` is the exchange's with a number behind it.
 */
export type DocumentAction = 'exchange' | 'batch_request' | 'batch_result';

/** A skill that came into use here, and what says so; `version` is empty when nothing names one. */
export type DocumentSkill = { name: string; version: string; source: string };

/** A file that the exchange carried or named. `hash` is keyed (inv. 6); empty where the bytes were not seen. */
export type DocumentFile = {
  id: string;
  role: 'uploaded' | 'downloaded' | 'referenced' | 'produced';
  name: string;
  media_type: string;
  bytes: number | null;
  hash: string;
};

/**
 * An earlier document of the same identity and connection that this one belongs to: Envoy's first attempt, the same
 * request sent before, where a file came from, the prompt of a batch that is answered here.
 */
export type DocumentLink = { event_id: string; via: 'attempt' | 'repeat' | 'file' | 'batch' };

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
    action: DocumentAction;
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
      reasoning: { output_tokens: number | null };
    };
    /** Claude Code's sub-agent, by its own headers: a caller's word about its own session. */
    agent: { id: string | null; name: string | null };
    tool: { name: string[] };
    /** The new turn as flat text, and the answer as flat text; capped, see `skilltape.truncated`. */
    input: { text: string };
    output: { text: string };
  };
  skilltape: {
    outcome: Outcome;
    outcome_detail: string;
    connection: string;
    endpoint: { name: string; treatment: string };
    /** Why this is no prompt of a person (`models`, `count_tokens`, `title`, `polling`); null when it may be one. */
    noise: string | null;
    session: { id: string; source: string };
    /** Claude Code's own words, by its headers: which prompt of a person this serves, and for which agent. */
    agent: { parent_id: string | null; prompt_id: string | null; request_class: string | null };
    skill: DocumentSkill[];
    /** Names of the skills that Claude Code offered to the model, where the list of them is new. */
    skill_offered: string[];
    file: DocumentFile[];
    link: DocumentLink[];
    batch: { id: string; custom_id: string; size: number | null } | null;
    /** What the API reports beside the OpenTelemetry counts, as it reports it; it is billed at other prices. */
    usage: {
      uncached_input_tokens: number | null;
      cache_creation_5m_input_tokens: number | null;
      cache_creation_1h_input_tokens: number | null;
      web_search_requests: number | null;
      web_fetch_requests: number | null;
      service_tier: string;
    };
    verdict: {
      decision: 'allow' | 'deny' | 'hold' | 'none';
      reasons: DocumentReason[];
      /** What rules would have decided that are recorded and not enforced, and why; null when they had nothing to say. */
      would: 'deny' | 'hold' | null;
      would_reasons: DocumentReason[];
      /**
       * Rules that did not count because of grants: the louder kind of these, the rules, the grants by their ids, who gave
       * them and why. Null where none was lifted.
       */
      lifted: 'access' | 'break_glass' | null;
      lifted_reasons: DocumentReason[];
      lifted_grants: string[];
      lifted_by: string[];
      lifted_why: string[];
      policy_revision: string;
      /** The policy that said what is kept: the exchange's own where it was still loaded, else the one then in force. */
      record_policy_revision: string;
    };
    keep: 'full' | 'metadata';
    retention_class: string;
    /**
     * What was found in the text that is kept here, and where, never the value. Of `failed`, why, in words of ours without
     * content; no text is kept then, and `skilltape remask` tries again. By policy: types and fields that were
     * not masked (but for secrets), and fields that are not kept.
     */
    masking: {
      status: 'masked' | 'failed';
      reason: string;
      findings: { type: string; place: string; count: number }[];
      readable: string[];
      whole: string[];
      dropped: string[];
    };
    /** False when a body could not be decoded or read; `decoded_detail` then says which and why. */
    decoded: boolean;
    decoded_detail: string;
    /** The content codings that the bodies came with, and their sizes without them; null: unknown, or without any. */
    body: {
      request: { codings: string[]; decoded_bytes: number | null };
      answer: { codings: string[]; decoded_bytes: number | null };
    };
    truncated: boolean;
    /** Messages of the request that were indexed with an earlier exchange; their text is not repeated here. */
    history: { message_count: number; prefix_hash: string };
    request_hash: string;
    /** The new messages, system prompt and tools when new, and the answer as the client's SDK assembles it. */
    system: JsonValue;
    tools: JsonValue;
    new_messages: JsonValue[];
    answer: JsonValue;
    error: JsonValue;
  };
};
