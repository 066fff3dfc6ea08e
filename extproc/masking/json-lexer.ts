import { codeAt, isAlnum, isDigit, isSpace } from './characters.ts';

/** Arrays and objects nested deeper than this make it text. */
const containersMax = 1000;

const space = 32;
const quote = 34;
const backslash = 92;

/**
 * A string, key or number of a JSON text, with its place. `value` is the string itself or the digits as written;
 * `keyName` the key it stands under (through arrays); `object` numbers the object a key belongs to.
 */
export type JsonToken = {
  kind: 'key' | 'string' | 'number';
  start: number;
  end: number;
  value: string;
  keyName: string;
  object: number;
  /** The text ended within this string. */
  open: boolean;
};

type Container = { isObject: boolean; object: number; keyName: string };
type Expects = 'key' | 'colon' | 'value' | 'comma';

/**
 * Reads JSON, several values after each other, and JSON that was cut off; undefined for anything else. Linear. Gives
 * those tokens of which `isWanted` says so by their places.
 */
export function lexJson(
  text: string,
  isWanted: (start: number, end: number) => boolean = () => true,
): JsonToken[] | undefined {
  return new JsonLexer(text, isWanted).run();
}

class JsonLexer {
  readonly #text: string;
  readonly #isWanted: (start: number, end: number) => boolean;
  readonly #tokens: JsonToken[] = [];
  readonly #containers: Container[] = [];
  #expects: Expects = 'value';
  #at = 0;
  #objects = 0;

  constructor(text: string, isWanted: (start: number, end: number) => boolean) {
    this.#text = text;
    this.#isWanted = isWanted;
  }

  run(): JsonToken[] | undefined {
    while (true) {
      while (isSpace(codeAt(this.#text, this.#at))) this.#at++;
      if (this.#at >= this.#text.length) return this.#tokens;
      if (!this.#step(this.#text.charAt(this.#at))) return undefined;
    }
  }

  #step(char: string): boolean {
    const top = this.#containers.at(-1);
    switch (char) {
      case '{':
      case '[':
        return this.#open(char === '{', top);
      case '}':
      case ']':
        return this.#close(char === '}', top);
      case ',':
        if (this.#expects !== 'comma' || top === undefined) return false;
        return this.#go(top.isObject ? 'key' : 'value');
      case ':':
        return this.#expects === 'colon' && this.#go('value');
      case '"':
        return this.#string(top);
      default:
        return this.#scalar(top);
    }
  }

  #go(expects: Expects): boolean {
    this.#at++;
    this.#expects = expects;
    return true;
  }

  #open(isObject: boolean, top: Container | undefined): boolean {
    const next = top === undefined && this.#expects === 'comma';
    if ((this.#expects !== 'value' && !next) || this.#containers.length >= containersMax) return false;
    this.#objects++;
    this.#containers.push({ isObject, object: this.#objects, keyName: isObject ? '' : (top?.keyName ?? '') });
    return this.#go(isObject ? 'key' : 'value');
  }

  #close(isObject: boolean, top: Container | undefined): boolean {
    if (top?.isObject !== isObject || this.#expects === 'colon') return false;
    this.#containers.pop();
    return this.#go('comma');
  }

  #string(top: Container | undefined): boolean {
    const isKey = this.#expects === 'key';
    if (!isKey && this.#expects !== 'value') return false;
    const start = this.#at;
    const { end, open, plain } = literalAt(this.#text, start);
    const value = plain ? this.#text.slice(start + 1, end - 1) : decoded(this.#text.slice(start, end), open);
    if (value === undefined) return false;
    const keyName = top?.keyName ?? '';
    this.#take({ kind: isKey ? 'key' : 'string', start, end, value, keyName, object: top?.object ?? 0, open });
    if (isKey && top !== undefined) top.keyName = value;
    this.#at = end;
    this.#expects = isKey ? 'colon' : 'comma';
    return true;
  }

  #take(token: JsonToken): void {
    if (this.#isWanted(token.start, token.end)) this.#tokens.push(token);
  }

  #scalar(top: Container | undefined): boolean {
    const start = this.#at;
    let end = start;
    while (isScalar(this.#text, end)) end++;
    const value = this.#text.slice(start, end);
    if (this.#expects !== 'value' || top === undefined || value === '') return false;
    const cut = end === this.#text.length;
    if (isDigit(value.charCodeAt(0)) || value.startsWith('-')) {
      if (Number.isNaN(Number(value)) && !cut) return false;
      this.#take({ kind: 'number', start, end, value, keyName: top.keyName, object: top.object, open: false });
    } else if (!['true', 'false', 'null'].some((word) => word === value || (cut && word.startsWith(value))))
      return false;
    this.#at = end;
    this.#expects = 'comma';
    return true;
  }
}

function isScalar(text: string, at: number): boolean {
  return isAlnum(codeAt(text, at)) || text[at] === '-' || text[at] === '+' || text[at] === '.';
}

type Literal = { end: number; open: boolean; plain: boolean };

/**
 * The string literal that begins at `start`: `open` when the text ends within it, `plain` when it stands for what is
 * between its quotes.
 */
function literalAt(text: string, start: number): Literal {
  let plain = true;
  let end = start + 1;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === quote) return { end: end + 1, open: false, plain };
    if (code === backslash) end++;
    if (code === backslash || code < space) plain = false;
  }
  return { end: text.length, open: true, plain: false };
}

function decoded(literal: string, open: boolean): string | undefined {
  return open ? decodeOpen(literal) : decode(literal);
}

function decode(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A string whose end is missing, without the escape that may be cut. */
function decodeOpen(literal: string): string | undefined {
  for (let drop = 0; drop <= 6; drop++) {
    const value = decode(`${literal.slice(0, literal.length - drop)}"`);
    if (value !== undefined) return value;
  }
  return undefined;
}
