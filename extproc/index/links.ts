/**
 * A thing that an exchange brought into the world (a container, a message, a file, a prompt of a batch) and by which a
 * later exchange refers to it. `key` is a keyed hash over identity, connection, kind and id: two people who name the
 * same id never meet, and the id is not readable at rest (inv. 6).
 */
export type Link = { key: string; eventId: string; session: string };

/** Throws SkilltapeError `index_failed`. */
export type Links = {
  /** The first document that brought it, or null. */
  find(key: string): { eventId: string; session: string } | null;
};
