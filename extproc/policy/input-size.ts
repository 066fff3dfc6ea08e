import { inputMaxBytes } from './input-bounds.ts';

/** Whether the JSON of an input document has more than `inputMaxBytes`. Of most it is seen without writing it. */
export function isInputTooLarge(input: unknown): boolean {
  return jsonBytesAtMost(input) > inputMaxBytes && Buffer.byteLength(JSON.stringify(input) ?? '') > inputMaxBytes;
}

/** `\u0000`, of one UTF-16 unit. */
const unitMaxBytes = 6;
/** -1.2345678901234567e-308 */
const scalarMaxBytes = 24;
/** Quotes, colon or comma. */
const frameBytes = 4;

function jsonBytesAtMost(value: unknown): number {
  if (typeof value === 'string') return value.length * unitMaxBytes + frameBytes;
  if (typeof value !== 'object' || value === null) return scalarMaxBytes;
  let bytes = frameBytes;
  if (Array.isArray(value)) {
    for (const element of value) bytes += jsonBytesAtMost(element) + frameBytes;
    return bytes;
  }
  for (const name in value) {
    bytes += name.length * unitMaxBytes + frameBytes + jsonBytesAtMost((value as Record<string, unknown>)[name]);
  }
  return bytes;
}
