/** JSON of strangers: parsed only when every parser would read it in the same way, with bounded depth and in linear time. */
import { Buffer, isUtf8 } from 'node:buffer';
import { syntaxFaultOffset } from './json-syntax.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };

/** Nesting allowed in a request or an answer: `[[1]]` has depth 2. */
export const requestMaxDepth = 200;

/**
 * Commas and opening brackets allowed in a request or an answer: the tokens that values come with. A body of small values takes
 * twenty times as long to parse as one of text, and while it is parsed no other exchange goes on (inv. 10, 11).
 */
export const requestMaxTokens = 500_000;

export type JsonFault = 'invalid_utf8' | 'invalid_json' | 'too_deep' | 'too_many_values' | 'duplicate_key';

/** `detail` names the place as a byte offset and never repeats what stands there. */
export type StrictJson = { ok: true; value: JsonValue } | { ok: false; fault: JsonFault; detail: string };

/**
 * Parses a body that is judged here and then read again by the upstream's parser. Refused is what two parsers could
 * read differently: a duplicate key (compared after unescaping), bytes that are not UTF-8, a byte order mark, and
 * nesting beyond `maxDepth`. A key named `__proto__` becomes an own property, as JSON.parse makes it.
 * `exactIntegers`: for a reader of the record, see `parsedExactly`; what is judged has numbers as the upstream may read them.
 * `letGo` is called when the bytes are not needed any more: text and value of a large body need its memory.
 */
export function parseStrictJson(
  bytes: Uint8Array,
  limits: { maxDepth: number; maxTokens?: number; exactIntegers?: boolean },
  letGo: () => void = () => {},
): StrictJson {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(buffer)) {
    return {
      ok: false,
      fault: 'invalid_utf8',
      detail: `not UTF-8 at byte ${firstInvalidByte(buffer)}`,
    };
  }
  const text = buffer.toString('utf8');
  letGo();
  if (text.charCodeAt(0) === byteOrderMark) {
    return {
      ok: false,
      fault: 'invalid_json',
      detail: 'byte order mark at byte 0',
    };
  }
  const { maxDepth, maxTokens = Number.POSITIVE_INFINITY, exactIntegers = false } = limits;
  const structure = scanStructure(text, maxDepth, true, maxTokens);
  if (structure !== null) {
    const what = faultText(structure.fault, maxDepth);
    return {
      ok: false,
      fault: structure.fault,
      detail: `${what} at byte ${byteOffset(text, structure.offset)}`,
    };
  }
  try {
    return { ok: true, value: exactIntegers ? parsedExactly(text) : JSON.parse(text) };
  } catch {
    return { ok: false, fault: 'invalid_json', detail: `not JSON${placeOf(text)}` };
  }
}

/** Finding the place takes several times as long as parsing did. */
const placedMaxChars = 4 * 1024 * 1024;

/** The message of JSON.parse quotes the text, so the place is found again without it. */
function placeOf(text: string): string {
  if (text.length > placedMaxChars) return '';
  return ` at byte ${byteOffset(text, syntaxFaultOffset(text) ?? text.length)}`;
}

/**
 * Parses text of the upstream: bounded in depth and number of values, the last duplicate wins as in the SDKs; integers as
 * in `parsedExactly`; undefined when it is not JSON.
 */
export function parseBoundedJson(text: string, maxDepth: number = requestMaxDepth): JsonValue | undefined {
  if (scanStructure(text, maxDepth, false, requestMaxTokens) !== null) return undefined;
  try {
    return parsedExactly(text);
  } catch {
    return undefined;
  }
}

