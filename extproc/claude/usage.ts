/** Reads the token counts of an assembled message. */
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * Tokens and requests as the API counts them; null where the answer does not say. `cacheCreationTokens` is the sum of
 * the entries that live for 5 minutes and for 1 hour, `reasoningTokens` (thinking) are among `outputTokens`.
 * `serviceTier` is empty when the answer names none.
 */
export type Usage = {
  inputTokens: number | null;
  outputTokens: number | null;
  cacheReadTokens: number | null;
  cacheCreationTokens: number | null;
  cacheCreation5mTokens: number | null;
  cacheCreation1hTokens: number | null;
  reasoningTokens: number | null;
  webSearchRequests: number | null;
  webFetchRequests: number | null;
  serviceTier: string;
};

/**
 * `inputTokens` is the whole input: the API counts cached tokens beside `input_tokens`, and OpenTelemetry's
 * conventions for Anthropic (gen_ai.usage.input_tokens) ask for the sum. Tokens that only `iterations` has are counted,
 * whichever model they went to.
 */
export function usageOf(message: JsonObject | null): Usage {
  const usage = objectOf(message?.usage);
  const uncached = total(usage, (part) => part.input_tokens);
  const cacheReadTokens = total(usage, (part) => part.cache_read_input_tokens);
  const cacheCreationTokens = total(usage, (part) => part.cache_creation_input_tokens);
  const cacheCreation = (name: string) => total(usage, (part) => objectOf(part.cache_creation)[name]);
  const serverTools = objectOf(usage.server_tool_use);
  return {
    inputTokens: uncached === null ? null : count(uncached + (cacheReadTokens ?? 0) + (cacheCreationTokens ?? 0)),
    outputTokens: total(usage, (part) => part.output_tokens),
    cacheReadTokens,
    cacheCreationTokens,
    cacheCreation5mTokens: cacheCreation('ephemeral_5m_input_tokens'),
    cacheCreation1hTokens: cacheCreation('ephemeral_1h_input_tokens'),
    reasoningTokens: count(objectOf(usage.output_tokens_details).thinking_tokens),
    webSearchRequests: count(serverTools.web_search_requests),
    webFetchRequests: count(serverTools.web_fetch_requests),
    serviceTier: typeof usage.service_tier === 'string' ? usage.service_tier : '',
  };
}

/** Other calls of a model for the same answer; the API leaves them out of the top level of `usage`. */
const besideTheTotal = new Set<JsonValue | undefined>(['compaction', 'advisor_message']);

/**
 * One count of the whole answer. The top level has the sum of the other iterations, but not of each field whenever
 * there are several: of the two the larger one is what was used.
 */
function total(usage: JsonObject, field: (part: JsonObject) => JsonValue | undefined): number | null {
  let within: number | null = null;
  let beside: number | null = null;
  for (const part of Array.isArray(usage.iterations) ? usage.iterations : []) {
    if (!isJsonObject(part)) continue;
    const tokens = count(field(part));
    if (tokens === null) continue;
    if (besideTheTotal.has(part.type)) beside = (beside ?? 0) + tokens;
    else within = (within ?? 0) + tokens;
  }
  const top = count(field(usage));
  if (top === null && within === null && beside === null) return null;
  return count(Math.max(top ?? 0, within ?? 0) + (beside ?? 0));
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function count(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
