import type { Counts, Gap } from './finding.ts';
import type { DayRow } from './found-rows.ts';
import type { LateRecord } from './late-record.ts';

/** How far the comparison is. `comparedUntilMs`: what ended before was compared; null before the log was once read. */
export type CoverageFigures = {
  counts: Counts;
  comparedUntilMs: number | null;
  /** Why there is no log to read. */
  waiting: string | null;
};

/** From the thread that compares to the one that records. No content. */
export type CoverageReport =
  | { kind: 'figures'; figures: CoverageFigures }
  | { kind: 'alarm'; gap: Gap }
  | { kind: 'day'; day: DayRow }
  | { kind: 'fault'; error: Error };

/** Writes records of requests that were not seen; true when they are on disk, false when that must be tried later. */
export type WriteLateRecords = (records: readonly LateRecord[]) => Promise<boolean>;
