import { codeAt, isDigit, isSpace } from './characters.ts';
import { matchEnd, sticky } from './pattern.ts';

/**
 * A stretch of normalised text from `start` on, that stands for `[from, to)` of the original: `oneToOne`, character by
 * character, or as a whole.
 */
type Stretch = { start: number; from: number; to: number; oneToOne: boolean };

/** Text with disguises undone. */
export type NormalisedText = { text: string; stretches: readonly Stretch[] };

const invisible =
  '\\u0000\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u206a-\\u206f\\ufe00-\\ufe0f\\ufeff';
const spaces = '\\u00a0\\u2000-\\u200a\\u202f\\u205f\\u3000';
const dashes = '\\u2010-\\u2015\\u2212\\ufe58\\ufe63\\uff0d';
/** Blocks whose characters NFKC turns into ASCII: super- and subscripts, letterlike, enclosed, small and full-width forms. */
const compatible =
  '\\u00aa\\u00b2\\u00b3\\u00b9\\u00ba\\u2070-\\u209c\\u2100-\\u214f\\u2460-\\u24ff\\ufb00-\\ufb06\\ufe50-\\ufe6b\\uff01-\\uff5e';
const otherDigits = '\\u0660-\\u0669\\u06f0-\\u06f9\\u0966-\\u096f\\u09e6-\\u09ef\\u0e50-\\u0e59';
/** First halves of mathematical letters and digits, U+1D400 to U+1D7FF. */
const mathematical = '\\ud835';

const everyCode = Buffer.from(Uint16Array.from({ length: 0x10000 }, (_, code) => code).buffer).toString('utf16le');
const disguise = new RegExp(`[%&\\\\${invisible}${spaces}${dashes}${compatible}${otherDigits}${mathematical}]`, 'g');
/** The UTF-16 codes that may begin a disguise. */
export const disguiseCodes: ReadonlySet<number> = new Set(
  Array.from(everyCode.matchAll(disguise), ({ index }) => index),
);
const invisibleChar = sticky(`[${invisible}]`);
const spaceChar = sticky(`[${spaces}]`);
const dashChar = sticky(`[${dashes}]`);
const foldedChar = sticky(`[${compatible}${mathematical}]`);
const digitChar = sticky(`[${otherDigits}]`);
/** One percent escape; `%2540` is an escape of an escape. */
const percentEscape = sticky('%(?:25)?(?:25)?[2-7][0-9A-Fa-f]');
const unicodeEscape = sticky('\\\\(?:u00|x)[2-7][0-9A-Fa-f]');
/** A character reference of HTML: by name, by its number, by its number in hex. */
const reference = sticky(
  '&(?:amp|lt|gt|quot|apos|nbsp|commat|colon|equals|period|lowbar|sol|#0{0,4}\\d{2,3}|#[xX]0{0,4}[2-7][0-9A-Fa-f]);',
);
const named: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', commat: '@', colon: ':', equals: '=', period: '.' },
  ...{ lowbar: '_', sol: '/' },
};

/** First code of the blocks of `otherDigits`, each zero to nine. */
const digitZeros = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50];

function digitValue(code: number): string {
  const zero = digitZeros.findLast((first) => first <= code) ?? code;
  return String(code - zero);
}

/** Answers of `plainChar`; at most as many as the blocks above have characters. */
const plainChars = new Map<number, string>();

function plainChar(char: string, code: number): string {
  if (matchEnd(invisibleChar, char, 0) !== -1) return '';
  if (matchEnd(spaceChar, char, 0) !== -1) return ' ';
  if (matchEnd(dashChar, char, 0) !== -1) return '-';
  if (matchEnd(digitChar, char, 0) !== -1) return digitValue(code);
  return matchEnd(foldedChar, char, 0) === -1 ? char : char.normalize('NFKC');
}

/** What stands for `length` UTF-16 units from `at` on. */
type Replacement = { at: number; length: number; text: string };

/** What the character at `at` stands for; undefined for itself. */
function replacementAt(text: string, at: number): Replacement | undefined {
  const code = codeAt(text, at);
  if (code === 92 && text[at + 1] !== 'u' && text[at + 1] !== 'x') return undefined;
  if (code === 38) return referenceAt(text, at);
  if (code === 37 || code === 92) {
    const end = matchEnd(code === 37 ? percentEscape : unicodeEscape, text, at);
    if (end === -1) return undefined;
    return { at, length: end - at, text: String.fromCharCode(Number.parseInt(text.slice(end - 2, end), 16)) };
  }
  const point = pointAt(text, at, code);
  if (point >= 0xd800 && point <= 0xdfff) return undefined;
  let plain = plainChars.get(point);
  if (plain === undefined) {
    plain = plainChar(String.fromCodePoint(point), code);
    plainChars.set(point, plain);
  }
  return { at, length: point > 0xffff ? 2 : 1, text: plain };
}

