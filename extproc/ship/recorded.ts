import type { JournalPlace } from '../archive/format.ts';

/** The records of an exchange where they are: in a journal that is not freed before it was delivered. */
export type Recorded = {
  /** Where its end stands. */
  place: JournalPlace;
  finishedMs: number;
  /** All of them as they were written, each time from the first; one is in memory at a time. */
  records: () => AsyncIterable<Uint8Array>;
};
