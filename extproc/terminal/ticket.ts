import type { Approver } from '../approvals/ticket.ts';
import type { Ticket } from '../approvals/tickets.ts';
import { sanitise, sanitiseLine } from './sanitise.ts';

/** One line of a list: what it is, for whom, and until when. */
export function ticketLine(ticket: Ticket, nowMs: number): string {
  const { summary, state } = ticket;
  const age = minutes(nowMs - ticket.openedMs);
  const rules = summary.reasons.map(({ rule }) => rule).join(' ');
  const told = wasNotTold(ticket) ? '  not notified' : '';
  return sanitiseLine(
    `${ticket.ticket}  ${state.kind}  ${age} ago  ${personOf(ticket)}  ${summary.connection}  ${rules}${told}`,
  );
}

/** Some target has not been told of what it was to be told last. */
function wasNotTold({ events }: Ticket): boolean {
  const last = new Map<string, string>();
  for (const event of events) if ('occasion' in event) last.set(event.target, event.kind);
  return [...last.values()].includes('not_notified');
}

/** Everything that whoever decides is told, in plain words. */
export function ticketPage(ticket: Ticket): string {
  const { summary, terms } = ticket;
  const lines = [
    `ticket      ${ticket.ticket}  (${ticket.state.kind}, risk ${terms.risk})`,
    `asked by    ${personOf(ticket)} on ${summary.connection}, session ${summary.session}`,
    `opened      ${new Date(ticket.openedMs).toISOString()}`,
    `what        ${summary.endpoint} ${summary.models.join(' ')}`,
    ...named('skills', summary.skills),
    ...named('tools', summary.tools),
    ...summary.reasons.map(({ rule, message }) => `because     ${message} (${rule})`),
    ...summary.findings.map(({ type, place, count }) => `found       ${count} ${type} in ${place}`),
    ...(summary.findingsComplete ? [] : ['found       (not all of it was searched)']),
    `needs       ${terms.quorum} to approve; for ${terms.scopes.join(', ')}; at most ${minutes(terms.grantMaxMs)}`,
    `not shown   ${leftOutOf(ticket)}`,
    ...ticket.events.map((event) => `event       ${eventLine(event)}`),
  ];
  return `${lines.map(sanitiseLine).join('\n')}\n\n${sanitise(summary.excerpt)}\n`;
}

function personOf({ summary: { person } }: Ticket): string {
  if (person === null) return 'nobody known';
  return person.email === '' ? person.subject : person.email;
}

function leftOutOf({ summary: { leftOut } }: Ticket): string {
  const parts = [`${leftOut.chars} characters of the prompt`, `${leftOut.messages} earlier messages`];
  return leftOut.bytes > 0 ? `${leftOut.bytes} bytes that are no text` : parts.join(', ');
}

function named(what: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${what.padEnd(12)}${names.join(' ')}`];
}

function eventLine(event: Ticket['events'][number]): string {
  const time = new Date(event.timeMs).toISOString();
  const by = 'by' in event ? ` by ${approverOf(event.by)}: ${event.reason}` : '';
  const exchange = 'exchangeId' in event ? ` ${event.exchangeId}` : '';
  const grant = 'grant' in event ? ` for ${event.grant.uses} ${event.grant.scope}` : '';
  const told = 'occasion' in event ? ` ${event.target} of ${event.occasion}` : '';
  const why = event.kind === 'not_notified' ? `: ${event.why}` : '';
  return `${time} ${event.kind}${exchange}${grant}${by}${told}${why}`;
}

function approverOf(by: Approver): string {
  if (by.kind === 'os') return `${by.name} (uid ${by.uid})`;
  return `${by.name} (${by.subject} of ${by.issuer}, ${by.via} from ${by.address})`;
}

function minutes(ms: number): string {
  const whole = Math.max(0, Math.round(ms / 60_000));
  return whole < 120 ? `${whole} min` : `${Math.round(whole / 60)} h`;
}
