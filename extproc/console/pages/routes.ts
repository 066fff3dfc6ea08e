/** The pages on which people look and decide. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type AccessQuery, accessGlanceOf } from '../access.ts';
import { glanceOf, type Outcome, type Seen } from '../approvals.ts';
import { type ConsoleContext, personOf, viewerOf } from '../context.ts';
import { decisionBody, faultsOf, wishOf } from '../decision.ts';
import { sendPage } from '../login-routes.ts';
import type { Session } from '../sessions.ts';
import { accessRequests } from './access-list.ts';
import { idIn, idPattern } from './ids.ts';
import { decidedPage, heldRequests, inboxPage } from './inbox.ts';
import { messagePage } from './layout.ts';
import { ticketPage } from './ticket.ts';
import { type Form, listedBehind, noticeOf, numberIn, onForm, onPage, type Visit } from './visit.ts';
import { stateWords } from './words.ts';

/** Tickets, or requests for access, of one page. */
export const shownMax = 100;

export const inboxAccess: AccessQuery = { whose: 'any', which: 'live', limit: shownMax };

type Named = { ticket: string };

export function pageRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const page = (path: string, show: (visit: Visit) => Promise<FastifyReply>): void => onPage(app, context, path, show);
  page('/approvals', (visit) => inbox(context, visit));
  page('/decided', async (visit) => {
    const { request, reply, session } = visit;
    const person = personOf(session, request);
    const listed = await listedBehind(visit, (after) => context.approvals.list(person, 'all', shownMax, after));
    return sendPage(reply, 200, decidedPage(viewerOf(session), listed, context.now()));
  });
  page('/approvals/:ticket', async (visit) => {
    const { request, reply, session } = visit;
    const { ticket } = request.params as Named;
    const seen = await seenOf(context, visit, ticket);
    if (seen.kind === 'hidden') return hidden(reply, session);
    const view = { viewer: viewerOf(session), seen, nowMs: context.now(), notice: noticeOf(visit) };
    return sendPage(reply, 200, ticketPage({ ...view, fault: null, typed: null }));
  });
  for (const kind of ['approve', 'deny', 'revoke'] as const) {
    onForm(app, context, `/approvals/:ticket/${kind}`, {
      what: (request) => `${kind} ${idIn(request, 'ticket') ?? ''}`.trim(),
      take: (visit, form) => decide(context, visit, form, kind),
    });
  }
}

async function inbox(context: ConsoleContext, visit: Visit): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const person = personOf(session, request);
  const held = await listedBehind(visit, (after) => context.approvals.list(person, 'live', shownMax, after));
  const access = (await context.access.list(person, inboxAccess)) ?? { grants: [], next: null };
  const nowMs = context.now();
  const sections = [...heldRequests(held, nowMs), ...accessRequests(access, person, nowMs)];
  const glance = `${glanceOf(held.tickets)}${accessGlanceOf(access.grants)}`;
  return sendPage(reply, 200, inboxPage(viewerOf(session), sections, { notice: noticeOf(visit), glance }));
}

async function decide(
  context: ConsoleContext,
  visit: Visit,
  form: Form,
  kind: 'approve' | 'deny' | 'revoke',
): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const person = personOf(session, request);
  const ticket = idIn(request, 'ticket');
  if (ticket === null) return hidden(reply, session);
  const wanted = decisionBody.safeParse({
    decision: kind,
    ...(kind === 'approve' ? numbered(form) : { reason: form.reason }),
  });
  if (!wanted.success) return again(context, visit, ticket, { status: 422, fault: faultsOf(wanted.error) });
  const outcome = await context.approvals.decide(person, ticket, wishOf(wanted.data));
  if (outcome.kind === 'hidden') return hidden(reply, session);
  if (outcome.kind !== 'recorded') return again(context, visit, ticket, faultOf(outcome));
  context.live.nudge();
  session.notice = `Recorded. ${stateWords(outcome.ticket)}.`;
  return reply.redirect(`/approvals/${ticket}`, 303);
}

function numbered({ reason, scope, uses, minutes }: Record<string, unknown>): Record<string, unknown> {
  return { reason, scope, uses: numberIn(uses), minutes: numberIn(minutes) };
}

function faultOf(outcome: Extract<Outcome, { kind: 'denied' | 'conflict' }>): { status: number; fault: string } {
  if (outcome.kind === 'denied') return { status: 403, fault: outcome.reasons.map(({ message }) => message).join(' ') };
  return { status: 409, fault: conflictWords(outcome) };
}

export function conflictWords({ why, ticket }: Extract<Outcome, { kind: 'conflict' }>): string {
  switch (why) {
    case 'approved_before':
      return 'You have approved this already; somebody else has to.';
    case 'scope_not_offered':
      return 'Policy does not offer that scope for this request.';
    case 'not_open':
      return `This cannot be decided any more: ${stateWords(ticket)}.`;
    default:
      return why satisfies never;
  }
}

/** The page once more, with what was typed and why it was not taken. */
async function again(
  context: ConsoleContext,
  visit: Visit,
  ticket: string,
  { status, fault }: { status: number; fault: string },
): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const seen = await seenOf(context, visit, ticket);
  if (seen.kind === 'hidden') return hidden(reply, session);
  const { reason } = (request.body ?? {}) as { reason?: unknown };
  const typed = typeof reason === 'string' ? { reason } : null;
  const view = { viewer: viewerOf(session), seen, nowMs: context.now(), notice: null };
  return sendPage(reply, status, ticketPage({ ...view, fault, typed }));
}

async function seenOf({ approvals }: ConsoleContext, { request, session }: Visit, ticket: string): Promise<Seen> {
  return idPattern.test(ticket) ? approvals.read(personOf(session, request), ticket) : { kind: 'hidden' };
}

function hidden(reply: FastifyReply, session: Session): FastifyReply {
  const words = 'There is no such request, or you may not see it.';
  return sendPage(reply, 404, messagePage('Nothing to see here', words, viewerOf(session)));
}
