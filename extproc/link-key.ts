import type { KeyedHash } from './keyed-hash.ts';

/**
 * The key under which a thing (a container, a message, a file) is found by its id. Bound to who brought it, and over
 * which connection: two people who name the same id never meet. A keyed hash, so the id is not readable at rest (inv. 6).
 */
export function linkKey(
  keyedHash: KeyedHash,
  identity: { issuer: string; subject: string },
  connection: string,
  kind: string,
  ids: readonly string[],
): string {
  return keyedHash('link', JSON.stringify([identity.issuer, identity.subject, connection, kind, ...ids])).slice(0, 32);
}

/**
 * The key under which the owner of a thing in Claude's workspace is remembered. The same for everybody and over every
 * connection, which may share a key of Claude: that is how another's is told from one that nobody was given yet.
 */
export function ownedKey(keyedHash: KeyedHash, kind: string, id: string): string {
  return keyedHash('owned', JSON.stringify([kind, id])).slice(0, 32);
}

/** Who owns something: a person or workload over one connection, not readable at rest (inv. 6). */
export function ownerKey(
  keyedHash: KeyedHash,
  { issuer, subject }: { issuer: string; subject: string },
  connection: string,
): string {
  return keyedHash('owner', JSON.stringify([issuer, subject, connection])).slice(0, 32);
}

/** Who used something, not readable at rest (inv. 6); the same over every connection. */
export function personKey(keyedHash: KeyedHash, { issuer, subject }: { issuer: string; subject: string }): string {
  return keyedHash('person', JSON.stringify([issuer, subject])).slice(0, 32);
}
