/** What one exchange that was let through used, for budgets. `person` is a keyed hash over issuer and subject. */
export type CountedUse = {
  exchangeId: string;
  person: string;
  session: string;
  inputTokens: number;
  outputTokens: number;
  /** In the currency of the price table; null where it has no price. */
  spend: number | null;
};

export type SumOfUse = {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  spend: number;
  unpricedRequests: number;
};

/** Sums of what is stored. Ids are UUIDv7; `beforeId` is excluded. Throws SkilltapeError `index_failed`. */
export type StoredUse = {
  ofPerson(person: string, fromMs: number, beforeId: string): SumOfUse;
  ofSession(session: string, beforeId: string): SumOfUse;
};
