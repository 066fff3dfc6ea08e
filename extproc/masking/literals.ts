/** Fixed strings of Latin-1 that a detector looks for, of two characters or more; in lower case where case is ignored. */
export type Literals = { strings: readonly string[]; ignoreCase: boolean };

/** Where one of them stands. Of those that begin at the same character it is the longest. */
export type Place = { at: number; literal: string };

/** Five bits that stand for a character; upper and lower case have the same, and so have many marks. */
const symbolBits = 5;
export const symbolMask = (1 << symbolBits) - 1;
export const otherSymbol = symbolMask;
/** The symbols of four characters are a number of 20 bits, the last in the lowest. */
const windowLength = 4;
const windowMask = (1 << (windowLength * symbolBits)) - 1;

/** All beyond ASCII has the symbol of other marks. */
export function symbolOf(code: number): number {
  const char = String.fromCharCode(code);
  if (/[a-z]/i.test(char)) return char.toLowerCase().charCodeAt(0) - 96;
  if (/\d/.test(char)) return 27;
  const mark = '-_ '.indexOf(char);
  return mark === -1 ? otherSymbol : 28 + mark;
}

/** The window one character on. */
export function shifted(window: number, symbol: number): number {
  return ((window << symbolBits) | symbol) & windowMask;
}

/** The literals of one set that begin with the same window, longest first. */
type Beginners = { set: Literals; strings: string[] };

/** Literals of several sets by the window they begin with: hardly one window of a text begins any, and one look says so. */
export class LiteralIndex {
  /** How far behind the first character of a literal its window ends. */
  static readonly reach = windowLength - 1;
  /** One bit for each window. */
  readonly #begins = new Uint32Array((windowMask + 1) / 32);
  readonly #beginners = new Map<number, Beginners[]>();

  constructor(sets: readonly Literals[]) {
    for (const set of sets) {
      const sorted = [...new Set(set.strings)].sort((a, b) => b.length - a.length);
      for (const literal of sorted) for (const window of windowsOf(literal)) this.#add(window, set, literal);
    }
  }

  /** Whether a literal may begin with this window. */
  begins(window: number): boolean {
    return (((this.#begins[window >>> 5] ?? 0) >>> (window & 31)) & 1) !== 0;
  }

  /** Adds to the lists of `places` what stands at `at`, where the text has this window. */
  collect(text: string, at: number, window: number, places: Map<Literals, Place[]>): void {
    for (const { set, strings } of this.#beginners.get(window) ?? []) {
      const literal = strings.find((each) => standsAt(text, at, each, set.ignoreCase));
      if (literal === undefined) continue;
      const list = places.get(set);
      if (list === undefined) places.set(set, [{ at, literal }]);
      else list.push({ at, literal });
    }
  }

  #add(window: number, set: Literals, literal: string): void {
    this.#begins[window >>> 5] = (this.#begins[window >>> 5] ?? 0) | (1 << (window & 31));
    const beginners = this.#beginners.get(window) ?? [];
    this.#beginners.set(window, beginners);
    const ofSet = beginners.find((each) => each.set === set);
    if (ofSet === undefined) beginners.push({ set, strings: [literal] });
    else ofSet.strings.push(literal);
  }
}

/** A literal shorter than a window begins with many: whatever follows it is in them, also the end of the text. */
function windowsOf(literal: string): number[] {
  let windows = [0];
  for (let i = 0; i < windowLength; i++) {
    const symbols =
      i < literal.length ? [symbolOf(literal.charCodeAt(i))] : Array.from({ length: 32 }, (_, symbol) => symbol);
    windows = windows.flatMap((window) => symbols.map((symbol) => shifted(window, symbol)));
  }
  return windows;
}

function standsAt(text: string, at: number, literal: string, ignoreCase: boolean): boolean {
  if (at < 0 || at + literal.length > text.length) return false;
  for (let i = 0; i < literal.length; i++) {
    const code = text.charCodeAt(at + i);
    if ((ignoreCase ? lowerCase(code) : code) !== literal.charCodeAt(i)) return false;
  }
  return true;
}

/** As a pattern with the flag `i` folds what is in Latin-1. */
function lowerCase(code: number): number {
  const isUpper = (code >= 65 && code <= 90) || (code >= 0xc0 && code <= 0xde && code !== 0xd7);
  return isUpper ? code + 32 : code;
}
