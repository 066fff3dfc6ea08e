import { newScanBudget, type ScanBudget } from './detector.ts';
import { type Finding, type FindingCount, type FindingType, findingTypes } from './finding.ts';
import { isSensitiveKey } from './sensitive-key.ts';
import { isToken, type Tokens } from './token.ts';

export type Scan = (text: string, keyName: string, budget: ScanBudget) => Finding[];

/** Rounds until nothing more is found; a token is shorter than what it replaces and brings distant context nearer. */
const roundsMax = 6;
/** Shortest integer with something to hide: a phone number without area. */
const numberDigitsMin = 7;
const numberTypes: ReadonlySet<FindingType> = new Set(['CARD', 'SSN', 'PHONE']);

/** The state of one `Masker` call: what was found so far and what costly checks are left. */
export class TextMasking {
  readonly #tokens: Tokens;
  readonly #scan: Scan;
  readonly #scope: string;
  readonly #budget: ScanBudget = newScanBudget();
  readonly #counts = new Map<FindingType, number>();

  constructor(tokens: Tokens, scan: Scan, scope: string) {
    this.#tokens = tokens;
    this.#scan = scan;
    this.#scope = scope;
  }

  count(type: FindingType): void {
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
  }

  counts(): FindingCount[] {
    return findingTypes.flatMap((type) => {
      const count = this.#counts.get(type);
      return count === undefined ? [] : [{ type, count }];
    });
  }

  /** The text with every finding replaced, to the point where another scan finds nothing. */
  text(text: string, keyName: string): string {
    let current = text;
    for (let round = 0; round < roundsMax; round++) {
      const findings = this.#scan(current, keyName, this.#budget);
      if (findings.length === 0) return current;
      current = this.#replaced(current, findings);
    }
    return this.whole(text);
  }

  /** The token that stands in for the whole text. */
  whole(text: string): string {
    this.count('SECRET');
    return this.#tokens.token('SECRET', text, this.#scope);
  }

  /** What stands in for a number, given by its decimal digits, or undefined when it may stay. */
  number(literal: string, keyName: string): string | undefined {
    const finding = numberFinding(literal, keyName, this.#scan, this.#budget);
    if (finding === undefined) return undefined;
    if (finding.type === 'SECRET') return this.whole(literal);
    this.count(finding.type);
    return this.#tokens.token(finding.type, unsigned(literal), this.#scope);
  }

  #replaced(text: string, findings: readonly Finding[]): string {
    const parts: string[] = [];
    let kept = 0;
    for (const { type, start, end } of findings) {
      this.count(type);
      parts.push(text.slice(kept, start), this.#tokens.token(type, text.slice(start, end), this.#scope));
      kept = end;
    }
    parts.push(text.slice(kept));
    return parts.join('');
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
  if (digits.length < numberDigitsMin || !/^\d{1,40}$/.test(digits)) return undefined;
  return scan(digits, keyName, budget).find(({ type }) => numberTypes.has(type));
}

/** The finding that a whole value is because of its key; without its place. */
export const secretUnderKey = { type: 'SECRET', rule: 'sensitive-key', score: 0.9 } as const;

function unsigned(literal: string): string {
  return literal.startsWith('-') ? literal.slice(1) : literal;
}

/** Under `token` a number counts something; under `password` it is one. */
function isSensitiveNumberKey(name: string): boolean {
  return /pass(?:word|wd|code)?$|pwd$|^pin$|^otp$|secret$/i.test(name.slice(-64)) && isSensitiveKey(name);
}
