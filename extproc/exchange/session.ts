import type { Endpoint } from '../claude/endpoint.ts';
import type { MessagesRequest } from '../claude/request.ts';
import type { SessionSource } from '../claude/session.ts';
import { sessionSources } from '../claude/session.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import type { HeaderList } from './headers.ts';
import { headerValue } from './headers.ts';
import type { Identity } from './identity.ts';
import type { SessionLinks } from './ports.ts';
import type { LinkScope } from './session-links.ts';
import { sessionLinkKey } from './session-links.ts';

/** `source` tells what named the session; `exchange` means that nothing did and the exchange is its own session. */
export type Session = { id: string; source: string };

/**
 * The session of an exchange. The id is a keyed hash over identity and connection beside the caller's value, so the
 * same value from two people gives two sessions, and nobody can place text in another's (inv. 5). An id that an earlier
 * answer brought (of a container, a managed session, a message in a thread) leads to the session of that exchange.
 */
export function sessionOf(options: {
  facts: { headers: HeaderList; path: string; endpoint: Pick<Endpoint, 'kind'> };
  request: MessagesRequest | null;
  identity: Identity | null;
  connection: string;
  exchangeId: string;
  keyedHash: KeyedHash;
  links: SessionLinks;
}): Session {
  const { facts, request, identity, connection, keyedHash, links } = options;
  const sources = sessionSources({
    ...{ header: (name) => headerValue(facts.headers, name), request },
    ...{ path: facts.path, endpointKind: facts.endpoint.kind },
  });
  const [best] = sources;
  if (best === undefined || identity === null) return { id: options.exchangeId, source: 'exchange' };
  const linked = linkedSession(sources, { identity, connection, keyedHash }, links);
  if (linked !== null) return linked;
  const bound = JSON.stringify([identity.issuer, identity.subject, connection, best.source, best.value]);
  return { id: `s-${keyedHash('session', bound).slice(0, 32)}`, source: best.source };
}

/** What an earlier answer brought, by the source that names it; `claude_code_header` and the like name no such thing. */
const linkKinds = { container: 'container', thread: 'message', managed_session: 'managed_session' } as const;

/** A source that names a session by itself comes before every link. */
function linkedSession(sources: readonly SessionSource[], scope: LinkScope, links: SessionLinks): Session | null {
  for (const { source, value } of sources) {
    if (source === 'claude_code_header' || source === 'metadata_user_id') return null;
    const id = links.sessionOf(sessionLinkKey(scope, linkKinds[source], value));
    if (id !== null) return { id, source };
  }
  return null;
}

/** What an answer says of its session. */
export function sessionHeaders(session: Session | undefined): Record<string, string> {
  return session === undefined ? {} : { 'x-skilltape-session': session.id };
}

/** The headers of ours on an answer. */
export function ownHeaders(exchangeId: string, session: Session | undefined): Record<string, string> {
  return { 'x-skilltape-exchange': exchangeId, ...sessionHeaders(session) };
}
