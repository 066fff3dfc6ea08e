import type { Outcome } from '../exchange/outcome.ts';
import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from '../transcript/document.ts';

/**
 * What became of one delivery.
 * - `accepted`: stored and searchable.
 * - `duplicate`: a document with this `event.id` is there already; nothing was changed.
 * - `retry`: the index could not take it now; deliver the same document again later.
 * - `rejected`: the index will never take it; it stands in the list of rejects.
 */
export type Delivery =
  | { kind: 'accepted' }
  | { kind: 'duplicate' }
  | { kind: 'retry'; reason: string }
  | { kind: 'rejected'; reason: string };

/** Takes documents, create-only by `event.id`: a stored document never changes. Does not throw. */
export type IndexSink = {
  deliver(document: Masked<ExchangeDocument>): Promise<Delivery>;
};

/** Hits per page. */
export const searchLimitDefault = 50;
export const searchLimitMax = 1_000;

/** All filters must hold; a filter left out does not filter. */
export type SearchQuery = {
  /** Words that must all occur; `"quoted words"` as a phrase; a trailing `*` for a prefix. Anything else is data. */
  text?: string | undefined;
  /** The whole id, e-mail address or name of the user; case does not matter. */
  user?: string | undefined;
  connection?: string | undefined;
  /** Inclusive. */
  from?: Date | undefined;
  /** Exclusive. */
  to?: Date | undefined;
  session?: string | undefined;
  outcome?: Outcome | undefined;
  /** 1 to `searchLimitMax`; `searchLimitDefault` when left out. */
  limit?: number | undefined;
  /** `next` of the page before. */
  before?: string | undefined;
};

/** An extract, with the matches as ranges `[start, end)` in UTF-16 units: markers inside the text could be forged. */
export type Snippet = { text: string; marks: { start: number; end: number }[] };

export type SearchHit = {
  id: string;
  /** ISO 8601, UTC. */
  time: string;
  user: { id: string; name: string; email: string } | null;
  connection: string;
  model: string;
  verdict: ExchangeDocument['skilltape']['verdict']['decision'];
  outcome: Outcome;
  session: string;
  snippet: Snippet;
  /** Input and output together; null when the answer named neither. */
  totalTokens: number | null;
};

/** Newest first. `next` is null on the last page. */
export type SearchPage = { hits: Masked<SearchHit>[]; next: string | null };

/**
 * Finds documents again.
 * Throws SkilltapeError: `usage` for a query that cannot be asked, `index_failed` when the index cannot answer.
 */
export type IndexSearch = {
  search(query: SearchQuery): Promise<SearchPage>;
  get(id: string): Promise<Masked<ExchangeDocument> | null>;
  /** The exchanges of one session, oldest first; empty when there is no such session. */
  session(id: string): Promise<Masked<ExchangeDocument>[]>;
};
