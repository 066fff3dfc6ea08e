/**
 * What a finding is called in masked text, where skilltape itself names it. NAME and ADDRESS are found by a model or a
 * list, CUSTOMER and PROJECT by a list alone. DEEP is a JSON subtree nested too deeply to be read; only `Masker.json`
 * makes it.
 */
export const findingTypes = [
  'EMAIL',
  'CARD',
  'IBAN',
  'PHONE',
  'SSN',
  'NATIONAL_ID',
  'BIRTH_DATE',
  'IP',
  'MAC',
  'URL',
  'WALLET',
  'NAME',
  'ADDRESS',
  'CUSTOMER',
  'PROJECT',
  'SECRET',
  'PEM',
  'DEEP',
] as const;

export type BuiltInType = (typeof findingTypes)[number];

declare const ownTypeBrand: unique symbol;
/** A type that an operator named (`detector-list.ts`). */
export type OwnType = string & { readonly [ownTypeBrand]: true };

export type FindingType = BuiltInType | OwnType;

/** Types with so few values that whoever holds the key, or sees enough tokens, could list them all: they never get a hash. */
export const plainTypes: ReadonlySet<FindingType> = new Set([
  'SSN',
  'NATIONAL_ID',
  'BIRTH_DATE',
  'CARD',
  'PHONE',
  'CUSTOMER',
  'PROJECT',
  'DEEP',
]);

/** `start` and `end` (exclusive) are UTF-16 offsets; `score` lies between 0 and 1; `why` says what made it count. */
export type Finding = { type: FindingType; rule: string; start: number; end: number; score: number; why?: string };

/** Where something is found: parts of a request, the answer, names of files, and everything else. */
export const findingPlaces = [
  'system',
  'tools',
  'messages',
  'tool_result',
  'file',
  'answer',
  'error',
  'other',
] as const;

export type FindingPlace = (typeof findingPlaces)[number];

/** `place` where the caller said how to name places. */
export type FindingCount = { type: FindingType; place?: FindingPlace; count: number };

/** Who wins when findings overlap, strongest last. */
export const ranks = ['weak', 'validated', 'own', 'assignment', 'secret'] as const;

export type Rank = (typeof ranks)[number];

export type Candidate = Finding & { rank: Rank };

/** What rules and lists of operators are called in findings, before their id. */
export const ownPrefix = 'own/';

/** What an operator calls a secret is one. */
export function ownRank(type: string): Rank {
  return type === 'SECRET' || type === 'PEM' ? 'secret' : 'own';
}

/** The built-in types in their order, then the others by name. */
export function inOrder(a: FindingType, b: FindingType): number {
  const [first, second] = [orderOf(a), orderOf(b)];
  if (first !== second) return first - second;
  return a === b ? 0 : a < b ? -1 : 1;
}

function orderOf(type: FindingType): number {
  const at = (findingTypes as readonly string[]).indexOf(type);
  return at === -1 ? findingTypes.length : at;
}
