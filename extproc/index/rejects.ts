import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from '../transcript/document.ts';

/** A document that an index refused for good. `time` is when it was refused, ISO 8601 in UTC. */
export type Reject = {
  id: string;
  time: string;
  reason: string;
  document: Masked<ExchangeDocument>;
};

/**
 * How much of them is kept. Beyond `maxBytes` of documents the oldest leave the list, until it is an eighth below; the
 * newest stays, whatever its size. Their exchanges stay in the journal as long as it has room.
 */
export type RejectsBound = { maxBytes: number; onDropped: (count: number) => void };

/** For whoever only takes from the list. */
export const unboundedRejects: RejectsBound = { maxBytes: Number.POSITIVE_INFINITY, onDropped: () => {} };

/** Throws SkilltapeError `index_failed`. */
export type RejectList = {
  /** All of them, oldest first, one in memory at a time; what is removed or kept meanwhile does no harm. */
  each(): Iterable<Reject>;
  count(): number;
};

/** Where refused documents are kept instead of being dropped; keeping the same document twice keeps it once. */
export type Rejects = RejectList & {
  keep(document: Masked<ExchangeDocument>, reason: string): void;
  /** Takes a document off the list, after an index took it. */
  remove(id: string): void;
};
