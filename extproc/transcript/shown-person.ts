import type { KeyedHash } from '../keyed-hash.ts';
import type { PrivacyDecision } from '../policy/privacy-decision.ts';
import type { ExchangeDocument } from './document.ts';
import { userOf } from './draft.ts';
import type { Transcript } from './transcript.ts';

type Person = { issuer: string; subject: string };

/**
 * One for each person, the same in every document, so that a search finds all of theirs; only whoever has the key can
 * tell whose it is.
 */
export function pseudonymOf(keyedHash: KeyedHash, { issuer, subject }: Person): string {
  return `p-${keyedHash('pseudonym', JSON.stringify([issuer, subject])).slice(0, 20)}`;
}

/** The document with no more of who called than policy wants shown. An address that is left out is unspecified. */
export function withShownPerson<D extends Pick<ExchangeDocument, 'user' | 'source'>>(
  document: D,
  { person, address, groups }: PrivacyDecision,
  keyedHash: KeyedHash,
): D {
  const { user, source } = document;
  return {
    ...document,
    source: address === 'dropped' ? { ip: unspecified } : source,
    user: user === null ? null : { ...shown(user, person, keyedHash), ...(groups === 'dropped' && { roles: [] }) },
  };
}

/** An index of addresses takes no empty text. */
const unspecified = '0.0.0.0';

type User = NonNullable<ExchangeDocument['user']>;

function shown(user: User, person: PrivacyDecision['person'], keyedHash: KeyedHash): User {
  if (person === 'named') return user;
  return { ...user, id: pseudonymOf(keyedHash, { issuer: user.domain, subject: user.id }), name: '', email: '' };
}

/** The same before a document is made of it. */
export function withShownCaller(transcript: Transcript, privacy: PrivacyDecision, keyedHash: KeyedHash): Transcript {
  const { started } = transcript;
  const shownAs = { user: userOf(started.identity), source: { ip: started.sourceAddress } };
  const { user, source } = withShownPerson(shownAs, privacy, keyedHash);
  const identity = user && {
    ...{ issuer: user.domain, subject: user.id, name: user.name, email: user.email, groups: user.roles },
  };
  return { ...transcript, started: { ...started, identity, sourceAddress: source.ip } };
}
