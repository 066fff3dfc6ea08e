import { codeAt, entropyBits, isAlnum, isSpace, isWord } from './characters.ts';
import type { Detector } from './detector.ts';
import { fitsWhole, sticky } from './pattern.ts';
import { isPlaceholder, looksInvented } from './placeholder.ts';
import { vendorValueRules } from './vendor-value-rules.ts';

/** How far behind a vendor's name its value may begin: the rest of the name, an operator, a type, quotes. */
const reachMax = 64;
const valueMax = 320;
const operators = new Set(Array.from('=:>,(|', (char) => char.charCodeAt(0)));
const valueMarks = new Set(Array.from('+/=.:%|~', (char) => char.charCodeAt(0)));

/** `linked in` is written `linkedin`, `linked_in` and `linked-in` as well. */
function spellingsOf(name: string): string[] {
  return [...new Set(['', ' ', '_', '-'].map((mark) => name.replaceAll(' ', mark)))];
}

const matchers = new Map(
  vendorValueRules.flatMap(({ id, names: own, value }) => {
    const matcher = { id, pattern: sticky(`(?:${value})$`) };
    return own.flatMap(spellingsOf).map((name) => [name, matcher] as const);
  }),
);

const isValue = (code: number): boolean => isWord(code) || valueMarks.has(code);

/** `dd` alone stands in many words and numbers; as a name of its own it has nothing before it and a mark behind it. */
function namesVendor(text: string, start: number, name: string): boolean {
  const before = codeAt(text, start - 1);
  if (name.length <= shortName) return !isAlnum(before) && /[_. -]/.test(text.charAt(start + name.length));
  return !isAlnum(before) || /[a-z]/.test(text.charAt(start - 1)) !== /[a-z]/.test(text.charAt(start));
}

const shortName = 3;

/** The value that the vendor's name at `from` introduces: behind an operator, on the same line or within an element. */
function valueAfter(text: string, from: number): { start: number; end: number } | undefined {
  let isAssigned = false;
  const limit = Math.min(text.length, from + reachMax);
  for (let at = from; at < limit; at++) {
    const code = codeAt(text, at);
    if (operators.has(code)) isAssigned = true;
    else if (code === 10 && text[at - 1] !== '>' && !isSpace(codeAt(text, at - 1))) return undefined;
    if (!isAssigned || !isAlnum(code) || isValue(codeAt(text, at - 1)) === isOpen(text, at)) continue;
    let end = at;
    while (end - at < valueMax && isValue(codeAt(text, end))) end++;
    while (end > at && (text[end - 1] === '.' || text[end - 1] === ':')) end--;
    if (end - at >= 14) return { start: at, end };
    at = end;
  }
  return undefined;
}

/** Whether the marks before `at` belong to an operator (`:=`, `=`) rather than to the value. */
function isOpen(text: string, at: number): boolean {
  return !'=:|'.includes(text.charAt(at - 1) || ' ');
}

/** Keys of vendors that only the vendor's name tells. */
export const vendorValueDetector: Detector = {
  id: 'vendor-value',
  literals: { strings: [...matchers.keys()], ignoreCase: true },
  detect({ text }, out, places) {
    let next = 0;
    for (const { at, literal: name } of places) {
      if (at < next) continue;
      next = at + name.length;
      const matcher = matchers.get(name);
      if (matcher === undefined || !namesVendor(text, at, name)) continue;
      const place = valueAfter(text, next);
      if (place === undefined) continue;
      const value = text.slice(place.start, place.end);
      if (!fitsWhole(matcher.pattern, value) || isPlaceholder(value) || looksInvented(value)) continue;
      if (!/\d/.test(value) || entropyBits(value) < 2.5) continue;
      out.push({ type: 'SECRET', rule: matcher.id, rank: 'assignment', score: 0.8, ...place });
      next = place.end;
    }
  },
};
