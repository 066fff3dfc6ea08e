/** Points the download links of batches at another base URL, and changes nothing else. */
import { Buffer } from 'node:buffer';
import { endpointOf } from './endpoint.ts';
import { parseBoundedJson } from './json.ts';

export type Rewritten = { ok: true; bytes: Uint8Array } | { ok: false; fault: 'not_json' | 'too_large' };

const key = 'results_url';
/** Each of its characters can be written as six: `\u0072`. */
const keyMaxChars = key.length * 6;
const urlMaxChars = 4096;
const quote = 0x22;
const backslash = 0x5c;

/**
 * Every value of a key `results_url` in a JSON text, at any depth, that leads to the results of a batch on any host:
 * the same path and query below `baseUrl` (no slash at its end) take its place. All bytes outside such values stay, and
 * without one the very bytes given come back. `too_large`: the new text would have more than `maxBytes`; links can grow.
 *
 * Works on the text, because parsing and printing again would change numbers, blanks and the order of keys. Linear.
 */
export function rewriteResultsUrls(json: Uint8Array, baseUrl: string, maxBytes: number): Rewritten {
  if (parseBoundedJson(new TextDecoder().decode(json)) === undefined) return { ok: false, fault: 'not_json' };
  // One character for each byte, so that bytes which are no UTF-8 come out as they went in.
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('latin1');
  const parts: string[] = [];
  let bytes = text.length;
  let kept = 0;
  for (const { start, end } of valuesOfKey(text)) {
    const url = rewritten(text.slice(start, end), baseUrl);
    if (url === null) continue;
    bytes += url.length - (end - start);
    if (bytes > maxBytes) return { ok: false, fault: 'too_large' };
    parts.push(text.slice(kept, start), url);
    kept = end;
  }
  if (parts.length === 0) return json.length > maxBytes ? { ok: false, fault: 'too_large' } : { ok: true, bytes: json };
  return { ok: true, bytes: Buffer.from(parts.join('') + text.slice(kept), 'latin1') };
}

/** The new inside of a JSON string, or null when it is no link to results. */
function rewritten(raw: string, baseUrl: string): string | null {
  const url = raw.length <= urlMaxChars ? unescaped(Buffer.from(raw, 'latin1').toString()) : null;
  if (url === null || !URL.canParse(url)) return null;
  const { protocol, pathname, search, hash } = new URL(url);
  if ((protocol !== 'https:' && protocol !== 'http:') || hash !== '') return null;
  if (endpointOf('GET', pathname).name !== 'batches.results') return null;
  return JSON.stringify(`${baseUrl}${pathname}${search}`).slice(1, -1);
}

/** Where the string values of the key stand, without their quotes. In JSON only a key is followed by a colon. */
function* valuesOfKey(text: string): Generator<{ start: number; end: number }> {
  for (let at = text.indexOf('"'); at !== -1; ) {
    let end = stringEnd(text, at);
    const colon = skipSpace(text, end + 1);
    if (text[colon] === ':' && isKey(text.slice(at + 1, Math.min(end, at + 2 + keyMaxChars)))) {
      const value = skipSpace(text, colon + 1);
      if (text[value] === '"') {
        end = stringEnd(text, value);
        yield { start: value + 1, end };
      }
    }
    at = text.indexOf('"', end + 1);
  }
}

function isKey(raw: string): boolean {
  return raw === key || (raw.includes('\\') && raw.length <= keyMaxChars && unescaped(raw) === key);
}

function unescaped(raw: string): string | null {
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return null;
  }
}

/** The index of the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === backslash) at += 1;
    else if (char === quote) return at;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
  return at;
}
