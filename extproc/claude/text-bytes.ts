/** Measures the text of content without putting it together. */
import { base64Data } from './base64-source.ts';
import { hiddenFields, verbatimFields } from './block-fields.ts';
import type { JsonValue } from './json.ts';
import { isJsonObject } from './json.ts';

/**
 * UTF-8 bytes of all strings in content, but for types, ids, signatures, ciphertexts and binary data. In what a tool is
 * given, and in its definition, every string counts and so do the keys: they are text like the rest. Linear; recursion
 * is bounded by the depth that the parsers of this folder allow.
 */
export function textBytes(content: JsonValue): number {
  return measured(content, false);
}

function measured(value: JsonValue, verbatim: boolean): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  let bytes = 0;
  if (Array.isArray(value)) for (const item of value) bytes += measured(item, verbatim);
  if (!isJsonObject(value)) return bytes;
  const isOpaque = !verbatim && (value.type === 'redacted_thinking' || base64Data(value) !== null);
  for (const key of Object.keys(value)) {
    if (verbatim) bytes += Buffer.byteLength(key);
    else if (hiddenFields.has(key) || (isOpaque && key === 'data')) continue;
    bytes += measured(value[key] ?? null, verbatim || verbatimFields.has(key));
  }
  return bytes;
}
