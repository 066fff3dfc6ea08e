/** The turns that one exchange brought. */
export type Turns = { scope: string; hashes: readonly string[]; exchangeId: string };

/**
 * Remembers which exchange first brought a turn, so that history which a chat resends is not indexed again.
 * `scope` keeps identities and connections apart; `hash` is a keyed hash (inv. 6). Throws SkilltapeError `index_failed`.
 */
export type SeenTurns = {
  /** The id of the exchange that first brought this turn in this scope, or null. */
  firstSeenBy(scope: string, hash: string): string | null;
};
