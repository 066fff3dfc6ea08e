import { newScanBudget, type ScanBudget } from './detector.ts';
import {
  type Finding,
  type FindingCount,
  type FindingPlace,
  type FindingType,
  inOrder,
  ownPrefix,
  plainTypes,
} from './finding.ts';
import { isSensitiveKey } from './sensitive-key.ts';
import type { TimeBudget } from './time-budget.ts';
import { isToken, type Tokens } from './token.ts';
import type { Treatment } from './treatment.ts';

export type Scan = (text: string, keyName: string, budget: ScanBudget) => Finding[];

/** What was found, by which rule, and where if places have names. */
export type Found = { type: FindingType; rule: string; place?: FindingPlace | undefined };

/** Rounds until nothing more is found; a token is shorter than what it replaces and brings distant context nearer. */
const roundsMax = 6;
/** Shortest integer with something to hide: a phone number without area. */
const numberDigitsMin = 7;
const numberTypes: ReadonlySet<FindingType> = new Set(['CARD', 'SSN', 'PHONE', 'NATIONAL_ID', 'BIRTH_DATE']);

/**
 * What of a call's texts is kept, in characters: of a longer text head and tail, and of all texts together as many as
 * come first. What is not kept is not masked either, so that time and memory follow what is kept (inv. 10, 11). `time`
 * may be used up before.
 */
export type MaskingLimits = { textMaxChars: number; allMaxChars: number; time?: TimeBudget | undefined };
const noLimits: MaskingLimits = { textMaxChars: Number.POSITIVE_INFINITY, allMaxChars: Number.POSITIVE_INFINITY };

/** `value` is what stood where the token stands now: for the keeper of sealed rows, and for no sink (inv. 6). */
export type OnToken = (type: FindingType, value: string, token: string) => void;

type Part = { text: string; from: number; to: number };

/** The state of one `Masker` call: what was found so far and what costly checks are left. */
export class TextMasking {
  readonly #tokens: Tokens;
  readonly #scope: string;
  readonly #budget: ScanBudget = newScanBudget();
  readonly #counts = new Map<string, FindingCount>();
  readonly #limits: MaskingLimits;
  #roomChars: number;
  #isCut = false;
  #treatment: Treatment;
  /** Names the place of what is found now. */
  placeNow: (() => FindingPlace) | undefined;
  /** Told of each token that has a hash. */
  onToken: OnToken | undefined;
  onFound: ((found: Found) => void) | undefined;

  constructor(tokens: Tokens, treatment: Treatment, scope: string, limits: MaskingLimits = noLimits) {
    this.#tokens = tokens;
    this.#treatment = treatment;
    this.#scope = scope;
    this.#limits = limits;
    this.#roomChars = limits.allMaxChars;
  }

  get textMaxChars(): number {
    return this.#limits.textMaxChars;
  }

