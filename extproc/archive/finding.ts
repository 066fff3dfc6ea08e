/** What is wrong with an archive, and where; and what is not wrong and has to be known all the same. */

/**
 * - `edited`: bytes are not those that were written.
 * - `deleted`: frames, or lines of a signed file, are missing between others.
 * - `swapped`: frames, lines or files stand in each other's place.
 * - `duplicated`: a frame, a line, a file or an exchange is there twice.
 * - `cut`: something is missing at the end.
 * - `missing_segment`: a whole file is not there, and no tombstone says that it was deleted.
 * - `restored_backup`: all of it is older than a checkpoint that was given outside: it was put back to an earlier state.
 */
export const findingKinds = [
  'edited',
  'deleted',
  'swapped',
  'duplicated',
  'cut',
  'missing_segment',
  'restored_backup',
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** `frame` and `frames`: the first and how many; `line`: of a signed file, from 1. */
export type Finding = {
  kind: FindingKind;
  /** Relative to the directory of the archive. */
  file: string;
  offset?: number;
  frame?: number;
  frames?: number;
  line?: number;
  exchangeId?: string;
  reason: string;
};

/**
 * - `expired`: a segment was deleted by whoever may, and left its tombstone.
 * - `unfinished`: the end of a segment that is being written, or that a crash left; no checkpoint says more of it.
 * - `deletion_unfinished`: the tombstone of a segment is there, and so is the segment; or an excerpt that it no longer names.
 * - `move_unfinished`: an excerpt of held records is there, and no tombstone names it yet.
 * - `journal_restarted`: from here on the ends of exchanges stand in another journal: it was moved away or lost.
 */
export type NoteKind = 'expired' | 'unfinished' | 'deletion_unfinished' | 'move_unfinished' | 'journal_restarted';
export type Note = { kind: NoteKind; file: string; offset?: number; reason: string };

export type VerifyCounts = {
  writers: number;
  segments: number;
  frames: number;
  exchanges: number;
  /** Exchanges of which the metadata stands by itself, also what a hold kept of that. */
  metadata: number;
  /** Exchanges of segments that are gone, kept by a hold and proven. */
  held: number;
  checkpoints: number;
  outside: number;
};

export type VerifyReport = { findings: Finding[]; notes: Note[]; counts: VerifyCounts };
