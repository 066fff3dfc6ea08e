/** Recognises binary data that content carries as base64 text, and makes what stands in its place. */
import type { JsonObject, JsonValue } from './json.ts';

/** Hash of base64 text without line ends; keyed by whoever gives it, because it leaves the seal (inv. 6). */
export type HashOf = (base64: string) => string;

/** A base64 source without its data. `bytes` is the decoded size, reckoned from the length of the text. */
export type SlimSource = {
  type: 'base64';
  media_type: string;
  bytes: number;
  hash: string;
};

const lineEnd = /[\r\n]+/g;
const notBase64 = /[^A-Za-z0-9+/=_-]/;

/** Text shows itself in its first words, and requests are judged while they wait. */
const lookedAtMaxChars = 4096;

/** The text without line ends, null if it begins like no base64 (RFC 4648, either alphabet). */
export function base64Text(text: string): string | null {
  if (notBase64.test(text.slice(0, lookedAtMaxChars).replace(lineEnd, ''))) return null;
  return text.includes('\n') || text.includes('\r') ? text.replace(lineEnd, '') : text;
}

/** Null for every other source (a URL, a file, plain text), and for data that is text under the name of base64. */
export function base64Data(source: JsonObject): string | null {
  const { type, media_type: mediaType, data } = source;
  if (type !== 'base64' || typeof mediaType !== 'string' || typeof data !== 'string') return null;
  return base64Text(data);
}

/** The source with type, size and hash for its data, whatever else it holds kept; null as above. */
export function slimSource(source: JsonObject, hashOf: HashOf): (JsonObject & SlimSource) | null {
  const base64 = base64Data(source);
  if (base64 === null) return null;
  const { data, ...rest } = source;
  const mediaType = String(source.media_type);
  return { ...rest, type: 'base64', media_type: mediaType, bytes: decodedBytes(base64), hash: hashOf(base64) };
}

export function decodedBytes(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.max(0, Math.floor((base64.length * 3) / 4) - padding);
}

/** Size and hash as words: of a source with its data, or of one made slim (a masker may have put text for either). */
export function binaryWords(source: JsonObject): string[] {
  const base64 = base64Data(source);
  if (base64 !== null) return [`${decodedBytes(base64)} bytes`];
  if (source.type !== 'base64') return [];
  return [...wordsOf(source.bytes, (bytes) => `${bytes} bytes`), ...wordsOf(source.hash, (hash) => `hash ${hash}`)];
}

function wordsOf(value: JsonValue | undefined, write: (value: string) => string): string[] {
  return typeof value === 'string' || typeof value === 'number' ? [write(String(value))] : [];
}
