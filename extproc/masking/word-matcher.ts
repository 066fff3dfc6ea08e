/** Finds any of thousands of listed values in one pass over a text: an automaton over words (Aho and Corasick, 1975). */
import { folded, gap, pieces, spelt } from './words.ts';

/** `matchCase`: the value counts only as it is written here. */
export type Listed<T> = { text: string; matchCase: boolean; of: T };

/** A value of several words ends here; `spelling` is null where case does not count. */
type End<T> = { pieces: number; spelling: string | null; of: T };

type State<T> = {
  next: Map<number, State<T>>;
  /** Where to go on when no next word fits: the longest ending of this state that begins a value. */
  fallback: State<T> | null;
  ends: End<T>[];
  /** The next shorter state on the way of fallbacks at which a value ends. */
  shorter: State<T> | null;
};

export class WordMatcher<T> {
  readonly #root: State<T> = newState();
  readonly #ids = new Map<string, number>([[' ', gap]]);
  /** By the low bits of the first character, which are the same in both cases: the lengths of listed words. */
  readonly #asciiLengths = new Int32Array(32);
  #piecesMax = 1;
  #wordMaxChars = 0;

  /** Of values that are the same but for their spelling the first counts. */
  constructor(listed: readonly Listed<T>[]) {
    for (const each of listed) this.#add(each);
    this.#link();
  }

  /** Tells every place at which a value stands, the longest of those that end there. */
  each(text: string, tell: (start: number, end: number, of: T) => void): void {
    const starts = new Int32Array(this.#piecesMax);
    let state = this.#root;
    let count = 0;
    pieces(text, (start, end, isGap) => {
      if (isGap && state === this.#root) return;
      const id = isGap ? gap : this.#idOf(text, start, end);
      starts[count % this.#piecesMax] = start;
      count += 1;
      state = id === undefined ? this.#root : this.#step(state, id);
      for (let found = state.ends.length > 0 ? state : state.shorter; found !== null; found = found.shorter) {
        const value = this.#endIn(found, text, starts, count, end);
        if (value === undefined) continue;
        tell(value.start, end, value.of);
        break;
      }
    });
  }

  /** Whether any value stands in the text. */
  isIn(text: string): boolean {
    let isFound = false;
    this.each(text, () => {
      isFound = true;
    });
    return isFound;
  }

  #endIn(
    { ends }: State<T>,
    text: string,
    starts: Int32Array,
    count: number,
    end: number,
  ): { start: number; of: T } | undefined {
    for (const { pieces: length, spelling, of } of ends) {
      const start = starts[(count - length) % this.#piecesMax] ?? 0;
      if (spelling === null || spelt(text.slice(start, end)) === spelling) return { start, of };
    }
    return undefined;
  }

  #step(from: State<T>, id: number): State<T> {
    for (let state: State<T> | null = from; state !== null; state = state.fallback) {
      const next = state.next.get(id);
      if (next !== undefined) return next;
    }
    return this.#root;
  }

  /** No listed word is longer when it is folded, and folding makes no character longer than eighteen. */
  #idOf(text: string, start: number, end: number): number | undefined {
    if (end - start > this.#wordMaxChars) return undefined;
    if (!isAscii(text, start, end)) return this.#ids.get(folded(text.slice(start, end)));
    // most words of a text begin no listed one of their length, and need no string of their own
    const lengths = this.#asciiLengths[text.charCodeAt(start) & 0x1f] ?? 0;
    if ((lengths & lengthBit(end - start)) === 0) return undefined;
    return this.#ids.get(text.slice(start, end).toLowerCase());
  }

  #add({ text, matchCase, of }: Listed<T>): void {
    let state = this.#root;
    let count = 0;
    const value = text.trim();
    pieces(value, (start, end, isGap) => {
      if (!isGap) this.#wordMaxChars = Math.max(this.#wordMaxChars, 2 * (end - start));
      const id = isGap ? gap : this.#newId(folded(value.slice(start, end)));
      const next = state.next.get(id) ?? newState<T>();
      state.next.set(id, next);
      state = next;
      count += 1;
    });
    if (count === 0) return;
    const spelling = matchCase ? spelt(value) : null;
    if (!state.ends.some((end) => end.spelling === spelling)) state.ends.push({ pieces: count, spelling, of });
    this.#piecesMax = Math.max(this.#piecesMax, count);
  }

  #newId(word: string): number {
    const id = this.#ids.get(word) ?? this.#ids.size + gap;
    const first = word.charCodeAt(0) & 0x1f;
    this.#asciiLengths[first] = (this.#asciiLengths[first] ?? 0) | lengthBit(word.length);
    this.#ids.set(word, id);
    return id;
  }

  /** Breadth first, so that the fallback of a state is linked before it. */
  #link(): void {
    const states = [...this.#root.next.values()];
    for (const state of states) state.fallback = this.#root;
    for (const state of states) {
      for (const [id, next] of state.next) {
        next.fallback = state.fallback === null ? this.#root : this.#step(state.fallback, id);
        next.shorter = next.fallback.ends.length > 0 ? next.fallback : next.fallback.shorter;
        states.push(next);
      }
    }
  }
}

function isAscii(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** Longer words than there are bits share the last. */
const lengthBit = (length: number): number => 1 << Math.min(length, 31);

function newState<T>(): State<T> {
  return { next: new Map(), fallback: null, ends: [], shorter: null };
}
