import { endpointOf } from '../claude/endpoint.ts';
import type { JsonObject, JsonValue } from '../claude/json.ts';
import { isJsonObject } from '../claude/json.ts';
import { slimBlocks } from '../claude/text.ts';
import { usageOf } from '../claude/usage.ts';
import { headerValue } from '../exchange/headers.ts';
import type { Identity } from '../exchange/identity.ts';
import type { RecordDecision } from '../policy/decision.ts';
import type { ExchangeDocument } from './document.ts';
import { endingOf } from './ending.ts';
import type { Reading } from './reading.ts';
import type { Transcript } from './transcript.ts';
import type { NewTurns } from './turns.ts';

const nanosecondsPerMs = 1_000_000;

/**
 * The index document before masking: never given to a sink. Flat texts are left empty, they are derived from the
 * masked blocks (`masked-document.ts`), so that nothing is masked twice and nothing slips in between.
 */
export function draftDocument(
  transcript: Transcript,
  reading: Reading,
  turns: NewTurns,
  keep: RecordDecision['keep'],
  requestHash: string,
): ExchangeDocument {
  const { started, finished, decided } = transcript;
  const { outcome, detail } = endingOf(transcript, reading);
  return {
    '@timestamp': new Date(transcript.startedMs).toISOString(),
    event: {
      id: transcript.exchangeId,
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
      request: {
        id: started.envoyRequestId,
        method: started.method,
        body: { bytes: transcript.requestBody.length },
      },
      response: { status_code: finished.status, body: { bytes: transcript.answerBody.length } },
    },
    gen_ai: genAi(transcript, reading),
    skilltape: {
      outcome,
      outcome_detail: detail,
      connection: started.connection,
      session: decided?.session ?? { id: transcript.exchangeId, source: 'exchange' },
      verdict: {
        decision: decided?.verdict ?? 'none',
        reasons: [...(decided?.reasons ?? [])],
        policy_revision: decided?.policyRevision ?? '',
      },
      keep,
      masking: { status: 'masked', findings: [] },
      decoded: reading.decoded,
      truncated: false,
      history: { message_count: turns.firstNew, prefix_hash: turns.prefixHash },
      request_hash: requestHash,
      ...(keep === 'full' ? contentOf(reading, turns) : noContent),
    },
  };
}

const noContent = { system: null, new_messages: [], answer: null, error: null };

function contentOf(reading: Reading, turns: NewTurns) {
  const newMessages = reading.request?.messages.slice(turns.firstNew) ?? [];
  return {
    system: turns.systemIsNew ? slimBlocks(reading.request?.system ?? null) : null,
    new_messages: newMessages.map(({ role, content, rest }) => ({ ...rest, role, content: slimBlocks(content) })),
    answer: reading.message ?? reading.other,
    error: reading.error,
  };
}

export function userOf(identity: Identity | null): ExchangeDocument['user'] {
  if (identity === null) return null;
  const { subject, name, email, groups, issuer } = identity;
  return { id: subject, name, email, roles: groups, domain: issuer };
}

function genAi({ started, exchangeId, decided }: Transcript, reading: Reading): ExchangeDocument['gen_ai'] {
  const { request, message } = reading;
  const usage = usageOf(message);
  const endpoint = endpointOf(started.method, started.path);
  return {
    provider: { name: 'anthropic' },
    // `chat` is the OpenTelemetry name of the operation; the others have none there.
    operation: { name: endpoint.kind === 'messages' ? 'chat' : endpoint.name },
    conversation: { id: decided?.session?.id ?? exchangeId },
    request: { model: request?.model ?? '', max_tokens: request?.maxTokens ?? null, stream: request?.stream ?? false },
    response: {
      id: textOf(message?.id),
      model: textOf(message?.model),
      finish_reasons: [textOf(message?.stop_reason)].filter((reason) => reason !== ''),
    },
    usage: {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cache_read: { input_tokens: usage.cacheReadTokens },
      cache_creation: { input_tokens: usage.cacheCreationTokens },
    },
    tool: { name: toolsUsed(message) },
    input: { text: '' },
    output: { text: '' },
  };
}

/** The tools that the answer calls, each once. */
export function toolsUsed(message: JsonObject | null): string[] {
  const blocks = Array.isArray(message?.content) ? message.content : [];
  const names = blocks.flatMap((block) =>
    isJsonObject(block) && typeof block.type === 'string' && block.type.endsWith('tool_use')
      ? [textOf(block.name)]
      : [],
  );
  return [...new Set(names)].filter((name) => name !== '');
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
