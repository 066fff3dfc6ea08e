import { codeAt, isAlnum, isSpace, isWord } from './characters.ts';
import type { Detector } from './detector.ts';
import type { Literals } from './literals.ts';
import { matchEnd, sticky } from './pattern.ts';

const urlMax = 2048;
const beginnings: Literals = {
  strings: ['https://', 'http://', 'ftp://', 'ftps://', 'sftp://', 'wss://', 'ws://', 'www.'],
  ignoreCase: true,
};
const enders = new Set(Array.from('"\'<>`{}|\\^', (char) => char.charCodeAt(0)));
/** Marks that end the sentence around a URL rather than the URL. */
const trailing = new Set(Array.from('.,;:!?*_~', (char) => char.charCodeAt(0)));
const host = sticky(
  '(?:[^\\s/?#@:]{1,256}@|[^\\s/?#@:]{1,256}:[^\\s/?#@]{1,256}@)?(?:[\\w-]|\\[[0-9a-f:]{2,45}\\]|[^\\x00-\\x7f])',
  'i',
);
/** Between the cells of a table; what stands before a URL ends it too. */
const cellMarks = new Set(Array.from(',;', (char) => char.charCodeAt(0)));
const pairs: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
]);

/** End of the URL that goes on at `from`, without the marks of the sentence around it, and before a `cellMark`. */
export function urlEnd(text: string, from: number, cellMark = Number.NaN): number {
  const limit = Math.min(text.length, from + urlMax);
  let end = from;
  while (end < limit && !isSpace(codeAt(text, end)) && !enders.has(codeAt(text, end)) && codeAt(text, end) !== cellMark)
    end++;
  for (let last = text.charAt(end - 1); end > from; last = text.charAt(end - 1)) {
    const opening = pairs.get(last);
    const isUnpaired = opening !== undefined && !balanced(text.slice(from, end), opening, last);
    if (!isUnpaired && !trailing.has(last.charCodeAt(0))) break;
    end--;
  }
  return end;
}

/** A bracket that the URL itself opened stays, one of the sentence around it goes. */
function balanced(url: string, opening: string, closing: string): boolean {
  let open = 0;
  for (const char of url) open += char === opening ? 1 : char === closing ? -1 : 0;
  return open >= 0;
}

/**
 * Whole URLs (RFC 3986), and host names that begin with `www.`. Off where records are written unless policy asks for it:
 * what a URL must hide (passwords, tokens, addresses) the other detectors find in it.
 */
export const urlDetector: Detector = {
  id: 'url',
  literals: beginnings,
  detect({ text }, out, places) {
    let next = 0;
    for (const { at: start, literal } of places) {
      if (start < next) continue;
      const from = start + literal.length;
      next = from;
      const isBare = literal === 'www.';
      if (isAlnum(codeAt(text, start - 1)) || (isBare && isWord(codeAt(text, start - 1)))) continue;
      if (matchEnd(host, text, from) === -1) continue;
      const before = codeAt(text, start - 1);
      const end = urlEnd(text, from, cellMarks.has(before) ? before : undefined);
      next = Math.max(end, from);
      if (end > from) out.push({ type: 'URL', rule: 'url', rank: 'weak', start, end, score: 0.8 });
    }
  },
};
