/** Turns content into flat text for search and terminal, and takes the binary data out of it. */
import { type HashOf, slimSource } from './base64-source.ts';
import { verbatimFields } from './block-fields.ts';
import { addContent, label } from './block-text.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { slimText, slimView } from './media.ts';

/**
 * Readable text of a message's content: strings as they are, blocks one after another, each under a line in square
 * brackets that names it (plain text has none). Binary data is named by media type, size and, in slim content, hash;
 * ciphertexts, signatures and ids are left out. What a block holds beyond its known fields, and blocks of unknown
 * types, give all their strings. Linear; recursion is bounded by the depth that the parsers of this folder allow.
 */
export function flatText(content: JsonValue): string {
  const lines: string[] = [];
  addContent(lines, content);
  return lines.join('\n');
}

/**
 * The same content with each base64 source replaced by `{type, media_type, bytes, hash}` (`SlimSource`), and each data
 * URL of more than 1 kB inside a string by a word in square brackets that says the same. What is slim stays as it is,
 * and so do the objects in the input of a tool: there they are what the model wrote. Linear, bounded as above.
 */
export function slimBlocks(content: JsonValue, hashOf: HashOf): JsonValue {
  return slim(content, hashOf, true);
}

function slim(value: JsonValue, hashOf: HashOf, inBlocks: boolean): JsonValue {
  if (typeof value === 'string') return slimText(value, hashOf);
  if (Array.isArray(value)) return value.map((item) => slim(item, hashOf, inBlocks));
  if (!isJsonObject(value)) return value;
  const object = inBlocks ? (slimSource(value, hashOf) ?? slimView(value, hashOf)) : value;
  // fromEntries defines own properties, so a key named `__proto__` stays a key.
  return Object.fromEntries(
    Object.entries(object).map(([key, field]) => [key, slim(field, hashOf, inBlocks && !verbatimFields.has(key))]),
  );
}

/** `[refusal category]` and the explanation, if the answer was refused; empty otherwise. */
export function refusalText(message: JsonObject | null): string {
  const details = isJsonObject(message?.stop_details) ? message.stop_details : {};
  if (message?.stop_reason !== 'refusal' && details.type !== 'refusal') return '';
  const { category, explanation } = details;
  const lines = [label('refusal', [typeof category === 'string' ? category : ''])];
  if (typeof explanation === 'string' && explanation !== '') lines.push(explanation);
  return lines.join('\n');
}
