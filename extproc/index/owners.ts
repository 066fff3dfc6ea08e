/** A thing in Claude's workspace and who was given it first, both as keyed hashes, and the exchange that brought it. */
export type OwnedThing = { key: string; owner: string; exchangeId: string };

/** Throws SkilltapeError `index_failed`. */
export type StoredOwners = { ownerOf(key: string): string | null };
