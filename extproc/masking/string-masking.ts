import { isAlnum } from './characters.ts';
import { type JsonToken, lexJson } from './json-lexer.ts';
import { JsonPairs } from './json-pair.ts';
import { KeyNames } from './key-names.ts';
import { halfOf, headAndTail, isLong, maskLongText } from './long-text.ts';
import { isSecretUnderKey, type TextMasking } from './text-masking.ts';

/** JSON within strings of JSON is read this deep; deeper, and above this many characters, it is scanned as text. */
export const nestingMax = 3;
const jsonLengthMax = 4 * 1024 * 1024;
const jsonBeginning = /^\s{0,16}[{["]/;

/** Whether a string is short enough and begins so that it may be JSON. */
export function mayBeJson(text: string): boolean {
  const first = text.charCodeAt(0);
  // most strings begin with a letter
  return text.length <= jsonLengthMax && !isAlnum(first) && jsonBeginning.test(text);
}

/** Masks a string that stands under a key: JSON in it piece by piece and in place, anything else as text. */
export function maskString(masking: TextMasking, text: string, keyName: string, nesting = 0): string {
  if (masking.finds('SECRET') && isSecretUnderKey(text, keyName)) return masking.whole(text);
  if (nesting < nestingMax && mayBeJson(text)) {
    const half = isLong(masking, text) ? halfOf(masking) : text.length;
    const tokens = lexJson(text, (start, end) => start < half || end > text.length - half);
    if (tokens !== undefined) {
      const json = { text, tokens, keys: new JsonKeys(masking), nesting: nesting + 1 };
      return half === text.length ? maskJson(masking, json, 0, half) : maskLongJson(masking, json, half);
    }
  }
  return isLong(masking, text) ? maskLongText(masking, text, keyName) : masking.text(text, keyName);
}

type Json = { text: string; tokens: readonly JsonToken[]; keys: JsonKeys; nesting: number };

/** A string or key that reaches over a cut is masked as a whole: its end, or its beginning, is what it is recognised by. */
function maskLongJson(masking: TextMasking, json: Json, half: number): string {
  const { text, tokens } = json;
  const cut = text.length - half;
  const from = Math.min(cut, tokens.find(({ end }) => end > cut)?.start ?? cut);
  const to = Math.max(half, tokens.findLast(({ start }) => start < half)?.end ?? half);
  const head = maskJson(masking, json, 0, to);
  return headAndTail(masking, text, head, maskJson(masking, json, from, text.length));
}

/** Only what was found is written anew: white space, double keys, long integers and lone surrogates stay as they were. */
function maskJson(masking: TextMasking, { text, tokens, keys, nesting }: Json, from: number, to: number): string {
  const parts: string[] = [];
  let kept = from;
  for (const token of tokens) {
    if (token.start < from || token.end > to) continue;
    const masked = maskToken(masking, token, keys, nesting);
    if (masked === token.value) continue;
    const literal = JSON.stringify(masked);
    parts.push(text.slice(kept, token.start), token.open ? literal.slice(0, -1) : literal);
    kept = token.end;
  }
  parts.push(text.slice(kept, to));
  return parts.join('');
}

function maskToken(masking: TextMasking, token: JsonToken, keys: JsonKeys, nesting: number): string {
  switch (token.kind) {
    case 'string':
      return maskString(masking, token.value, keys.nameOf(token), nesting);
    case 'number':
      return masking.number(token.value, keys.nameOf(token)) ?? token.value;
    case 'key':
      return keys.claim(token);
  }
}

/** The keys of one JSON text. A value's context is its key as masked, so that a second masking sees the same. */
class JsonKeys {
  readonly #masking: TextMasking;
  readonly #masked = new Map<string, string>();
  readonly #names = new Map<number, KeyNames>();
  readonly #pairs = new JsonPairs();

  constructor(masking: TextMasking) {
    this.#masking = masking;
  }

  /** What a value stands under, as masked. */
  nameOf(token: JsonToken): string {
    const name = this.#pairs.keyNameOf(token);
    return this.#masked.get(name) ?? name;
  }

  claim({ value, object }: JsonToken): string {
    const masked = this.#masking.text(value, '');
    if (masked !== value) this.#masked.set(value, masked);
    let names = this.#names.get(object);
    if (names === undefined) {
      names = new KeyNames();
      this.#names.set(object, names);
    }
    return names.claim(value, masked);
  }
}
