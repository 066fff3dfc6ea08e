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

/** Takes documents, create-only by `event.id`: what is delivered never changes one that is stored. */
export type IndexSink = {
  /** One outcome for each document, in their order. Does not throw: what cannot be said now is `retry`. */
  deliver(documents: readonly Masked<ExchangeDocument>[]): Promise<readonly Delivery[]>;
  close(): Promise<void>;
};

/**
 * What became of an exchange whose documents were to be replaced.
 * - `unchanged`: they are there already, letter for letter.
 * - `absent`: the index has no document of the exchange, and still has none: what was deleted stays deleted.
 * - `retry`: the index could not do it now. `rejected`: it will never take one of the documents. As it was before, then.
 */
export type Replacement =
  | { kind: 'replaced' }
  | { kind: 'unchanged' }
  | { kind: 'absent' }
  | { kind: 'retry'; reason: string }
  | { kind: 'rejected'; reason: string };

/** Puts newly masked documents in the place of those that are there; used by `skilltape remask` and by nothing else. */
export type IndexReplace = {
  /**
   * `documents` are all of one exchange: its own first, then those of its batch. A stored document of the exchange that
   * is not among them goes. Searches find the one or the other while it works. Does not throw.
   */
  replace(documents: readonly Masked<ExchangeDocument>[]): Promise<Replacement>;
  /** All that are stored of an exchange, its own first; none where it has none. Throws SkilltapeError `index_failed`. */
  stored(exchangeId: string): Promise<Masked<ExchangeDocument>[]>;
  close(): Promise<void>;
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
  /** The whole name of a skill that came into use. */
  skill?: string | undefined;
  /** The whole name of the model that was asked for or that answered. */
  model?: string | undefined;
  /** A type of which something was masked, such as `EMAIL`. */
  masked?: string | undefined;
  /** What rules would have decided that are not enforced. */
  would?: 'deny' | 'hold' | undefined;
  /** Let through by a grant of this kind. */
  lifted?: 'access' | 'break_glass' | undefined;
  /** Where masking failed, so that there is metadata only. */
  maskingFailed?: boolean | undefined;
  /** Also what is no prompt of a person (`skilltape.noise`); left out otherwise, and counted. */
  noise?: boolean | undefined;
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
  noise: string | null;
  skills: string[];
  snippet: Snippet;
  /** Input and output together; null when the answer named neither. */
  totalTokens: number | null;
};

/**
 * Newest first. `next` is null on the last page. `noiseHidden`: matches that were left out as noise, counted up to
 * `noiseCountMax`; 0 when noise was asked for.
 */
export type SearchPage = { hits: Masked<SearchHit>[]; next: string | null; noiseHidden: number };

export const noiseCountMax = 1_000;

/** Documents of one session that are held in memory at once. */
export const sessionDocumentsMax = 2_000;

/** `isWhole` is false when the session has more than `sessionDocumentsMax`: then these are the oldest of them. */
export type SessionDocuments = { documents: Masked<ExchangeDocument>[]; isWhole: boolean };

/**
 * Finds documents again.
 * Throws SkilltapeError: `usage` for a query that cannot be asked, `index_failed` when the index cannot answer.
 */
export type IndexSearch = {
  search(query: SearchQuery): Promise<SearchPage>;
  get(id: string): Promise<Masked<ExchangeDocument> | null>;
  /** The documents of one session, oldest first; none when there is no such session. */
  session(id: string): Promise<SessionDocuments>;
};

export const usageKeys = ['user', 'session', 'skill', 'model', 'day', 'connection'] as const;
export type UsageKey = (typeof usageKeys)[number];

/** `from` inclusive, `to` exclusive; `by` at least one key, in the order of the columns. */
export type UsageQuery = {
  by: readonly UsageKey[];
  from?: Date | undefined;
  to?: Date | undefined;
  user?: string | undefined;
  connection?: string | undefined;
};

/**
 * Sums over the exchanges of one group and one model and service tier (prices differ by them). `group` has the values
 * in the order of `by`: a user's e-mail or else id, an empty text where there is none, a day as `2026-11-22` in UTC.
 * Tokens as the API counts them: `uncachedInput` excludes both kinds of cached tokens.
 */
export type UsageRow = {
  group: string[];
  model: string;
  serviceTier: string;
  exchanges: number;
  /** Of these, how many are not complete: their answers broke off or failed, and reported tokens only up to there. */
  partial: number;
  tokens: {
    uncachedInput: number;
    cacheRead: number;
    cacheCreation5m: number;
    cacheCreation1h: number;
    output: number;
  };
  webSearchRequests: number;
};

/** Sums up tokens. Throws SkilltapeError `index_failed`, and `usage` for a query that cannot be asked. */
export type IndexUsage = {
  /** An exchange with two skills counts for both in a grouping by `skill`, so those rows do not add up to a total. */
  usage(query: UsageQuery): Promise<UsageRow[]>;
};
