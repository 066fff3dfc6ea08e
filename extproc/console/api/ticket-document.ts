/** A ticket as the API gives it. */
import { z } from 'zod';
import type { Approver, Grant } from '../../approvals/ticket.ts';
import type { Ticket } from '../../approvals/tickets.ts';
import { scopeKinds } from '../../exchange/approval-desk.ts';

const text = z.string();
const time = z.iso.datetime().describe('RFC 3339, UTC.');
const count = z.int().min(0);

const approverDocument = z.strictObject({
  kind: z.enum(['os', 'person']).describe('An account at the command line, or a person known by their token.'),
  name: text.describe('For people; proves nothing.'),
  uid: z.int().optional(),
  issuer: text.optional(),
  subject: text.optional(),
  via: z.enum(['console', 'api']).optional(),
  address: text.optional().describe('Where they came from.'),
  authenticatedAt: time.nullable().optional().describe('When they last proved who they are, where that is known.'),
});

const grantDocument = z.strictObject({ scope: z.enum(scopeKinds), uses: count, until: time });

const eventDocument = z.strictObject({
  kind: text,
  at: time,
  exchange: text.optional(),
  by: approverDocument.optional(),
  reason: text.optional(),
  grant: grantDocument.optional(),
});

export const ticketDocument = z.strictObject({
  ticket: text,
  state: z.enum(['pending', 'granted', 'used', 'denied', 'expired', 'revoked']),
  openedAt: time,
  until: time.nullable().describe('When it ends by itself; null: it does not.'),
  approvals: count.describe('How many have approved, of `quorum`.'),
  quorum: count,
  approvers: z.array(text).describe('Groups of people who may decide.'),
  risk: z.enum(['low', 'medium', 'high']),
  scopes: z.array(z.enum(scopeKinds)).describe('What an approval can be good for.'),
  grantMaxMinutes: count,
  person: z.strictObject({ issuer: text, subject: text, name: text, email: text }).nullable().describe('Who asks.'),
  connection: text,
  session: text,
  endpoint: text,
  models: z.array(text),
  skills: z.array(text),
  tools: z.array(text),
  findings: z.array(z.strictObject({ type: text, place: text, count })),
  findingsComplete: z.boolean().describe('Whether all of the request was searched.'),
  reasons: z.array(z.strictObject({ rule: text, message: text })).describe('Why it is held.'),
  policyRevision: text,
  excerpt: text.describe('Begin and end of the newest prompt, masked.'),
  leftOut: z.strictObject({ chars: count, messages: count, bytes: count }).describe('What the excerpt does not show.'),
  events: z.array(eventDocument).describe('Everything that happened, in order.'),
});

export type TicketDocument = z.infer<typeof ticketDocument>;

export function documentOf(ticket: Ticket): TicketDocument {
  const { summary, terms, state } = ticket;
  const { excerpt, leftOut, person, connection, session, endpoint, models, skills, tools } = summary;
  return {
    ticket: ticket.ticket,
    state: state.kind,
    openedAt: timeOf(ticket.openedMs),
    until:
      state.kind === 'pending' ? timeOf(state.untilMs) : state.kind === 'granted' ? timeOf(state.grant.untilMs) : null,
    approvals: ticket.events.filter(({ kind }) => kind === 'approved').length,
    ...{ quorum: terms.quorum, approvers: [...terms.approvers], risk: terms.risk, scopes: [...terms.scopes] },
    grantMaxMinutes: Math.floor(terms.grantMaxMs / 60_000),
    ...{ person, connection, session, endpoint, models, skills, tools },
    ...{ findings: summary.findings, findingsComplete: summary.findingsComplete, reasons: summary.reasons },
    ...{ policyRevision: summary.policyRevision, excerpt, leftOut },
    events: ticket.events.map(eventOf),
  };
}

function eventOf(event: Ticket['events'][number]): TicketDocument['events'][number] {
  return {
    kind: event.kind,
    at: timeOf(event.timeMs),
    ...('exchangeId' in event && { exchange: event.exchangeId }),
    ...('by' in event && { by: byOf(event.by), reason: event.reason }),
    ...('grant' in event && { grant: grantOf(event.grant) }),
  };
}

function byOf(by: Approver): z.infer<typeof approverDocument> {
  if (by.kind === 'os') return { kind: 'os', name: by.name, uid: by.uid };
  const { authenticatedMs, kind, name, issuer, subject, via, address } = by;
  const authenticatedAt = authenticatedMs === null ? null : timeOf(authenticatedMs);
  return { kind, name, issuer, subject, via, address, authenticatedAt };
}

function grantOf({ scope, uses, untilMs }: Grant): z.infer<typeof grantDocument> {
  return { scope, uses, until: timeOf(untilMs) };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
