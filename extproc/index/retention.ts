/** What retention, holds and erasures need of an index. */

/** Days are UTC, of `@timestamp`, as `2026-11-22`. */
export type DayOfClass = { retentionClass: string; day: string };

/** `withContent`: so many of the documents still have texts. */
export type IndexDay = DayOfClass & { documents: number; withContent: number };

/** `ids`: how one person may stand in documents, by subject or by pseudonym. */
export type IndexedPerson = { issuer: string; ids: readonly string[] };

/** All that is given must match. `from` inclusive, `to` exclusive. */
export type Matching = {
  person?: IndexedPerson | undefined;
  session?: string | undefined;
  connection?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
};

/**
 * Takes documents away, for good; whoever calls it has looked at the holds. Each call can be repeated: what is done is
 * found done. Throws SkilltapeError `index_failed`; part of it may have happened then.
 */
export type IndexRetention = {
  /** Every class and day that has documents, or had them. */
  days(): Promise<IndexDay[]>;
  /** Counts those documents alone that match one of these, or that might. */
  matchingDays(any: readonly Matching[]): Promise<IndexDay[]>;
  /** Which of these exchanges have a document and match none of these for certain. */
  unmatched(ids: readonly string[], any: readonly Matching[]): Promise<ReadonlySet<string>>;
  /** Which of these sessions have a document of that time, and none at all that matches one of these or that might. */
  unmatchedSessions(
    sessions: readonly string[],
    any: readonly Matching[],
    began: { from: Date; to: Date },
  ): Promise<ReadonlySet<string>>;
  /** Those with a document that matches, or that might: one too many keeps something longer. */
  daysWith(matching: Matching): Promise<DayOfClass[]>;
  /** Leaves of each document of the day, but those that match one of `except`, what policy `keep: metadata` would have; returns how many had more. */
  reduce(of: DayOfClass, except?: readonly Matching[]): Promise<number>;
  /** Deletes the documents of the day but those that match one of `except`; returns how many there were. */
  remove(of: DayOfClass, except?: readonly Matching[]): Promise<number>;
  /** Deletes the documents of one person, exactly, of before that moment; returns how many there were. */
  removePerson(person: IndexedPerson, before: Date): Promise<number>;
  close(): Promise<void>;
};

/** Documents without a class are kept as those of this one. */
export const retentionClassByDefault = 'standard';