/** Shorter ones are exact. The pattern sees numbers, and now and then a string that holds one: it only costs time. */
const mayHoldLongInteger = /[[:,\s]-?\d{16}/;
const longInteger = /^-?\d{16,}$/;

/**
 * As `JSON.parse`, but integers that a double cannot hold become the text of their digits: rounded, a card number of 19
 * digits would not be recognised as one, and most of it would be readable.
 */
function parsedExactly(text: string): JsonValue {
  if (!mayHoldLongInteger.test(text)) return JSON.parse(text);
  const exact = (_key: string, value: JsonValue, context?: { source?: string }): JsonValue => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const digits = context?.source ?? '';
    return longInteger.test(digits) ? digits : value;
  };
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects of a list, such as the blocks of a message's content; none of anything else. */
export function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

const byteOrderMark = 0xfeff;
const quote = 0x22;
const comma = 0x2c;
const bracketOpen = 0x5b;
const backslash = 0x5c;
const bracketClose = 0x5d;
const braceOpen = 0x7b;
const braceClose = 0x7d;

type StructureFault = { fault: 'too_deep' | 'too_many_values' | 'duplicate_key'; offset: number };

function faultText(fault: StructureFault['fault'], maxDepth: number): string {
  switch (fault) {
    case 'too_deep':
      return `nested deeper than ${maxDepth}`;
    case 'too_many_values':
      return 'too many values';
    case 'duplicate_key':
      return 'duplicate object key';
  }
}

/** Exact for valid JSON; other text may pass, because JSON.parse refuses it afterwards. */
function scanStructure(text: string, maxDepth: number, uniqueKeys: boolean, maxTokens: number): StructureFault | null {
  let tokens = 0;
  const keys = new OpenKeys();
  // True for an object.
  const inObject: boolean[] = [];
  let keyNext = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = stringEnd(text, at);
        if (keyNext && uniqueKeys && !keys.add(keyText(text, at, end))) return { fault: 'duplicate_key', offset: at };
        keyNext = false;
        at = end;
        break;
      }
      case braceOpen:
      case bracketOpen:
        if (inObject.length >= maxDepth) return { fault: 'too_deep', offset: at };
        tokens += 1;
        if (tokens > maxTokens) return { fault: 'too_many_values', offset: at };
        keyNext = text.charCodeAt(at) === braceOpen;
        inObject.push(keyNext);
        if (keyNext) keys.open();
        break;
      case braceClose:
      case bracketClose:
        if (inObject.pop() === true) keys.close();
        keyNext = false;
        break;
      case comma:
        tokens += 1;
        if (tokens > maxTokens) return { fault: 'too_many_values', offset: at };
        keyNext = inObject[inObject.length - 1] === true;
        break;
    }
  }
  return null;
}

/** The index of the closing quote. Each run of backslashes is counted once, for the quote after it. */
export function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before -= 1;
    if ((end - before) % 2 === 1) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** Lone surrogates are made equal, because some parsers replace them all by U+FFFD. */
function keyText(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`)).toWellFormed();
  } catch {
    return raw;
  }
}

/** The keys seen in each open object: a short list, and a set once comparing one by one would not be linear. */
class OpenKeys {
  readonly #keys: string[] = [];
  readonly #starts: number[] = [];
  readonly #sets: (Set<string> | null)[] = [];

  open(): void {
    this.#starts.push(this.#keys.length);
    this.#sets.push(null);
  }

  close(): void {
    this.#keys.length = this.#starts.pop() ?? 0;
    this.#sets.pop();
  }

  /** False if the innermost open object has the key already. */
  add(key: string): boolean {
    const level = this.#sets.length - 1;
    const set = this.#sets[level];
    if (set) {
      const size = set.size;
      return set.add(key).size > size;
    }
    const start = this.#starts[level] ?? 0;
    for (let at = start; at < this.#keys.length; at += 1) if (this.#keys[at] === key) return false;
    this.#keys.push(key);
    if (this.#keys.length - start > 12) this.#sets[level] = new Set(this.#keys.slice(start));
    return true;
  }
}

function byteOffset(text: string, offset: number): number {
  return Buffer.byteLength(text.slice(0, offset));
}

/** Everything before the first replacement character that the bytes do not really hold is valid. */
function firstInvalidByte(buffer: Buffer): number {
  const text = buffer.toString('utf8');
  let from = 0;
  let bytes = 0;
  for (;;) {
    const at = text.indexOf('\ufffd', from);
    if (at === -1) return bytes;
    bytes += Buffer.byteLength(text.slice(from, at));
    if (buffer[bytes] !== 0xef || buffer[bytes + 1] !== 0xbf || buffer[bytes + 2] !== 0xbd) return bytes;
    bytes += 3;
    from = at + 1;
  }
}
