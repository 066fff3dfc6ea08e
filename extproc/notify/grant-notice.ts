/** What people are told of access that is asked for, and of break-glass. */
import type { GrantEvent } from '../grants/grant.ts';
import type { Grant } from '../grants/grants.ts';
import { cut, linkTo, messageMaxChars, type Notice, namedPerson, nameMaxChars, type Occasion } from './notice.ts';
import type { OwnOfNotice } from './ticket-notice.ts';

const minuteMs = 60_000;

/** What of an event people are told, or null. */
export function grantOccasion(event: GrantEvent, { state }: Grant): Occasion | null {
  switch (event.kind) {
    case 'asked':
      // Decided meanwhile: that is what is told.
      return state.kind === 'pending' ? 'opened' : null;
    case 'granted':
    case 'denied':
    case 'revoked':
      return 'decided';
    case 'expired':
      return 'expired';
    case 'approved':
    case 'notified':
    case 'not_notified':
      return null;
    default:
      return event satisfies never;
  }
}

export function grantNotice(
  occasion: Occasion,
  { id: grant, wanted, terms, state, events }: Grant,
  { id, timeMs, linkBase, event }: OwnOfNotice<GrantEvent>,
): Notice {
  const { kind, holder, connection, skill, model, forMs } = wanted;
  const asked = events.find((one) => one.kind === 'asked');
  return {
    ...{ id, about: kind, occasion, ticket: grant, timeMs },
    untilMs: untilMsOf(event, state),
    ...{ risk: '', quorum: terms.quorum },
    connection: connection === null ? null : cut(connection, nameMaxChars),
    models: model === null ? [] : [cut(model, nameMaxChars)],
    skills: skill === null ? [] : [cut(skill, nameMaxChars)],
    reasons: [],
    decision: event === null ? null : decisionOf(event, events),
    asked: { forMinutes: Math.ceil(forMs / minuteMs), reason: cut(asked?.reason ?? '', messageMaxChars) },
    wasGranted: event?.kind === 'expired' && events.some((one) => one.kind === 'granted'),
    person: namedPerson(holder),
    link: linkTo(linkBase, `/${kind === 'access' ? 'access' : 'break-glass'}/${encodeURIComponent(grant)}`),
  };
}

/** Of what is given: until when, as it was then. */
function untilMsOf(event: GrantEvent | null, state: Grant['state']): number | null {
  if (event?.kind === 'granted') return event.untilMs;
  return state.kind === 'pending' ? state.untilMs : null;
}

/** Of the event itself: what was given and taken back since is told as both, each by itself. */
function decisionOf(event: GrantEvent, events: Grant['events']): Notice['decision'] {
  if (event.kind === 'denied' || event.kind === 'revoked') {
    return { kind: event.kind, reason: cut(event.reason, messageMaxChars) };
  }
  if (event.kind !== 'granted') return null;
  const approval = events.findLast((one) => one.kind === 'approved');
  return { kind: 'approved', reason: cut(approval?.kind === 'approved' ? approval.reason : '', messageMaxChars) };
}
