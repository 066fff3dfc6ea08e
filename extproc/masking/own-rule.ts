/** Rules of operators, run on an engine whose time is linear whatever the pattern (inv. 11). */
import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';
import { entropyBits } from './characters.ts';
import { passesLuhn, passesMod1110, passesVerhoeff } from './check-digits.ts';
import type { Detector } from './detector.ts';
import type { OwnRule, ValidatorName } from './detector-list.ts';
import { type Candidate, type FindingType, ownPrefix, ownRank } from './finding.ts';
import { passesMod97 } from './iban.ts';
import { WordMatcher } from './word-matcher.ts';

/** Memory of the automaton that says which rules match at all; where it has no more it begins anew. */
const automatonMaxBytes = 4 * 1024 * 1024;
const scoreDefault = 0.85;
/** How far a context word may stand from what it speaks about; the same as for built-in detectors. */
const contextMaxChars = 60;
const keyNameMaxChars = 64;

let library: typeof import('re2js') | undefined;

/** Loaded where there are rules, and nowhere else: each thread has a heap of its own. */
function re2(): typeof import('re2js') {
  library ??= createRequire(import.meta.url)('re2js') as typeof import('re2js');
  return library;
}

/** @throws an error of re2js that says what is wrong with the pattern */
export function compiledPattern({ pattern, ignore_case }: Pick<OwnRule, 'pattern' | 'ignore_case'>): RE2JS {
  const { RE2JS } = re2();
  return RE2JS.compile(pattern, ignore_case === true ? RE2JS.CASE_INSENSITIVE : 0);
}

const alnumOnly = (value: string): string => value.replace(/[^A-Za-z0-9]/g, '').toUpperCase();
const digitsOnly = (value: string): string => value.replace(/\D/g, '');
const checked = (passes: (digits: string) => boolean) => (value: string) => {
  const digits = digitsOnly(value);
  return digits.length > 1 && passes(digits);
};

const validators: Readonly<Record<ValidatorName, (value: string) => boolean>> = {
  luhn: checked(passesLuhn),
  verhoeff: checked(passesVerhoeff),
  mod11_10: checked(passesMod1110),
  mod97: (value) => passesMod97(alnumOnly(value)),
  random: (value) => /\d/.test(value) && entropyBits(value) >= 3.3,
};

export type OwnMatch = { start: number; end: number; why: string };

/** One rule by itself. */
export class CompiledRule {
  readonly rule: OwnRule;
  readonly #pattern: RE2JS;
  readonly #context: WordMatcher<string> | null;

  constructor(rule: OwnRule) {
    this.rule = rule;
    this.#pattern = compiledPattern(rule);
    const words = rule.context ?? [];
    this.#context =
      words.length === 0 ? null : new WordMatcher(words.map((word) => ({ text: word, matchCase: false, of: word })));
  }

  /** Of a pattern with a group the value is what the group took. */
  matches(text: string, keyName: string): OwnMatch[] {
    const found: OwnMatch[] = [];
    const matcher = this.#pattern.matcher(text);
    const group = matcher.groupCount() > 0 ? 1 : 0;
    while (matcher.find()) {
      const [start, end] = [matcher.start(group), matcher.end(group)];
      if (start < 0 || end <= start) continue;
      const why = this.#reason(text, keyName, start, end);
      if (why !== null) found.push({ start, end, why });
    }
    return found;
  }

  /** Why the match counts, in words; null when it does not. */
  #reason(text: string, keyName: string, start: number, end: number): string | null {
    const { validator } = this.rule;
    if (validator !== undefined && !validators[validator](text.slice(start, end))) return null;
    const word = this.#context === null ? '' : this.#wordBeside(this.#context, text, keyName, start, end);
    if (word === null) return null;
    const reasons = [`pattern`, ...(validator === undefined ? [] : [validator]), ...(word === '' ? [] : [`"${word}"`])];
    return reasons.join(', ');
  }

  #wordBeside(context: WordMatcher<string>, text: string, keyName: string, start: number, end: number): string | null {
    const around = [
      text.slice(Math.max(0, start - contextMaxChars), start),
      // camelCase comes apart into words
      keyName.slice(0, keyNameMaxChars).replace(/[A-Z]/g, ' $&'),
      text.slice(end, end + contextMaxChars),
    ];
    let word: string | null = null;
    for (const part of around) {
      context.each(part, (_start, _end, found) => {
        word ??= found;
      });
      if (word !== null) return word;
    }
    return null;
  }
}

/** All rules together: one pass says which of them match at all, and only these are asked where. */
export function ownRulesDetector(rules: readonly OwnRule[]): Detector {
  const compiled = rules.map((rule) => new CompiledRule(rule));
  const { RE2Set } = re2();
  const set = new RE2Set(RE2Set.UNANCHORED, 0, automatonMaxBytes);
  for (const { pattern, ignore_case } of rules) set.add(ignore_case === true ? `(?i:${pattern})` : pattern);
  set.compile();
  return {
    id: 'own-rules',
    detect({ text, keyName }, out) {
      for (const at of set.match(text)) {
        const own = compiled[at];
        if (own !== undefined) for (const match of own.matches(text, keyName)) out.push(candidateOf(own.rule, match));
      }
    },
  };
}

function candidateOf({ id, type, score = scoreDefault }: OwnRule, { start, end, why }: OwnMatch): Candidate {
  return { type: type as FindingType, rule: `${ownPrefix}${id}`, rank: ownRank(type), start, end, score, why };
}
