/** Reads the streams of the legacy endpoint `/v1/complete`. */
import { isJsonObject, type JsonObject, parseBoundedJson } from './json.ts';
import type { SseEvent } from './sse.ts';

/** The last event with all texts in its `completion`, and the `error` event if one came; null if there is neither. */
export function foldCompletion(events: readonly SseEvent[]): JsonObject | null {
  const texts: string[] = [];
  let last: JsonObject | null = null;
  let error: JsonObject | null = null;
  for (const { event, data } of events) {
    const value = event === 'ping' ? undefined : parseBoundedJson(data);
    if (!isJsonObject(value)) continue;
    if (event === 'error') {
      error = value;
    } else if (typeof value.completion === 'string') {
      texts.push(value.completion);
      last = value;
    }
  }
  if (last === null) return error;
  const completion = { ...last, completion: texts.join('') };
  return error === null ? completion : { ...completion, error };
}
