import type { NumberedEvent } from '../approvals/feed.ts';
import type { TicketEvent } from '../approvals/ticket.ts';
import type { Ticket } from '../approvals/tickets.ts';

/** Of what people are told; `expiring` and `expired` are about tickets that nobody decided. */
export type Occasion = 'opened' | 'expiring' | 'decided' | 'expired';

/**
 * What a message says, whatever its shape. It locates and holds no content: no excerpt of the prompt, and what stands in
 * it passed through the masker with the ticket. What a caller chose (names of models and skills, which a rule's message
 * may repeat) is bounded here and made harmless by each shape.
 */
export type Notice = {
  /** The same at every attempt, by which a receiver knows a repetition. */
  id: string;
  occasion: Occasion;
  ticket: string;
  timeMs: number;
  /** When an undecided ticket ends; null when it is decided or over. */
  untilMs: number | null;
  risk: string;
  quorum: number;
  connection: string;
  models: string[];
  skills: string[];
  reasons: { rule: string; message: string }[];
  decision: { kind: 'approved' | 'denied' | 'revoked'; reason: string } | null;
  /** Who asks; null where the target is not to know, or nobody is known. */
  person: { name: string; email: string; subject: string } | null;
  /** Null where `approvals.notify.linkBase` is not set. */
  link: string | null;
};

const listMax = 5;
const nameMaxChars = 200;
const messageMaxChars = 500;

/** What of an event people are told, or null. */
export function occasionOf({ event }: NumberedEvent, ticket: Ticket): Occasion | null {
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
export type OwnOfNotice = { id: string; timeMs: number; linkBase: string | null; event: TicketEvent | null };

export function noticeOf(
  occasion: Occasion,
  { ticket, terms, summary, state, events }: Ticket,
  { id, timeMs, linkBase, event }: OwnOfNotice,
): Notice {
  const { connection, models, skills, reasons, person } = summary;
  return {
    ...{ id, occasion, ticket, timeMs },
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
    person: person && {
      name: cut(person.name, nameMaxChars),
      email: cut(person.email, nameMaxChars),
      subject: cut(person.subject, nameMaxChars),
    },
    link: linkBase === null ? null : `${linkBase.replace(/\/$/, '')}/approvals/${encodeURIComponent(ticket)}`,
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

function bounded(names: readonly string[]): string[] {
  const shown = names.slice(0, listMax).map((name) => cut(name, nameMaxChars));
  return names.length > listMax ? [...shown, `and ${names.length - listMax} more`] : shown;
}

/** Never through the middle of a character. */
function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).toWellFormed()}…`;
}

const titles: Record<Occasion, string> = {
  opened: 'A request waits for an approval',
  expiring: 'A request is about to expire undecided',
  decided: 'A request was decided',
  expired: 'A request expired undecided',
};

export function titleOf({ occasion, decision, ticket }: Notice): string {
  return `${decision === null ? titles[occasion] : `A request was ${decision.kind}`} (ticket ${ticket})`;
}

/** What is said of it, line by line: our own word, and a value that may be anybody's. */
export function factsOf(notice: Notice): { name: string; value: string }[] {
  const { person, connection, models, skills, reasons, decision, untilMs, risk, quorum } = notice;
  const facts = [
    { name: 'Asked by', value: person === null ? '' : [person.name, person.email || person.subject].join(' ').trim() },
    { name: 'Connection', value: connection },
    { name: 'Model', value: models.join(', ') },
    { name: 'Skill', value: skills.join(', ') },
    ...reasons.map(({ rule, message }) => ({ name: 'Held because', value: `${message} (${rule})` })),
    { name: 'Decided because', value: decision?.reason ?? '' },
    { name: 'Risk', value: untilMs === null ? '' : `${risk}; ${quorum} to approve` },
    { name: 'Ends', value: untilMs === null ? '' : new Date(untilMs).toISOString() },
  ];
  return facts.filter(({ value }) => value !== '');
}
