/** Reads the token counts of an assembled message. */
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Tokens; null where the answer does not say. */
export type Usage = {
  inputTokens: number | null;
  outputTokens: number | null;
  cacheReadTokens: number | null;
  cacheCreationTokens: number | null;
};

/**
 * `inputTokens` is the whole input: the API counts cached tokens beside `input_tokens`, and OpenTelemetry's
 * conventions for Anthropic (gen_ai.usage.input_tokens) ask for the sum.
 */
export function usageOf(message: JsonObject | null): Usage {
  const usage = isJsonObject(message?.usage) ? message.usage : {};
  const uncached = tokens(usage.input_tokens);
  const cacheReadTokens = tokens(usage.cache_read_input_tokens);
  const cacheCreationTokens = tokens(usage.cache_creation_input_tokens);
  return {
    inputTokens: uncached === null ? null : uncached + (cacheReadTokens ?? 0) + (cacheCreationTokens ?? 0),
    outputTokens: tokens(usage.output_tokens),
    cacheReadTokens,
    cacheCreationTokens,
  };
}

function tokens(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
