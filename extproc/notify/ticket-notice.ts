/** What people are told of a request that is held. */
import type { TicketEvent } from '../approvals/ticket.ts';
import type { Ticket } from '../approvals/tickets.ts';
import {
  bounded,
  cut,
  linkTo,
  listMax,
  messageMaxChars,
  type Notice,
  namedPerson,
  nameMaxChars,
  type Occasion,
} from './notice.ts';

/** What of an event people are told, or null. */
export function ticketOccasion(event: TicketEvent, ticket: Ticket): Occasion | null {
  switch (event.kind) {
    case 'opened':
      // Decided meanwhile: that is what is told.
      return ticket.state.kind === 'pending' ? 'opened' : null;
    case 'granted':
    case 'denied':
    case 'revoked':
      return 'decided';
    case 'expired':
      return ticket.state.kind === 'expired' && !ticket.state.wasGranted ? 'expired' : null;
    case 'waiting':
    case 'left':
    case 'approved':
    case 'used':
    case 'given_back':
    case 'notified':
    case 'not_notified':
      return null;
    default:
      return event satisfies never;
  }
}

/**
 * @property id unique to the occasion, such as `t-1.7` for the event with the number 7
 * @property event of which it is told; null: it is of the time that goes by
 */
export type OwnOfNotice<Event> = { id: string; timeMs: number; linkBase: string | null; event: Event | null };

export function ticketNotice(
  occasion: Occasion,
  { ticket, terms, summary, state, events }: Ticket,
  { id, timeMs, linkBase, event }: OwnOfNotice<TicketEvent>,
): Notice {
  const { connection, models, skills, reasons, person } = summary;
  return {
    ...{ id, about: 'approval', occasion, ticket, timeMs },
    untilMs: state.kind === 'pending' ? state.untilMs : null,
    risk: terms.risk,
    quorum: terms.quorum,
    connection: cut(connection, nameMaxChars),
    models: bounded(models),
    skills: bounded(skills),
    reasons: reasons.slice(0, listMax).map(({ rule, message }) => ({
      rule: cut(rule, nameMaxChars),
      message: cut(message, messageMaxChars),
    })),
    decision: event === null ? null : decisionOf(event, events),
    ...{ asked: null, wasGranted: false },
    person: namedPerson(person),
    link: linkTo(linkBase, `/approvals/${encodeURIComponent(ticket)}`),
  };
}

/** Of the event itself: what was approved and taken back since is told as both, each by itself. */
function decisionOf(event: TicketEvent, events: Ticket['events']): Notice['decision'] {
  if (event.kind === 'denied' || event.kind === 'revoked') {
    return { kind: event.kind, reason: cut(event.reason, messageMaxChars) };
  }
  if (event.kind !== 'granted') return null;
  // A ticket is granted once, with the last approval that it took.
  const approval = events.findLast(({ kind }) => kind === 'approved');
  return { kind: 'approved', reason: cut(approval?.kind === 'approved' ? approval.reason : '', messageMaxChars) };
}
