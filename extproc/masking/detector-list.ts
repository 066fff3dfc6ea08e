/** Detectors that operators add as data: `lists/detectors/data.json` of a policy directory, as checked. Plain data. */
import { type FindingType, findingTypes, plainTypes } from './finding.ts';

/** One pattern; what it finds is masked as a value of `type`. */
export type OwnRule = {
  id: string;
  type: string;
  pattern: string;
  ignore_case?: boolean | undefined;
  /** A match counts only beside one of these words, or under a key that holds one. */
  context?: readonly string[] | undefined;
  validator?: ValidatorName | undefined;
  score?: number | undefined;
  positive: readonly string[];
  negative: readonly string[];
};

/** Values that are listed one by one. */
export type NameList = {
  id: string;
  type: string;
  entries: readonly string[];
  match_case?: boolean | undefined;
};

export type DetectorList = {
  rules: readonly OwnRule[];
  names: readonly NameList[];
  /** Own types whose tokens carry a hash; the others are always plain. */
  hashed_types: readonly string[];
};

export const validatorNames = ['luhn', 'verhoeff', 'mod11_10', 'mod97', 'random'] as const;
export type ValidatorName = (typeof validatorNames)[number];

export const noDetectors: DetectorList = { rules: [], names: [], hashed_types: [] };

/** How much of it there may be (inv. 10). */
export const detectorLimits = {
  rulesMax: 200,
  patternMaxChars: 1_000,
  /** Of a compiled pattern, and of all together: it bounds how long a match can be, and what the automaton takes. */
  patternMaxInstructions: 2_000,
  allPatternsMaxInstructions: 20_000,
  contextWordsMax: 50,
  contextWordMaxChars: 60,
  examplesMax: 20,
  exampleMaxChars: 1_000,
  nameListsMax: 50,
  /** Of all lists together. */
  entriesMax: 20_000,
  entryMaxChars: 200,
  ownTypesMax: 32,
} as const;

/** What an own type may be called. */
export const ownTypeForm = /^[A-Z][A-Z0-9_]{1,31}$/;

/** Types that an operator's detectors may give: the built-in ones, and own ones of this form. */
export function isOwnType(type: string): boolean {
  return ownTypeForm.test(type) && !findingTypes.some((known) => known === type);
}

/** The own types of a list, each once, in the order of their names. */
export function ownTypesOf({ rules, names }: Pick<DetectorList, 'rules' | 'names'>): FindingType[] {
  const types = new Set([...rules, ...names].map(({ type }) => type));
  return [...types].filter(isOwnType).sort() as FindingType[];
}

/** All types that values can be of with this list; `hashed` are those whose tokens can carry a hash. */
export type KnownTypes = { all: readonly FindingType[]; hashed: readonly FindingType[] };

export function knownTypesOf(list: DetectorList): KnownTypes {
  const own = ownTypesOf(list);
  const hashed = findingTypes.filter((type) => !plainTypes.has(type));
  return {
    all: [...findingTypes, ...own],
    hashed: [...hashed, ...own.filter((type) => list.hashed_types.includes(type))],
  };
}

export function isEmptyList({ rules, names }: DetectorList): boolean {
  return rules.length === 0 && names.length === 0;
}
