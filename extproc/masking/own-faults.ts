/** Finds what is wrong with an operator's detectors: each fault with the rule, the reason and the remedy. */
import {
  type DetectorList,
  detectorLimits,
  isOwnType,
  type NameList,
  type OwnRule,
  ownTypeForm,
  ownTypesOf,
} from './detector-list.ts';
import { findingTypes } from './finding.ts';
import { unboundedRepeats } from './own-pattern.ts';
import { CompiledRule, compiledPattern } from './own-rule.ts';
import { isSensitiveKey } from './sensitive-key.ts';

/** All of them together, in the order of the list; of a list that has the right shape. */
export function detectorFaults(list: DetectorList): string[] {
  return [
    ...amountFaults(list),
    ...list.rules.flatMap((rule, at) => ruleFaults(rule).map((fault) => `rules[${at}] ${quoted(rule.id)}: ${fault}`)),
    ...list.names.flatMap((names, at) =>
      nameFaults(names).map((fault) => `names[${at}] ${quoted(names.id)}: ${fault}`),
    ),
    ...idFaults(list),
    ...sizeFaults(list),
    ...hashedFaults(list),
  ];
}

const quoted = (text: string): string => JSON.stringify(text);

function amountFaults({ rules, names }: DetectorList): string[] {
  const { rulesMax, nameListsMax, entriesMax, ownTypesMax } = detectorLimits;
  const entries = names.reduce((sum, list) => sum + list.entries.length, 0);
  const types = ownTypesOf({ rules, names }).length;
  return [
    ...over(rules.length, rulesMax, 'rules', 'join rules of one type by | in a pattern'),
    ...over(names.length, nameListsMax, 'lists of names', 'join lists of one type'),
    ...over(entries, entriesMax, 'entries in all lists of names', 'leave out what a rule or another entry covers'),
    ...over(types, ownTypesMax, 'types of your own', 'give rules about like things one type'),
  ];
}

function over(count: number, max: number, what: string, remedy: string): string[] {
  return count <= max ? [] : [`there are ${count} ${what}, at most ${max} are taken; ${remedy}`];
}

function idFaults({ rules, names }: DetectorList): string[] {
  const ids = [...rules, ...names].map(({ id }) => id);
  const twice = new Set(ids.filter((id, at) => ids.indexOf(id) !== at));
  return [...twice].map((id) => `${quoted(id)}: the id is given twice; a finding names its rule by it, so rename one`);
}

function hashedFaults(list: DetectorList): string[] {
  const own: readonly string[] = ownTypesOf(list);
  return list.hashed_types
    .filter((type) => !own.includes(type))
    .map(
      (type) => `hashed_types: ${quoted(type)} is no type that a rule or list here gives; correct it or take it out`,
    );
}

function typeFaults(type: string): string[] {
  if (type === 'DEEP') return ['DEEP stands for what is nested too deeply; take another type'];
  if (findingTypes.some((known) => known === type)) return [];
  if (!isOwnType(type)) {
    return [
      `the type ${quoted(type)} is not of the form ${ownTypeForm.source}; write it in upper case, such as "TICKET"`,
    ];
  }
  if (isSensitiveKey(type)) {
    return [
      `the type ${quoted(type)} reads like the name of a secret, so that its tokens would be masked; take SECRET, or another name`,
    ];
  }
  return [];
}

function nameFaults({ type, entries }: NameList): string[] {
  const { entryMaxChars } = detectorLimits;
  return [
    ...typeFaults(type),
    ...entries.flatMap((entry, at) => {
      if (entry.length > entryMaxChars) return [`entries[${at}] has more than ${entryMaxChars} characters; shorten it`];
      const letters = entry.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
      return letters >= 2
        ? []
        : [`entries[${at}] has fewer than two letters or digits and would stand everywhere; take it out`];
    }),
  ];
}

