/** Reads an upload (multipart/form-data, RFC 7578), and refuses every form that two parsers could read differently. */
import { Buffer, isUtf8 } from 'node:buffer';
import { Dicer } from '@fastify/busboy';

/** `filename` keeps its directories (`demo/SKILL.md`). `contentType` is empty when the part has none. */
export type MultipartPart = { field: string; filename: string | null; contentType: string; bytes: Uint8Array };

/** `fault` names a part by its number from 1 and never repeats what it holds. */
export type ReadMultipart = { ok: true; parts: MultipartPart[] } | { ok: false; fault: string };

export type MultipartLimits = { partsMax: number; nameMaxBytes: number };

export const multipartLimits: MultipartLimits = { partsMax: 1000, nameMaxBytes: 1024 };

/** Clients send two or three. A part with more has its other headers passed over, and is then refused. */
const headersOfPartMax = 16;

/** RFC 2046 section 5.1.1: at most 70 characters. One or two would be slow to look for; no client sends a second parameter. */
const contentTypePattern =
  /^multipart\/form-data[ \t]*;[ \t]*boundary=(?:"([A-Za-z0-9'()+_,./:=? -]{4,70})"|([A-Za-z0-9'+_.-]{4,70}))[ \t]*$/i;

/**
 * The WHATWG form, as browsers and the SDKs write it: quotes and line breaks inside a name are percent-encoded. A
 * backslash and `filename*` are read in different ways by different parsers.
 */
const dispositionPattern = /^form-data; name="([^"\\]*)"(?:; filename="([^"\\]*)")?$/i;

const transferEncodings = new Set(['7bit', '8bit', 'binary']);

/**
 * The parts of a whole body, as views of it. Synchronous; the time is linear in the size. Refused is a body of which
 * any byte would be passed over: a preamble or epilogue, a header that cannot be read, a missing end.
 */
export function readMultipart(
  body: Uint8Array,
  contentType: string,
  limits: MultipartLimits = multipartLimits,
): ReadMultipart {
  const boundary = multipartBoundary(contentType);
  if (boundary === null) return fault('its content-type names no plain boundary');
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const raw = split(bytes, boundary, limits.partsMax);
  if (raw === null) return fault(`it has more than ${limits.partsMax} parts`);
  if (!isAccountedFor(bytes, boundary, raw)) return fault('it is not whole, or not plain multipart/form-data');
  const parts: MultipartPart[] = [];
  for (const [at, { headers, content }] of raw.entries()) {
    const part = readPart(headers, content, limits.nameMaxBytes);
    if (typeof part === 'string') return fault(`part ${at + 1} ${part}`);
    parts.push(part);
  }
  return { ok: true, parts };
}

/** Header names in lower case, values as Latin-1 text, which keeps every byte. */
type RawPart = { headers: Record<string, string[]>; content: Uint8Array };

/** Null when the content type names none that every parser would read alike. */
export function multipartBoundary(contentType: string): string | null {
  const match = contentTypePattern.exec(contentType.trim());
  const boundary = match?.[1] ?? match?.[2] ?? null;
  return boundary?.endsWith(' ') ? null : boundary;
}

/**
 * Null when there are too many parts. The parser does all of its work while it is written to, and what it says later
 * (an end that is missing) is seen by `isAccountedFor`.
 */
function split(bytes: Buffer, boundary: string, partsMax: number): RawPart[] | null {
  const found: { headers: RawPart['headers']; stream: Dicer.PartStream }[] = [];
  const parser = new Dicer({ boundary, maxHeaderPairs: headersOfPartMax });
  const enough = new Error('too many parts');
  parser.on('error', () => {});
  parser.on('part', (stream) => {
    if (found.length === partsMax) throw enough;
    const part = { headers: {}, stream };
    stream.on('error', () => {});
    stream.on('header', (headers) => Object.assign(part, { headers }));
    found.push(part);
  });
  try {
    parser.write(bytes);
  } catch (thrown) {
    if (thrown === enough) return null;
    throw thrown;
  }
  return found.map(({ headers, stream }) => ({ headers, content: stream.read() ?? Buffer.alloc(0) }));
}

/** Writes the form again around the contents that were found, and compares it with what came: no header twice. */
function isAccountedFor(bytes: Buffer, boundary: string, parts: readonly RawPart[]): boolean {
  let at = 0;
  const takes = (expected: string): boolean => {
    const end = at + expected.length;
    const found = bytes.toString('latin1', at, end);
    at = end;
    return found === expected || found.toLowerCase() === expected.toLowerCase();
  };
  for (const { headers, content } of parts) {
    const lines = Object.entries(headers).map(([name, values]) => `${name}: ${values.join('')}\r\n`);
    if (!takes(`--${boundary}\r\n${lines.join('')}\r\n`)) return false;
    at += content.length;
    if (!takes('\r\n')) return false;
  }
  if (!takes(`--${boundary}--`)) return false;
  return at === bytes.length || (takes('\r\n') && at === bytes.length);
}

/** The part, or what is wrong with it. */
function readPart(headers: RawPart['headers'], bytes: Uint8Array, nameMaxBytes: number): MultipartPart | string {
  const disposition = dispositionPattern.exec(headers['content-disposition']?.[0] ?? '');
  if (disposition === null) return 'has no plain content-disposition';
  const field = nameOf(disposition[1] ?? '', nameMaxBytes);
  if (field === null || field === '') return 'has no readable name';
  const filename = disposition[2] === undefined ? null : nameOf(disposition[2], nameMaxBytes);
  if (filename === null && disposition[2] !== undefined) return 'has no readable filename';
  if (!transferEncodings.has(headers['content-transfer-encoding']?.[0]?.toLowerCase() ?? 'binary')) {
    return 'has a content-transfer-encoding';
  }
  const contentType = headers['content-type']?.[0] ?? '';
  if (contentType.length > nameMaxBytes || !/^[\x20-\x7e]*$/.test(contentType)) return 'has no readable content-type';
  return { field, filename, contentType, bytes };
}

/** UTF-8 without control characters; null when it is none. */
function nameOf(latin1: string, maxBytes: number): string | null {
  const bytes = Buffer.from(latin1, 'latin1');
  if (bytes.length > maxBytes || !isUtf8(bytes)) return null;
  const name = bytes.toString('utf8');
  return /\p{Cc}/u.test(name) ? null : name;
}

function fault(text: string): { ok: false; fault: string } {
  return { ok: false, fault: text };
}
