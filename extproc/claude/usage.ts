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
 * conventions for Anthropic (gen_ai.usage.input_tokens) ask for the sum.
 */
export function usageOf(message: JsonObject | null): Usage {
  const usage = objectOf(message?.usage);
  const uncached = count(usage.input_tokens);
  const cacheReadTokens = count(usage.cache_read_input_tokens);
  const cacheCreationTokens = count(usage.cache_creation_input_tokens);
  const cacheCreation = objectOf(usage.cache_creation);
  const serverTools = objectOf(usage.server_tool_use);
  return {
    inputTokens: uncached === null ? null : uncached + (cacheReadTokens ?? 0) + (cacheCreationTokens ?? 0),
    outputTokens: count(usage.output_tokens),
    cacheReadTokens,
    cacheCreationTokens,
    cacheCreation5mTokens: count(cacheCreation.ephemeral_5m_input_tokens),
    cacheCreation1hTokens: count(cacheCreation.ephemeral_1h_input_tokens),
    reasoningTokens: count(objectOf(usage.output_tokens_details).thinking_tokens),
    webSearchRequests: count(serverTools.web_search_requests),
    webFetchRequests: count(serverTools.web_fetch_requests),
    serviceTier: typeof usage.service_tier === 'string' ? usage.service_tier : '',
  };
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function count(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