function ruleFaults(rule: OwnRule): string[] {
  const { patternMaxChars, contextWordsMax, contextWordMaxChars } = detectorLimits;
  const { pattern, context = [], type } = rule;
  const faults = typeFaults(type);
  faults.push(...over(context.length, contextWordsMax, 'context words', 'keep those that stand there most often'));
  for (const word of context) {
    if (!/[\p{L}\p{N}]/u.test(word) || word.length > contextWordMaxChars) {
      faults.push(
        `the context word ${quoted(word.slice(0, contextWordMaxChars))} is no word of at most ${contextWordMaxChars} characters; correct it`,
      );
    }
  }
  if (pattern.length > patternMaxChars) {
    return [...faults, `the pattern has more than ${patternMaxChars} characters; make several rules of it`];
  }
  const patternFaults = faultsOfPattern(rule);
  return [...faults, ...patternFaults, ...(patternFaults.length === 0 ? exampleFaults(rule) : [])];
}

/** What RE2 has not, in words that say what to do about it. */
const refused: readonly [RegExp, string][] = [
  [
    /\(\?<?[=!]/,
    'look-around is not linear; give what may stand around as `context`, or make what is masked a group: name=(value)',
  ],
  [/\\[1-9]|\\k/, 'a back reference is not linear; write the part out again, or check the value by a `validator`'],
];

function faultsOfPattern(rule: OwnRule): string[] {
  const { pattern } = rule;
  const { patternMaxInstructions } = detectorLimits;
  const unbounded = unboundedRepeats(pattern).map(
    ({ at, text }) => `the pattern repeats without bound at ${at} (${quoted(text)}); write a bound such as {1,64}`,
  );
  try {
    const compiled = compiledPattern(rule);
    if (compiled.groupCount() > 1) {
      unbounded.push(
        'the pattern has more than one group; the first is what is masked, so write the others as (?:...)',
      );
    }
    if (compiled.programSize() > patternMaxInstructions) {
      unbounded.push(
        `the pattern compiles to ${compiled.programSize()} instructions, at most ${patternMaxInstructions} are taken; use smaller bounds`,
      );
    }
    if (matchesNothing(compiled)) {
      unbounded.push('the pattern matches the empty string, which is everywhere; ask for at least one character');
    }
    return unbounded;
  } catch (thrown) {
    const known = refused.find(([form]) => form.test(pattern));
    const said = thrown instanceof Error ? thrown.message.replace(/^error parsing regexp: /, '') : String(thrown);
    return [
      ...unbounded,
      known === undefined ? `the pattern cannot be read: ${said}; correct it (RE2 syntax)` : known[1],
    ];
  }
}

/** Texts between whose characters a pattern of nothing but assertions matches somewhere. */
const probes = ['', 'a', 'a b', '1-a\n_', ' \n'];

function matchesNothing(pattern: ReturnType<typeof compiledPattern>): boolean {
  return probes.some((probe) => {
    const matcher = pattern.matcher(probe);
    while (matcher.find()) if (matcher.end() === matcher.start()) return true;
    return false;
  });
}

function exampleFaults(rule: OwnRule): string[] {
  const compiled = new CompiledRule(rule);
  const finds = (text: string): boolean => compiled.matches(text, '').length > 0;
  const ways = [
    ...(rule.context === undefined || rule.context.length === 0 ? [] : ['a context word near it']),
    ...(rule.validator === undefined ? [] : [`a value that passes ${rule.validator}`]),
  ];
  const needs = ways.length === 0 ? '' : ` (it also needs ${ways.join(' and ')})`;
  return [
    ...rule.positive.flatMap((text, at) =>
      finds(text) ? [] : [`its own example positive[${at}] is not found${needs}; correct the pattern or the example`],
    ),
    ...rule.negative.flatMap((text, at) =>
      finds(text)
        ? [`its own example negative[${at}] is found; make the pattern narrower, or correct the example`]
        : [],
    ),
  ];
}

/** Of all patterns together; of one that cannot be compiled the rule's own fault tells. */
function sizeFaults({ rules }: DetectorList): string[] {
  const { allPatternsMaxInstructions, patternMaxChars } = detectorLimits;
  let sum = 0;
  for (const rule of rules) {
    if (rule.pattern.length > patternMaxChars) continue;
    try {
      sum += compiledPattern(rule).programSize();
    } catch {
      // told of with the rule
    }
  }
  return over(sum, allPatternsMaxInstructions, 'instructions in all patterns together', 'use smaller bounds');
}
