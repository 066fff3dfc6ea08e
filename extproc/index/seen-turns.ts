/** The turns that one exchange brought, to be remembered together with its document. */
export type Turns = { scope: string; hashes: readonly string[] };

/**
 * Remembers which exchange first brought a turn, so that history which a chat resends is not indexed again.
 * `scope` keeps identities and connections apart; `hash` is a keyed hash (inv. 6). Throws SkilltapeError `index_failed`.
 */
export type SeenTurns = {
  /** The id of the exchange that first brought this turn in this scope, or null. */
  firstSeenBy(scope: string, hash: string): string | null;
  /** The first exchange to name a turn keeps it; later ones change nothing. */
  remember(scope: string, hashes: readonly string[], exchangeId: string): void;
};
