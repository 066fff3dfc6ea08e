import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { SkilltapeError } from '../errors.ts';
import { type FindingType, findingTypes, plainTypes } from './finding.ts';
import { undisguised } from './normalise.ts';
import { fitsWhole, matchEnd, sticky } from './pattern.ts';

const keyBytesMin = 32;
const hexLength = 16;
const anyToken = sticky(`\\[(?:${findingTypes.join('|')})(?::[0-9a-f]{${hexLength}})?\\]`);
/** Of whatever type, an operator's own too. */
const hashedToken = sticky(`\\[[A-Z][A-Z0-9_]{1,31}:[0-9a-f]{${hexLength}}\\]`);
const rememberedMax = 4096;

/** Whether the text is one token and nothing else. */
export function isToken(text: string): boolean {
  return text.length < 40 && fitsWhole(anyToken, text);
}

/** End of the token that begins at `at`, or -1. */
export function tokenEnd(text: string, at: number): number {
  return matchEnd(anyToken, text, at);
}

/** Finds all tokens of these types. */
export function tokensOf(types: readonly FindingType[]): RegExp {
  return new RegExp(`\\[(?:${types.join('|')})(?::[0-9a-f]{${hexLength}})?\\]`, 'g');
}

/** Every different token with a hash in a text, in the order in which they first stand there. */
export function hashedTokensIn(text: string): string[] {
  const tokens = new Set<string>();
  for (let at = text.indexOf('['); at !== -1; at = text.indexOf('[', at + 1)) {
    const token = text.slice(at, Math.max(at, matchEnd(hashedToken, text, at)));
    if (token !== '') tokens.add(token);
  }
  return [...tokens];
}

/** The type that a token names, or undefined when the text is no token. */
export function typeOfToken(token: string): string | undefined {
  return isToken(token) || fitsWhole(hashedToken, token) ? /^\[([A-Z][A-Z0-9_]*)/.exec(token)?.[1] : undefined;
}

/** One form for what means the same: an address in upper case, an IBAN in groups, a key block with escaped line ends. */
function canonical(type: FindingType, value: string): string {
  const plain = undisguised(value);
  if (type === 'EMAIL' || type === 'IP') return plain.toLowerCase();
  if (type === 'NAME' || type === 'ADDRESS') return plain.toLowerCase().replace(/\s+/g, ' ');
  if (type === 'IBAN') return plain.replace(/[ -]/g, '').toUpperCase();
  return type === 'PEM' ? plain.replace(/\\[nr]|\s/g, '') : plain;
}

/**
 * Writes what stands in place of a finding: `[SSN]`, or `[EMAIL:<16 hex>]` with 64 bits of HMAC-SHA256 over scope, type
 * and canonical value, so that the same value has the same token within a scope and nowhere else (inv. 6).
 */
export class Tokens {
  readonly #key: KeyObject;
  readonly #remembered = new Map<string, string>();

  constructor(key: Uint8Array) {
    if (key.length < keyBytesMin) {
      throw new SkilltapeError('key_invalid', `the masking key has ${key.length} bytes, ${keyBytesMin} are needed`);
    }
    this.#key = createSecretKey(key);
  }

  token(type: FindingType, value: string, scope: string): string {
    if (plainTypes.has(type)) return `[${type}]`;
    const message = `${scope.length}:${scope}${type}:${canonical(type, value)}`;
    if (message.length > 256) return this.#hashed(type, message);
    let token = this.#remembered.get(message);
    if (token === undefined) {
      token = this.#hashed(type, message);
      if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
      this.#remembered.set(message, token);
    }
    return token;
  }

  /** A hash of digits alone could itself be taken for a card or an IBAN: then the next one is used. */
  #hashed(type: FindingType, message: string): string {
    for (let round = 0; ; round++) {
      const hmac = createHmac('sha256', this.#key).update(`${round}:${message}`, 'utf8');
      const hex = hmac.digest('hex').slice(0, hexLength);
      if (/[a-f]/.test(hex.slice(2))) return `[${type}:${hex}]`;
    }
  }
}
