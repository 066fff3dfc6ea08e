/** Makes the excerpt of a request that a rule may look at, where one does. */
import { isJsonObject, type JsonValue } from '../claude/json.ts';
import type { RequestInput } from '../policy/input.ts';
import { batchedIn, joined, newestPrompt } from './newest-prompt.ts';

/**
 * Of a JSON body: its newest prompt, of a batch those of its requests one after another: whatever the endpoint, since a
 * field that it does not know must hide no other. Of a longer text both ends are
 * taken, `maxChars` UTF-16 units together, and `complete` is false.
 */
export function excerptOf(value: JsonValue, maxChars: number): RequestInput['excerpt'] {
  const body = isJsonObject(value) ? value : {};
  const text = joined([body, ...batchedIn(body)].map(newestPrompt));
  if (text.length <= maxChars) return { text, complete: true };
  const half = Math.floor(maxChars / 2);
  return { text: `${text.slice(0, half)}\n${text.slice(1 - half)}`.toWellFormed(), complete: false };
}
