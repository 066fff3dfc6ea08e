/** Takes the codings off a request body, so that what is judged is what Claude will read (inv. 2). */
import { Buffer } from 'node:buffer';
import { parseBoundedJson } from '../claude/json.ts';
import type { DecodingLimits } from '../encoding/limits.ts';
import type { DecodedRequest } from '../encoding/request.ts';
import { decodeRequest } from '../encoding/request.ts';
import { multipartBoundary } from '../upload/multipart.ts';
import type { RequestFacts } from './facts.ts';

export type EncodedPlace = Pick<RequestFacts, 'bodyForm' | 'contentType' | 'codings'> & { decoding: DecodingLimits };

/** A body without codings, and one without bytes, comes back as it is. */
export function decodedBody(
  { bodyForm, contentType, codings, decoding }: EncodedPlace,
  body: Uint8Array,
): DecodedRequest {
  if (!codings.ok) return { ok: false, fault: 'invalid', detail: `its content-encoding is ${codings.fault}` };
  if (body.length === 0) return { ok: true, bytes: body };
  return decodeRequest(body, codings.codings, decoding, (encoded) => isReadable(bodyForm, contentType, encoded));
}

/**
 * Whether an upstream that does not decode could read the body all the same, and find other words in it: a bare deflate
 * stream can be made of letters, and multipart readers pass over what stands before the first boundary.
 */
function isReadable(form: EncodedPlace['bodyForm'], contentType: string, encoded: Uint8Array): boolean {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (form === 'none') return false;
  if (form !== 'upload') return isJson(bytes);
  const boundary = multipartBoundary(contentType);
  return boundary !== null && (bytes.indexOf(`--${boundary}`) === 0 || bytes.includes(`\n--${boundary}`));
}

/** Only objects and lists are bodies. Some readers take text that is not UTF-8, or begins with a byte order mark. */
function isJson(bytes: Buffer): boolean {
  const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let first = isMarked ? 3 : 0;
  while (first < bytes.length && ' \t\r\n'.includes(String.fromCharCode(bytes[first] ?? 0))) first += 1;
  if (bytes[first] !== 0x7b && bytes[first] !== 0x5b) return false;
  return parseBoundedJson(bytes.toString('latin1', first)) !== undefined;
}
