import { LRUCache } from 'lru-cache';
import type { KeyedHash } from '../keyed-hash.ts';
import { linkKey } from '../link-key.ts';
import type { Identity } from './identity.ts';
import type { SessionLinks } from './ports.ts';

/** What a link is bound to: the same id from another person, issuer or connection is another link (inv. 5). */
export type LinkScope = { identity: Identity; connection: string; keyedHash: KeyedHash };

/** The key under which the session that brought an id is remembered. */
export function sessionLinkKey(
  { identity, connection, keyedHash }: LinkScope,
  kind: 'container' | 'message' | 'managed_session',
  id: string,
) {
  return linkKey(keyedHash, identity, connection, kind, [id]);
}

/**
 * Remembers the `rememberedMax` links used last. `stored` knows older ones and those from before a restart; it is asked
 * while a request is held, so it must be quick, and it must not throw. A link that neither knows gives another session,
 * never somebody else's.
 */
export function createSessionLinks(
  rememberedMax: number,
  stored: (key: string) => string | null = () => null,
): SessionLinks & { remember(key: string, session: string): void } {
  const sessionByKey = new LRUCache<string, string>({ max: rememberedMax });
  return {
    sessionOf(key) {
      const remembered = sessionByKey.get(key);
      if (remembered !== undefined) return remembered;
      const session = stored(key);
      if (session !== null) sessionByKey.set(key, session);
      return session;
    },
    remember(key, session) {
      sessionByKey.set(key, session);
    },
  };
}
