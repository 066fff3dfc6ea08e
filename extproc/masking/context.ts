import { columnAt, type ScanInput } from './detector.ts';
import { anyLiteral, literalSource } from './pattern.ts';
import { unspaced } from './words.ts';

/** How far a context word may stand from what it speaks about. */
const contextMax = 60;
const keyNameMax = 64;

/** Words that speak for a type, and words that speak against it. All lower case; `_` and `-` count as spaces. */
export type ContextWords = { near: readonly string[]; against: readonly string[] };

export type Context = 'near' | 'against' | 'none';

/** Reads the words around `[start, end)`, and the key it stands under. */
export type ContextFinder = (text: string, keyName: string, start: number, end: number) => Context;

/** The same in a table: there the name of the column speaks first, and what stands before is another cell. */
export function contextIn(find: ContextFinder, input: ScanInput, start: number, end: number): Context {
  const { text, keyName } = input;
  const column = keyName === '' ? columnAt(input, start) : '';
  const said = column === '' ? 'none' : find('', column, 0, 0);
  return said === 'none' ? find(text, keyName, start, end) : said;
}

/** Makes a function that says whether the words around `[start, end)` speak for the type. The nearest word before wins. */
export function contextFinder(words: ContextWords): ContextFinder {
  const near = new Set(words.near);
  const all = [...words.near, ...words.against];
  const ascii = anyLiteral(all.filter(isAscii), { words: true });
  const wide = wideWords(all.filter((word) => !isAscii(word)));
  const read = (part: string, last: boolean): Context => {
    const { words: plain, isWide } = wordsOf(part);
    if (plain === '') return 'none';
    const word = wide === null || !isWide ? atEnd(plain.match(ascii), last) : nearest(plain, [ascii, wide], last);
    return word === undefined ? 'none' : near.has(word) ? 'near' : 'against';
  };
  return (text, keyName, start, end) => {
    const before = read(text.slice(Math.max(0, start - contextMax), start), true);
    if (before !== 'none') return before;
    const key = keyName === '' ? 'none' : read(keyName.slice(0, keyNameMax), true);
    return key !== 'none' ? key : read(text.slice(end, end + contextMax), false);
  };
}

type Words = { words: string; isWide: boolean };

const letters = { none: 0, lower: 1, upper: 2, wide: 4, joined: 8 } as const;

/** Which letters a text has, and whether marks join its words. */
function lettersOf(text: string): number {
  let found: number = letters.none;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 97 && code <= 122) found |= letters.lower;
    else if (code >= 65 && code <= 90) found |= letters.upper;
    else if (code >= 128) found |= letters.wide;
    else if (code === 95 || code === 45) found |= letters.joined;
  }
  return found;
}

let lastPart = '';
let lastWords: Words = { words: '', isWide: false };

/** A text as words in lower case; empty where it has none. Several types ask for the same around one number. */
function wordsOf(part: string): Words {
  if (part === lastPart) return lastWords;
  const found = lettersOf(part);
  let words = (found & ~letters.joined) === 0 ? '' : part;
  if ((found & letters.upper) !== 0) words = words.replace(camelCase, '$1 ');
  if ((found & (letters.upper | letters.wide)) !== 0) words = words.toLowerCase();
  if ((found & letters.joined) !== 0) words = words.replaceAll('_', ' ').replaceAll('-', ' ');
  lastPart = part;
  lastWords = { words, isWide: (found & letters.wide) !== 0 };
  return lastWords;
}

function atEnd<T>(found: readonly T[] | null, last: boolean): T | undefined {
  return last ? found?.at(-1) : found?.[0];
}

/** The last word that any of the patterns finds, or the first. */
function nearest(text: string, patterns: readonly RegExp[], last: boolean): string | undefined {
  const found = patterns.flatMap((pattern) => [...text.matchAll(pattern)]).sort((a, b) => a.index - b.index);
  return atEnd(found, last)?.[0];
}

/** Where a name such as `nhsNumber` comes apart into words; `iPhone` does not. */
const camelCase = /([a-z0-9]{2})(?=[A-Z])/g;
const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text);

/** Words beyond ASCII, whose ends `\b` does not know; those of scripts without spaces may stand anywhere. */
function wideWords(words: readonly string[]): RegExp | null {
  if (words.length === 0) return null;
  const sorted = [...words].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const edge = (char: string | undefined, mark: string): string => (char && !unspaced.test(char) ? mark : '');
  const sources = sorted.map((word) => {
    const chars = [...word];
    return `${edge(chars[0], '(?<!\\p{L})')}${literalSource(word)}${edge(chars.at(-1), '(?!\\p{L})')}`;
  });
  return new RegExp(sources.join('|'), 'gu');
}
