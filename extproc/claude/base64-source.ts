/** Recognises binary data that a content block carries as base64 text. */
import type { JsonObject } from './json.ts';

/** `bytes` is the decoded size, reckoned from the length of the text. */
export type Base64Source = {
  type: 'base64';
  media_type: string;
  bytes: number;
};

/** Null for every other source: a URL, a file, plain text. */
export function base64Source(source: JsonObject): Base64Source | null {
  const { type, media_type: mediaType, data } = source;
  if (type !== 'base64' || typeof mediaType !== 'string' || typeof data !== 'string') return null;
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  return {
    type,
    media_type: mediaType,
    bytes: Math.max(0, Math.floor((data.length * 3) / 4) - padding),
  };
}
