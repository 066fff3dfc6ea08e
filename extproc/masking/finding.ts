/** What a finding is called in masked text. DEEP is a JSON subtree nested too deeply to be read; only `Masker.json` makes it. */
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
  'SECRET',
  'PEM',
  'DEEP',
] as const;

export type FindingType = (typeof findingTypes)[number];

/** Types with so few values that whoever holds the key, or sees enough tokens, could list them all: they never get a hash. */
export const plainTypes: ReadonlySet<FindingType> = new Set([
  'SSN',
  'NATIONAL_ID',
  'BIRTH_DATE',
  'CARD',
  'PHONE',
  'DEEP',
]);

/** `start` and `end` (exclusive) are UTF-16 offsets; `score` lies between 0 and 1. */
export type Finding = { type: FindingType; rule: string; start: number; end: number; score: number };

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
export const ranks = ['weak', 'validated', 'assignment', 'secret'] as const;

export type Rank = (typeof ranks)[number];

export type Candidate = Finding & { rank: Rank };
