import type { MessagesRequest } from '../claude/request.ts';
import { sessionSource } from '../claude/session.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import type { HeaderList } from './headers.ts';
import { headerValue } from './headers.ts';
import type { Identity } from './identity.ts';

/** `source` tells what named the session; `exchange` means that nothing did and the exchange is its own session. */
export type Session = { id: string; source: string };

/**
 * The session of an exchange. The id is a keyed hash over identity and connection beside the caller's value, so the
 * same value from two people gives two sessions, and nobody can place text in another's (inv. 5).
 */
export function sessionOf(options: {
  headers: HeaderList;
  request: MessagesRequest | null;
  identity: Identity | null;
  connection: string;
  exchangeId: string;
  keyedHash: KeyedHash;
}): Session {
  const { identity, connection, exchangeId } = options;
  const found = sessionSource((name) => headerValue(options.headers, name), options.request);
  if (found === null || identity === null) return { id: exchangeId, source: 'exchange' };
  const bound = JSON.stringify([identity.issuer, identity.subject, connection, found.source, found.value]);
  return {
    id: `s-${options.keyedHash('session', bound).slice(0, 32)}`,
    source: found.source,
  };
}
