import { columnAt, type ScanInput } from './detector.ts';
import { anyLiteral } from './pattern.ts';

/** How far a context word may stand from what it speaks about. */
const contextMax = 60;

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
  const pattern = anyLiteral([...words.near, ...words.against], { words: true });
  const read = (part: string, last: boolean): Context => {
    const found = part.toLowerCase().replaceAll('_', ' ').replaceAll('-', ' ').match(pattern);
    const word = last ? found?.at(-1) : found?.[0];
    return word === undefined ? 'none' : near.has(word) ? 'near' : 'against';
  };
  return (text, keyName, start, end) => {
    const before = read(text.slice(Math.max(0, start - contextMax), start), true);
    if (before !== 'none') return before;
    // camelCase key names come apart into words
    const key = keyName === '' ? 'none' : read(keyName.slice(0, 64).replace(/([a-z0-9])(?=[A-Z])/g, '$1 '), true);
    return key !== 'none' ? key : read(text.slice(end, end + contextMax), false);
  };
}
