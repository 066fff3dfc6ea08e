import type { ExchangeDocument } from '../transcript/document.ts';

/** The counts of one document that are billed, each kind of token by itself. */
export type Billed = {
  /** E-mail address, or else id. */
  person: string;
  /** The model that answered, or else the one that was asked for. */
  model: string;
  serviceTier: string;
  uncachedInput: number;
  cacheRead: number;
  cacheCreation5m: number;
  cacheCreation1h: number;
  output: number;
  webSearchRequests: number;
};

/** Null when the answer reported no usage. Throws an Error when a count is none. */
export function billedOf({ user, gen_ai: genAi, skilltape }: ExchangeDocument): Billed | null {
  const { usage } = skilltape;
  const input = countAt('gen_ai.usage.input_tokens', genAi.usage.input_tokens);
  const output = countAt('gen_ai.usage.output_tokens', genAi.usage.output_tokens);
  const uncached = countAt('skilltape.usage.uncached_input_tokens', usage.uncached_input_tokens);
  if (input === null && output === null && uncached === null) return null;
  const cacheRead = countAt('gen_ai.usage.cache_read', genAi.usage.cache_read.input_tokens) ?? 0;
  const creation = countAt('gen_ai.usage.cache_creation', genAi.usage.cache_creation.input_tokens) ?? 0;
  const creation5m = countAt('skilltape.usage.cache_creation_5m', usage.cache_creation_5m_input_tokens) ?? 0;
  const creation1h = countAt('skilltape.usage.cache_creation_1h', usage.cache_creation_1h_input_tokens) ?? 0;
  return {
    person: user === null ? '' : user.email || user.id,
    model: genAi.response.model || genAi.request.model,
    serviceTier: usage.service_tier,
    // Documents of an earlier skilltape have the whole input alone.
    uncachedInput: uncached ?? Math.max(0, (input ?? 0) - cacheRead - creation),
    cacheRead,
    // What the answer does not split lives 5 minutes: the API's own default.
    cacheCreation5m: Math.max(creation5m, creation - creation1h),
    cacheCreation1h: creation1h,
    output: output ?? 0,
    webSearchRequests: countAt('skilltape.usage.web_search_requests', usage.web_search_requests) ?? 0,
  };
}

function countAt(path: string, value: unknown): number | null {
  if (value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${path} is not a count`);
}
