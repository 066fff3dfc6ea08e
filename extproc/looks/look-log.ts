import type { Masked } from '../masking/masked.ts';
import type { LookingPerson, Operator } from './operator.ts';

export const lookKinds = [
  'search',
  'show',
  'looks',
  'dump',
  'export',
  'replay',
  'reveal',
  'keys',
  'download',
  'decision',
  'usage',
  'rejects',
  'coverage',
  'pseudonym',
  'approvals',
  'remask',
  'mask',
  'retention',
  'hold',
  'erase',
  'rebuild',
  'whatif',
  'access',
  'break_glass',
  'stop',
  'tail',
] as const;

export type LookKind = (typeof lookKinds)[number];

/** Who looked at what, and why if they said so. `subject` is what was asked for: an id, or the words of a search. */
export type Look = {
  who: Operator | LookingPerson;
  what: LookKind;
  subject: Masked<string>;
  why?: Masked<string> | undefined;
};

/** `time` is ISO 8601 in UTC; `number` counts up in the order of recording. */
export type RecordedLook = Look & { number: number; time: string };

/**
 * The record of every look (inv. 8).
 * `record` returns once the look is on disk, or throws SkilltapeError; then nothing may be shown.
 * `list` gives the newest first.
 */
export type LookLog = {
  record(look: Look): void;
  list(limit?: number): RecordedLook[];
};
