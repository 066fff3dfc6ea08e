import { isAssignedSecret } from './assignment.ts';
import { codeAt, isSpace, isWord } from './characters.ts';
import type { Detector } from './detector.ts';
import type { Candidate } from './finding.ts';
import { type GivenSecretRule, givenSecretRules, optionWords } from './given-secret-rules.ts';
import { matchEnd, sticky } from './pattern.ts';
import { isCommonWord, isPlaceholder } from './placeholder.ts';
import { isSensitiveKey } from './sensitive-key.ts';
import { tokenEnd } from './token.ts';

const optionMaxChars = 48;
const argument = sticky('["\'`]?[^\\s"\'`$<>{}|;&=-][^\\s"\'`|;]{3,255}');
/** Marks that end the sentence rather than the value. */
const trailing = new Set(Array.from('.,;:?)', (char) => char.charCodeAt(0)));

const rulesByWord = new Map<string, { id: string; asks: GivenSecretRule['asks']; matcher: RegExp }[]>();
for (const { id, words, pattern, asks } of givenSecretRules) {
  for (const word of words) {
    const known = rulesByWord.get(word) ?? [];
    rulesByWord.set(word, [...known, { id, asks, matcher: sticky(pattern) }]);
  }
}
const options = new Set(optionWords);

function candidate(rule: string, start: number, end: number): Candidate {
  return { type: 'SECRET', rule, rank: 'assignment', start, end, score: 0.8 };
}

/** What a rule finds at the place of its word. */
function given(text: string, at: number, word: string): Candidate | undefined {
  for (const { id, asks, matcher } of rulesByWord.get(word) ?? []) {
    matcher.lastIndex = at;
    const match = matcher.exec(text);
    const groups = match?.slice(1).filter((group) => group !== undefined) ?? [];
    const value = groups.at(-1);
    if (value === undefined) continue;
    const start = matcher.lastIndex - value.length;
    if (text[start - 1] === '[' && tokenEnd(text, start - 1) !== -1) continue;
    const name = groups.length > 1 ? (groups[0] ?? '') : 'password';
    if (groups.length > 1 && !isSensitiveKey(name)) continue;
    const end = trimmedEnd(text, start, matcher.lastIndex);
    if (isSecret(name, text.slice(start, end), asks, isQuoted(text, start))) return candidate(id, start, end);
  }
  return undefined;
}

function isSecret(name: string, value: string, asks: GivenSecretRule['asks'], quoted: boolean): boolean {
  if (isCommonWord(value)) return false;
  if (asks === 'nothing') return !isPlaceholder(value);
  return isAssignedSecret(name, value, quoted) && (asks === 'made-up' || isMixed(value));
}

/** Lower case, upper case, digits and other marks than those between words: three of the four. */
function isMixed(value: string): boolean {
  return [/[a-z]/, /[A-Z]/, /\d/, /[^\w-]/].filter((kind) => kind.test(value)).length >= 3;
}

const isQuoted = (text: string, start: number): boolean => '"\'`'.includes(text[start - 1] ?? ' ');

/** Outside quotes a sentence may end right behind the value. */
function trimmedEnd(text: string, start: number, end: number): number {
  if (isQuoted(text, start)) return end;
  let trimmed = end;
  while (trimmed > start && trailing.has(codeAt(text, trimmed - 1))) trimmed--;
  return trimmed;
}

/** `--token <value>`: an option whose name tells, and the argument behind it. `at` is where the end of the name begins. */
function option(text: string, at: number, word: string): Candidate | undefined {
  const nameEnd = at + word.length - 1;
  let nameStart = at;
  while (nameEnd - nameStart < optionMaxChars && isWord(codeAt(text, nameStart - 1))) nameStart--;
  if (text[nameStart] !== '-' || text[nameStart + 1] !== '-') return undefined;
  const name = text.slice(nameStart + 2, nameEnd);
  if (!isSensitiveKey(name)) return undefined;
  let start = nameEnd;
  while (start - nameEnd < 3 && isSpace(codeAt(text, start))) start++;
  const end = matchEnd(argument, text, start);
  if (end === -1) return undefined;
  if (isQuoted(text, start + 1)) start++;
  if (!isAssignedSecret(name, text.slice(start, end), isQuoted(text, start))) return undefined;
  return candidate('option', start, end);
}

/** Secrets that follow a word with no operator between: of commands, of files of servers, of sentences. */
export const givenSecretDetector: Detector = {
  id: 'given-secret',
  literals: { strings: [...new Set([...rulesByWord.keys(), ...optionWords])], ignoreCase: true },
  detect({ text }, out, places) {
    let next = 0;
    for (const { at, literal } of places) {
      if (at < next) continue;
      const found = given(text, at, literal) ?? (options.has(literal) ? option(text, at, literal) : undefined);
      if (found === undefined) continue;
      out.push(found);
      next = found.end;
    }
  },
};