function referenceAt(text: string, at: number): Replacement | undefined {
  const end = matchEnd(reference, text, at);
  if (end === -1) return undefined;
  const name = text.slice(at + 1, end - 1);
  const known = named[name];
  if (known !== undefined) return { at, length: end - at, text: known };
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code >= 32 && code < 127 ? { at, length: end - at, text: String.fromCharCode(code) } : undefined;
}

/** As `codePointAt`, which V8 lets read one unit past the end of a string that is a slice of a longer one. */
function pointAt(text: string, at: number, high: number): number {
  const low = codeAt(text, at + 1);
  const isPair = high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
  return isPair ? (high - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000 : high;
}

/** What surrounds a disguise is read with it: as far as a token reaches, and on to the next white space. */
const windowMax = 256;

/** `places` are those of all characters of `disguiseCodes`. */
function replacements(text: string, places: readonly number[]): Replacement[] {
  const found: Replacement[] = [];
  for (const at of places) {
    const replacement = replacementAt(text, at);
    if (replacement !== undefined && !isPunctuation(text, replacement)) found.push(replacement);
  }
  return found;
}

/** A dash between words and a wide space between words hide nothing; between digits they may stand in a number. */
function isPunctuation(text: string, { at, length, text: plain }: Replacement): boolean {
  const before = codeAt(text, at - 1);
  const after = codeAt(text, at + length);
  if (plain === ' ') return !isDigit(before) && !isDigit(after);
  return plain === '-' && (isSpace(before) || isSpace(after));
}

/** Replaces within `[start, end)` and keeps the way back to the whole text. */
function applied(text: string, start: number, end: number, replaced: readonly Replacement[]): NormalisedText {
  const stretches: Stretch[] = [];
  const parts: string[] = [];
  let kept = start;
  let length = 0;
  const add = (part: string, from: number, to: number, oneToOne: boolean): void => {
    if (part === '') return;
    parts.push(part);
    const last = stretches.at(-1);
    if (oneToOne && last?.oneToOne && last.to === from) last.to = to;
    else stretches.push({ start: length, from, to, oneToOne });
    length += part.length;
  };
  for (const each of replaced) {
    add(text.slice(kept, each.at), kept, each.at, true);
    kept = each.at + each.length;
    add(each.text, each.at, kept, each.length === 1 && each.text.length === 1);
  }
  add(text.slice(kept, end), kept, end, true);
  return { text: parts.join(''), stretches };
}

/** Where `[start, end)` of a normalised text, which is not empty, comes from. */
export function originOf({ stretches }: NormalisedText, start: number, end: number): { start: number; end: number } {
  const first = stretchAt(stretches, start);
  const last = stretchAt(stretches, end - 1);
  return {
    start: first.oneToOne ? first.from + start - first.start : first.from,
    end: last.oneToOne ? last.from + end - last.start : last.to,
  };
}

function stretchAt(stretches: readonly Stretch[], at: number): Stretch {
  let [low, high] = [0, stretches.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((stretches[middle]?.start ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return stretches[low] ?? { start: 0, from: 0, to: 0, oneToOne: true };
}

function spaceBefore(text: string, from: number, floor: number): number {
  let at = Math.max(from, floor);
  while (at > floor && !isSpace(codeAt(text, at - 1))) at--;
  return at;
}

function spaceAfter(text: string, from: number): number {
  let at = Math.min(from, text.length);
  while (at < text.length && !isSpace(codeAt(text, at))) at++;
  return at;
}

/**
 * The parts of the text around disguises, with the disguises undone. Empty when there are none. `places` are those of all
 * characters of `disguiseCodes`.
 */
export function normalisedParts(text: string, places: readonly number[]): NormalisedText[] {
  const parts: NormalisedText[] = [];
  const found = replacements(text, places);
  for (let i = 0, floor = 0; i < found.length; ) {
    const first = found[i];
    if (first === undefined) break;
    const start = spaceBefore(text, first.at - windowMax, floor);
    let end = spaceAfter(text, first.at + first.length + windowMax);
    let next = i + 1;
    for (let more = found[next]; more !== undefined && more.at <= end; more = found[next]) {
      if (more.at + windowMax > end) end = spaceAfter(text, Math.max(end, more.at + more.length + windowMax));
      next++;
    }
    parts.push(applied(text, start, end, found.slice(i, next)));
    floor = end;
    i = next;
  }
  return parts;
}

/** The whole text with disguises undone. */
export function undisguised(text: string): string {
  const places: number[] = [];
  for (let at = 0; at < text.length; at++) if (disguiseCodes.has(text.charCodeAt(at))) places.push(at);
  const found = replacements(text, places);
  return found.length === 0 ? text : applied(text, 0, text.length, found).text;
}
