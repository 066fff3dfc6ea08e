import { codeAt, isAlnum, isEscapeLetter, isLetter } from './characters.ts';
import type { Detector } from './detector.ts';
import { matchEnd, sticky } from './pattern.ts';
import { charKind } from './trigger.ts';

const localMax = 64;
const domainMax = 255;
const localMarks = new Set(Array.from("._+-'", (char) => char.charCodeAt(0)));
/** Pictures for dense screens (`logo@2x.png`) look like addresses. */
const pictureScale = new Set(['2x', '3x', '4x', '1x']);

/** Letters of Latin, Greek and Cyrillic beyond ASCII: addresses may hold them, text without spaces (CJK) is left out. */
const isWideLetter = (code: number): boolean => code >= 0xc0 && code <= 0x52f && code !== 0xd7 && code !== 0xf7;
const isLabel = (code: number): boolean => isAlnum(code) || isWideLetter(code);

function localStart(text: string, at: number, floor: number): number {
  let start = at;
  while (start > floor && at - start < localMax) {
    const code = codeAt(text, start - 1);
    if (!isLabel(code) && !localMarks.has(code)) break;
    start--;
  }
  while (start < at && !isLabel(codeAt(text, start)) && text[start] !== '_') start++;
  if (start < at - 1 && isEscapeLetter(text, start)) start++;
  return start + escapeLength(text, start, at);
}

/** Of an escape that stands before the address, `\\u003c` or `%3C`: what of it looks like a part of the address. */
function escapeLength(text: string, start: number, at: number): number {
  const mark = text[start - 1];
  if (mark !== '\\' && mark !== '%') return 0;
  const end = matchEnd(mark === '%' ? percentRest : unicodeRest, text, start);
  return end === -1 || end >= at ? 0 : end - start;
}

const percentRest = sticky('[2-3][0-9A-Fa-f]');
const unicodeRest = sticky('u00[2-3][0-9A-Fa-f]');

function isTopLevel(label: string): boolean {
  if (label.length < 2 || label.length > 24) return false;
  if (label.startsWith('xn--')) return true;
  for (let i = 0; i < label.length; i++) {
    const code = label.charCodeAt(i);
    if (!isLetter(code) && !isWideLetter(code)) return false;
  }
  return true;
}

/** End of the host name that begins at `from`, or -1: at least two labels, the last one of letters. */
function domainEnd(text: string, from: number): number {
  let end = from;
  while (end - from < domainMax) {
    const code = codeAt(text, end);
    if (!isLabel(code) && code !== 45 && !(code === 46 && end > from && text[end - 1] !== '.')) break;
    end++;
  }
  const name = text.slice(from, end);
  for (let cut = name.length; cut > 0; ) {
    const dot = name.lastIndexOf('.', cut - 1);
    if (dot <= 0) break;
    const stop = name[cut - 1] === '-' ? cut - 1 : cut;
    if (isTopLevel(name.slice(dot + 1, Math.min(stop, dot + 26)))) return from + stop;
    cut = dot;
  }
  return -1;
}

function isPictureScale(text: string, at: number): boolean {
  return pictureScale.has(text.slice(at + 1, at + 3)) && text[at + 3] === '.';
}

/** `git@host:owner/name` names nobody. */
function isCloneAddress(text: string, start: number, at: number, end: number): boolean {
  return text.slice(start, at) === 'git' && (text[end] === ':' || text[end] === '/');
}

/** In `scheme://user:password@host` the password is no local part. */
function isUrlPassword(text: string, start: number): boolean {
  if (text[start - 1] !== ':' && text[start - 1] !== '@') return false;
  const before = text.slice(Math.max(0, start - 80), start);
  const mark = before.lastIndexOf('://');
  return mark !== -1 && !/[\s/]/.test(before.slice(mark + 3));
}

/** Addresses with a host name of at least two labels; the domain is cut back until its last label can be a top level. */
export const emailDetector: Detector = {
  id: 'email',
  needs: charKind.at,
  detect({ text }, out) {
    let floor = 0;
    for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
      const start = localStart(text, at, floor);
      floor = at + 1;
      if (start === at || isPictureScale(text, at)) continue;
      const end = domainEnd(text, at + 1);
      if (end === -1 || isCloneAddress(text, start, at, end) || isUrlPassword(text, start)) continue;
      out.push({ type: 'EMAIL', rule: 'email', rank: 'validated', start, end, score: 0.95 });
      floor = end;
    }
  },
};
