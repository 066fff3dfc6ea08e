import { isJsonObject } from '../claude/json.ts';
import { type Cap, capText } from '../masking/cap-text.ts';
import type { JsonValue } from './document.ts';

/** `capText` for every string in a value; it comes from the masker, so its depth is bounded. */
export function capStrings(value: JsonValue, cap: Cap): JsonValue {
  if (typeof value === 'string') return capText(value, cap);
  if (Array.isArray(value)) return value.map((item) => capStrings(item, cap));
  if (!isJsonObject(value)) return value;
  // fromEntries defines own properties, so a key named `__proto__` stays a key.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, capStrings(item, cap)]));
}
