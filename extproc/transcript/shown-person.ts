import type { Decided } from '../exchange/record.ts';
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

const pseudonymForm = /^p-[0-9a-f]{20}$/;

/** Whether it has that form; a subject may have it too. */
export function isPseudonym(id: string): boolean {
  return pseudonymForm.test(id);
}

/**
 * The document with no more of who called than policy wants shown, and then without the names of those who decided
 * about it. An address that is left out is unspecified.
 */
export function withShownPerson(
  document: ExchangeDocument,
  privacy: PrivacyDecision,
  keyedHash: KeyedHash,
): ExchangeDocument {
  const called = withShownCall(document, privacy, keyedHash);
  return privacy.person === 'named' ? called : { ...called, skilltape: withoutDeciders(called.skilltape) };
}

type Call = Pick<ExchangeDocument, 'user' | 'source'>;

function withShownCall<C extends Call>(call: C, { person, address, groups }: PrivacyDecision, keyedHash: KeyedHash): C {
  const { user, source } = call;
  return {
    ...call,
    source: address === 'dropped' ? { ip: unspecified } : source,
    user: user === null ? null : { ...shown(user, person, keyedHash), ...(groups === 'dropped' && { roles: [] }) },
  };
}

/** Tickets, grants and stops have who decided, for those who may see them; `hold-reply.ts` and `stopping.ts` wrote these words. */
const approvedBy = /^Approved by .*(?= \(ticket )/s;
const stoppedBy = /^stopped by .*?(?: of \S+| \(uid \d+\)): /s;

function withoutDeciders(ours: ExchangeDocument['skilltape']): ExchangeDocument['skilltape'] {
  const { outcome, outcome_detail: detail, verdict } = ours;
  const reasons = verdict.reasons.map((reason) =>
    reason.rule === 'skilltape/approved'
      ? { ...reason, message: reason.message.replace(approvedBy, 'Approved by people') }
      : reason,
  );
  return {
    ...ours,
    outcome_detail: outcome === 'stopped' ? detail.replace(stoppedBy, 'stopped by an operator: ') : detail,
    verdict: { ...verdict, reasons, lifted_by: [] },
  };
}

/** An index of addresses takes no empty text. */
const unspecified = '0.0.0.0';

type User = NonNullable<ExchangeDocument['user']>;

function shown(user: User, person: PrivacyDecision['person'], keyedHash: KeyedHash): User {
  if (person === 'named') return user;
  return { ...user, id: pseudonymOf(keyedHash, { issuer: user.domain, subject: user.id }), name: '', email: '' };
}

/** The same before a document is made of it that has neither reasons nor details. */
export function withShownCaller(transcript: Transcript, privacy: PrivacyDecision, keyedHash: KeyedHash): Transcript {
  const { started, decided } = transcript;
  const shownAs = { user: userOf(started.identity), source: { ip: started.sourceAddress } };
  const { user, source } = withShownCall(shownAs, privacy, keyedHash);
  const identity = user && {
    ...{ issuer: user.domain, subject: user.id, name: user.name, email: user.email, groups: user.roles },
  };
  const shownDecided = privacy.person === 'named' ? decided : decided && withoutGivers(decided);
  return { ...transcript, started: { ...started, identity, sourceAddress: source.ip }, decided: shownDecided };
}

function withoutGivers(decided: Decided): Decided {
  const { lifted } = decided;
  if (lifted === undefined) return decided;
  return { ...decided, lifted: { ...lifted, grants: lifted.grants.map((grant) => ({ ...grant, by: [] })) } };
}