  /** Whether anything was left out for a limit. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Counts characters to be masked; false when there is no room for them. */
  admits(chars: number): boolean {
    if (chars > this.#roomChars) return false;
    this.#roomChars -= chars;
    return true;
  }

  /** What stands in place of characters that are not kept. */
  leftOut(chars: number): string {
    this.#isCut = true;
    return `[... ${chars} characters ...]`;
  }

  count(type: FindingType, rule: string): void {
    const place = this.placeNow?.();
    this.onFound?.({ type, rule, place });
    const key = place === undefined ? type : `${type} ${place}`;
    const counted = this.#counts.get(key);
    if (counted !== undefined) counted.count += 1;
    else this.#counts.set(key, place === undefined ? { type, count: 1 } : { type, place, count: 1 });
  }

  /** In the order of the types, those of one type in the order of their places' names. */
  counts(): FindingCount[] {
    if (this.#counts.size === 0) return [];
    const byPlace = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counted]) => counted);
    return byPlace.sort((a, b) => inOrder(a.type, b.type));
  }

  /** Whether values of a type are looked for. */
  finds(type: FindingType): boolean {
    return this.#treatment.finds(type);
  }

  /** Masks with another treatment for as long as `mask` runs. */
  treated<T>(treatment: Treatment, mask: () => T): T {
    const before = this.#treatment;
    this.#treatment = treatment;
    try {
      return mask();
    } finally {
      this.#treatment = before;
    }
  }

  /** The text with every finding replaced, to the point where another scan finds nothing. */
  text(text: string, keyName: string): string {
    return this.part(text, keyName, 0, text.length);
  }

  /** `[from, to)` of the masked text; a finding that reaches over either end is in it as its token. */
  part(text: string, keyName: string, from: number, to: number): string {
    let current: Part = { text, from, to };
    for (let round = 0; round < roundsMax; round++) {
      this.#limits.time?.spend(current.text.length);
      const findings = this.#treatment.scan(current.text, keyName, this.#budget);
      if (findings.length === 0) return current.text.slice(current.from, current.to);
      current = this.#replaced(current, findings);
    }
    return this.whole(text, 'never-settled');
  }

  /** The token that stands in for the whole text. */
  whole(text: string, rule: string = secretUnderKey.rule): string {
    this.count('SECRET', rule);
    return this.#token('SECRET', text);
  }

  /** What stands in for a number, given by its decimal digits, or undefined when it may stay. */
  number(literal: string, keyName: string): string | undefined {
    this.#limits.time?.spend(literal.length);
    const key = this.finds('SECRET') || !isSensitiveNumberKey(keyName) ? keyName : '';
    const finding = numberFinding(literal, key, this.#treatment.scan, this.#budget);
    if (finding === undefined) return undefined;
    if (finding.type === 'SECRET') return this.whole(literal);
    this.count(finding.type, finding.rule);
    return this.#token(finding.type, unsigned(literal));
  }

  #token(type: FindingType, value: string): string {
    const { plain, scopes } = this.#treatment;
    if (plain.has(type) || plainTypes.has(type)) return `[${type}]`;
    const token = this.#tokens.token(type, value, scopes.get(type) ?? this.#scope);
    this.onToken?.(type, value, token);
    return token;
  }

  #replaced({ text, from, to }: Part, findings: readonly Finding[]): Part {
    const parts: string[] = [];
    let kept = 0;
    let grown = 0;
    let [newFrom, newTo] = [from, to];
    for (const { type, rule, start, end } of findings) {
      this.count(type, rule);
      const token = this.#token(type, text.slice(start, end));
      parts.push(text.slice(kept, start), token);
      kept = end;
      const tokenStart = start + grown;
      grown += token.length - (end - start);
      if (from > start) newFrom = from < end ? tokenStart : from + grown;
      if (to > start) newTo = to < end ? tokenStart + token.length : to + grown;
    }
    parts.push(text.slice(kept));
    return { text: parts.join(''), from: newFrom, to: newTo };
  }
}

/** Whether all of a string goes because the key it stands under says that it is a secret. */
export function isSecretUnderKey(text: string, keyName: string): boolean {
  return text !== '' && isSensitiveKey(keyName) && !isToken(text);
}

/** What a JSON number, given by its decimal digits, has to hide; undefined when it may stay. */
export function numberFinding(literal: string, keyName: string, scan: Scan, budget: ScanBudget): Finding | undefined {
  if (keyName !== '' && isSensitiveNumberKey(keyName)) return { ...secretUnderKey, start: 0, end: literal.length };
  const digits = unsigned(literal);
  if (!/^\d{1,40}$/.test(digits)) return undefined;
  const isLong = digits.length >= numberDigitsMin;
  const hides = ({ type, rule }: Finding): boolean => (isLong && numberTypes.has(type)) || rule.startsWith(ownPrefix);
  return scan(digits, keyName, budget).find(hides);
}

/** The finding that a whole value is because of its key; without its place. */
export const secretUnderKey = { type: 'SECRET', rule: 'sensitive-key', score: 0.9 } as const;

function unsigned(literal: string): string {
  return literal.startsWith('-') ? literal.slice(1) : literal;
}

/** Under `token` a number counts something; under `password` it is one. */
function isSensitiveNumberKey(name: string): boolean {
  return isSensitiveKey(name) && /pass(?:word|wd|code)?$|pwd$|^pin$|^otp$|secret$/i.test(name.slice(-64));
}
