/** Reads the body of the legacy `POST /v1/complete` in the form of a Messages request. */
import { isJsonObject, type JsonValue } from './json.ts';
import { type ReadRequest, readMessagesRequest } from './request.ts';

/** The prompt becomes one message of the user. */
export function readCompletionRequest(value: JsonValue): ReadRequest {
  if (!isJsonObject(value)) return { ok: false, fault: 'the body must be an object' };
  const { model, stream, metadata, prompt, max_tokens_to_sample: maxTokens } = value;
  if (typeof prompt !== 'string') return { ok: false, fault: 'prompt must be a string' };
  if (maxTokens !== undefined && !Number.isFinite(maxTokens)) {
    return { ok: false, fault: 'max_tokens_to_sample must be a number' };
  }
  return readMessagesRequest({
    ...(model !== undefined && { model }),
    ...(stream !== undefined && { stream }),
    ...(metadata !== undefined && { metadata }),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    messages: [{ role: 'user', content: prompt }],
  });
}
