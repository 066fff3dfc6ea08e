import { codeAt, entropyBits, isAlnum, isLetter, isWord, startsFresh } from './characters.ts';
import type { Detector } from './detector.ts';
import type { Candidate } from './finding.ts';
import { matchEnd, sticky } from './pattern.ts';
import { isDocumentedKey } from './placeholder.ts';
import type { SecretRule } from './secret-rule.ts';
import { aiSecretRules } from './secret-rules-ai.ts';
import { cloudSecretRules } from './secret-rules-cloud.ts';
import { codeSecretRules } from './secret-rules-code.ts';
import { hashSecretRules } from './secret-rules-hash.ts';
import { markedSecretRules } from './secret-rules-marked.ts';
import { prefixedSecretRules } from './secret-rules-prefixed.ts';
import { serviceSecretRules } from './secret-rules-service.ts';

export const secretRules: readonly SecretRule[] = [
  ...aiSecretRules,
  ...cloudSecretRules,
  ...codeSecretRules,
  ...serviceSecretRules,
  ...prefixedSecretRules,
  ...markedSecretRules,
  ...hashSecretRules,
];

type CompiledRule = SecretRule & { matcher: RegExp; tailCodes: ReadonlySet<number>; leadChar: RegExp | null };

const compiled: readonly CompiledRule[] = secretRules.map((rule) => ({
  ...rule,
  matcher: sticky(rule.pattern),
  leadChar: rule.lead === undefined ? null : sticky(rule.lead.of),
  tailCodes: new Set(Array.from(rule.tail ?? '', (char) => char.charCodeAt(0))),
}));

const prefixes = [...new Set(secretRules.flatMap((rule) => rule.prefixes))];
/** For each prefix the rules to try there, longest prefix first: the place of `sk-proj-` is one of `sk-` too. */
const rulesByPrefix: ReadonlyMap<string, readonly CompiledRule[]> = new Map(
  prefixes.map((found) => {
    const shorter = prefixes.filter((prefix) => found.startsWith(prefix)).sort((a, b) => b.length - a.length);
    return [found, shorter.flatMap((prefix) => compiled.filter((rule) => rule.prefixes.includes(prefix)))];
  }),
);

/** What a vendor's own manual prints instead of a key. */
const documented = 'EXAMPLE';

/** Of a token this much is looked at; the rest of its run only has to be masked. */
const judgedMaxChars = 512;

/** Ends of runs that were read, so that many prefixes in one run do not read it to its end each (inv. 11). */
type Runs = Map<ReadonlySet<number>, { from: number; end: number }>;

function tailEnd(text: string, from: number, tailCodes: ReadonlySet<number>, runs: Runs): number {
  const known = runs.get(tailCodes);
  let end = from;
  if (known !== undefined && from >= known.from && from <= known.end) end = known.end;
  else while (isWord(codeAt(text, end)) || tailCodes.has(codeAt(text, end))) end++;
  runs.set(tailCodes, { from, end });
  while (end > from && text[end - 1] === '.') end--;
  return end;
}

/** Without a digit or an upper-case letter inside, a value is words joined by hyphens and not a token. */
const looksMade = (value: string): boolean => /\d/.test(value) || /[a-z][A-Z]/.test(value);

/** The end of an escape: of a line or any byte, of a percent code, of a color in a terminal. */
const escapeBefore = /(?:\\(?:[abefnrtv0]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})|%[0-9A-Fa-f]{2}|\[[0-9;]{0,16}m)$/;
const escapeMaxChars = 20;

/** Whether what stands at `at` goes on with a word, which the end of an escape is not. */
function isInWord(text: string, at: number): boolean {
  if (text[at - 1] === '_') return true;
  return !startsFresh(text, at) && !escapeBefore.test(text.slice(Math.max(0, at - escapeMaxChars), at));
}

/** Where the token begins whose fixed string stands at `at`; -1 where too much or too little stands before it. */
function leadStart({ lead, leadChar }: CompiledRule, text: string, at: number): number {
  if (lead === undefined || leadChar === null) return at;
  let start = at;
  while (start > 0 && at - start <= lead.most && matchEnd(leadChar, text, start - 1) === start) start--;
  return at - start < lead.least || at - start > lead.most ? -1 : start;
}

function tryRule(rule: CompiledRule, text: string, at: number, runs: Runs): Candidate | undefined {
  if (rule.fresh && isInWord(text, at)) return undefined;
  if (rule.noLetterBefore && isLetter(codeAt(text, at - 1)) && isInWord(text, at)) return undefined;
  rule.matcher.lastIndex = at;
  const match = rule.matcher.exec(text);
  if (match === null) return undefined;
  if (rule.exact && isAlnum(codeAt(text, rule.matcher.lastIndex))) return undefined;
  const end = tailEnd(text, rule.matcher.lastIndex, rule.tailCodes, runs);
  const start = rule.valueOnly ? rule.matcher.lastIndex - (match[1]?.length ?? 0) : leadStart(rule, text, at);
  if (start === -1) return undefined;
  const value = text.slice(start, Math.min(end, start + judgedMaxChars));
  if (rule.entropyMin !== undefined && (!looksMade(value) || entropyBits(value) < rule.entropyMin)) return undefined;
  if (rule.decodedMark && !Buffer.from(value, 'base64').includes(rule.decodedMark)) return undefined;
  // Of what only follows in the same run no word counts: `<key>_example` holds a key.
  if (isDocumentedKey(text.slice(start, rule.matcher.lastIndex)) || text.endsWith(documented, rule.matcher.lastIndex))
    return undefined;
  return { type: 'SECRET', rule: rule.id, rank: 'secret', start, end, score: 0.98 };
}

/** Vendor tokens: at each of the fixed prefixes the rules of the prefix are tried. */
export const secretDetector: Detector = {
  id: 'secret',
  literals: { strings: prefixes, ignoreCase: false },
  detect({ text }, out, places) {
    let next = 0;
    const runs: Runs = new Map();
    for (const { at, literal } of places) {
      if (at < next) continue;
      for (const rule of rulesByPrefix.get(literal) ?? []) {
        const candidate = tryRule(rule, text, at, runs);
        if (candidate === undefined) continue;
        out.push(candidate);
        next = candidate.end;
        break;
      }
    }
  },
};
