/** Reads the results of a message batch: one JSON object a line. */
import { isJsonObject, type JsonObject, type JsonValue, parseBoundedJson } from './json.ts';

/** `message` of a result that succeeded, `error` (the whole envelope) of one that did not; null otherwise. */
export type BatchResult = {
  customId: string;
  type: 'succeeded' | 'errored' | 'canceled' | 'expired' | 'other';
  message: JsonObject | null;
  error: JsonObject | null;
};

const types: readonly BatchResult['type'][] = ['succeeded', 'errored', 'canceled', 'expired'];
const faultsMax = 100;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Lines end in LF or CRLF, empty ones are skipped, the last needs no end. A line that is too long or no result becomes
 * a fault with its number and without its text (at most 100 faults), and the rest is read. Lengths in bytes. Linear;
 * one line at a time is copied.
 */
export function readBatchResults(
  body: Uint8Array,
  limits: { lineMaxBytes: number; linesMax: number },
): { results: BatchResult[]; faults: string[] } {
  const results: BatchResult[] = [];
  const faults: string[] = [];
  const decoder = new TextDecoder();
  let line = 0;
  for (let start = 0; start < body.length; ) {
    const feed = body.indexOf(lineFeed, start);
    const next = feed === -1 ? body.length : feed + 1;
    let end = feed === -1 ? body.length : feed;
    if (end > start && body[end - 1] === carriageReturn) end -= 1;
    line += 1;
    if (line > limits.linesMax) {
      faults.push(`more than ${limits.linesMax} lines`);
      break;
    }
    if (end > start) {
      const isLong = end - start > limits.lineMaxBytes;
      const result = isLong ? null : resultOf(parseBoundedJson(decoder.decode(body.subarray(start, end))));
      if (result !== null) results.push(result);
      else if (faults.length < faultsMax)
        faults.push(`line ${line}: ${isLong ? `longer than ${limits.lineMaxBytes} bytes` : 'no result of a batch'}`);
    }
    start = next;
  }
  return { results, faults };
}

function resultOf(value: JsonValue | undefined): BatchResult | null {
  if (!isJsonObject(value) || typeof value.custom_id !== 'string' || !isJsonObject(value.result)) return null;
  const { type, message, error } = value.result;
  return {
    customId: value.custom_id,
    type: types.find((known) => known === type) ?? 'other',
    message: isJsonObject(message) ? message : null,
    error: isJsonObject(error) ? error : null,
  };
}
