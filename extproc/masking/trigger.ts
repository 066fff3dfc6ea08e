import { LiteralIndex, type Literals, otherSymbol, type Place, shifted, symbolMask, symbolOf } from './literals.ts';
import { disguiseCodes } from './normalise.ts';

/** Kinds of characters: what a text holds none of, many detectors need not look for. The low bits are the symbol's. */
export const charKind = {
  digit: 1 << 5,
  at: 1 << 6,
  colon: 1 << 7,
  hyphen: 1 << 8,
  dot: 1 << 9,
  /** What may stand between a name and its value: `=`, `:`, `,` and `>`. */
  operator: 1 << 10,
  /** What may begin a disguise (`normalise.ts`). */
  disguise: 1 << 11,
  /** Beyond Latin-1. */
  wide: 1 << 12,
} as const;

const marks: Readonly<Record<string, number>> = {
  '@': charKind.at,
  ':': charKind.colon | charKind.operator,
  '-': charKind.hyphen,
  '.': charKind.dot,
  '=': charKind.operator,
  ',': charKind.operator,
  '>': charKind.operator,
};

function bitsOf(code: number): number {
  const kind = code >= 48 && code <= 57 ? charKind.digit : (marks[String.fromCharCode(code)] ?? 0);
  return symbolOf(code) | kind;
}

/** Symbol and kinds of each UTF-16 code. */
const codeBits = new Uint16Array(0x10000).fill(otherSymbol).fill(otherSymbol | charKind.wide, 0x100);
for (let code = 0; code < 128; code++) codeBits[code] = bitsOf(code);
for (const code of disguiseCodes) codeBits[code] = (codeBits[code] ?? 0) | charKind.disguise;
const placed = charKind.digit | charKind.operator | charKind.disguise;

/** What one pass over a text found for the detectors to look at; places in order. */
export type Triggers = {
  /** The kinds of all its characters together. */
  kinds: number;
  /** The first digit of each run. */
  digitRuns: readonly number[];
  operators: readonly number[];
  disguises: readonly number[];
  places: ReadonlyMap<Literals, readonly Place[]>;
};

/** UTF-16 codes of the piece of a text that is being read. A loop over an array is twice as fast as one over a string. */
const pieceBytes = Buffer.alloc(64 * 1024);
const pieceCodes = new Uint16Array(pieceBytes.buffer, pieceBytes.byteOffset, pieceBytes.length / 2);
/** Shorter texts cost less by themselves than a call to copy them. */
const copiedMin = 48;

/** Reads as many characters from `from` as there is room for; answers how many. */
function readPiece(text: string, from: number): number {
  const length = Math.min(text.length - from, pieceCodes.length);
  if (length < copiedMin) for (let i = 0; i < length; i++) pieceCodes[i] = text.charCodeAt(from + i);
  else pieceBytes.write(length === text.length ? text : text.slice(from, from + length), 0, 'utf16le');
  return length;
}

/** Finds what triggers detectors, for all of them at once: reading the text is most of what a scan costs. */
export class TriggerFinder {
  readonly #index: LiteralIndex;

  constructor(sets: readonly Literals[]) {
    this.#index = new LiteralIndex(sets);
  }

  find(text: string): Triggers {
    const reading = new Reading(this.#index);
    for (let from = 0; from < text.length; from += pieceCodes.length) reading.piece(from, readPiece(text, from));
    return reading.end(text);
  }
}

/** One pass over a text, in pieces. */
class Reading {
  readonly #index: LiteralIndex;
  readonly #digitRuns: number[] = [];
  readonly #operators: number[] = [];
  readonly #disguises: number[] = [];
  /** Where a literal may begin, each followed by its window. */
  readonly #beginnings: number[] = [];
  #kinds = 0;
  #window = 0;
  #bits = 0;

  constructor(index: LiteralIndex) {
    this.#index = index;
  }

  /** Reads `pieceCodes`, which begin at `from`. One loop and nothing around it, which is what V8 compiles best. */
  piece(from: number, length: number): void {
    const index = this.#index;
    let kinds = this.#kinds;
    let window = this.#window;
    let bits = this.#bits;
    for (let i = 0; i < length; i++) {
      const before = bits;
      bits = codeBits[pieceCodes[i] ?? 0] ?? 0;
      kinds |= bits;
      window = shifted(window, bits & symbolMask);
      if (index.begins(window)) this.#beginnings.push(from + i - LiteralIndex.reach, window);
      if ((bits & placed) === 0) continue;
      if ((bits & charKind.operator) !== 0) this.#operators.push(from + i);
      else if ((bits & charKind.disguise) !== 0) this.#disguises.push(from + i);
      else if ((before & charKind.digit) === 0) this.#digitRuns.push(from + i);
    }
    this.#kinds = kinds;
    this.#window = window;
    this.#bits = bits;
  }

  end(text: string): Triggers {
    for (let left = LiteralIndex.reach; left > 0; left--) {
      this.#window = shifted(this.#window, 0);
      if (this.#index.begins(this.#window)) this.#beginnings.push(text.length - left, this.#window);
    }
    const places = this.#beginnings.length === 0 ? nowhere : this.#places(text);
    const [digitRuns, operators, disguises] = [this.#digitRuns, this.#operators, this.#disguises];
    return { kinds: this.#kinds, digitRuns, operators, disguises, places };
  }

  #places(text: string): Triggers['places'] {
    const places = new Map<Literals, Place[]>();
    const beginnings = this.#beginnings;
    for (let i = 0; i < beginnings.length; i += 2) {
      this.#index.collect(text, beginnings[i] ?? 0, beginnings[i + 1] ?? 0, places);
    }
    return places;
  }
}

const nowhere: Triggers['places'] = new Map();
