/** The pages on which people ask for access, see what they have, and decide about what others asked for; break-glass, too. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type GrantKind, grantKinds } from '../../grants/grant.ts';
import type { AccessOutcome, AccessQuery, AccessRequests } from '../access.ts';
import { accessDecisionBody, accessDecisionOf, accessWishOf, askingBody } from '../asking.ts';
import { type ConsoleContext, personOf, viewerOf } from '../context.ts';
import { faultsOf } from '../decision.ts';
import { sendPage } from '../login-routes.ts';
import type { Session } from '../sessions.ts';
import { accessPage, ownAccessPage, type TypedAsking } from './access.ts';
import { accessConflictWords, accessStateWords, grantPath } from './access-words.ts';
import { idIn } from './ids.ts';
import { messagePage } from './layout.ts';
import { type Form, listedBehind, noticeOf, numberIn, onForm, onPage, type Visit } from './visit.ts';

/** What the page of one's own access shows. */
export const ownAccess: AccessQuery = { whose: 'own', which: 'all', limit: 100 };

type Fault = { status: number; fault: string };

export function accessPageRoutes(app: FastifyInstance, context: ConsoleContext): void {
  onPage(app, context, '/access', (visit) => showOwn(context, visit, { status: 200, fault: null, typed: {} }));
  onForm(app, context, '/access', { what: () => 'ask for access', take: (visit, form) => ask(context, visit, form) });
  for (const kind of grantKinds) grantRoutes(app, { context, desk: deskOf(context, kind), of: kind });
}

/** One kind of grants, and who decides about them. */
type Deciding = { context: ConsoleContext; desk: AccessRequests; of: GrantKind };

function deskOf({ access, glass }: ConsoleContext, of: GrantKind): AccessRequests {
  return of === 'access' ? access : glass;
}

function grantRoutes(app: FastifyInstance, deciding: Deciding): void {
  const { context, of } = deciding;
  const path = grantPath({ id: ':grant', wanted: { kind: of } });
  onPage(app, context, path, (visit) => showOne(deciding, visit, { status: 200, fault: null, typed: '' }));
  for (const kind of ['approve', 'deny', 'revoke'] as const) {
    onForm(app, context, `${path}/${kind}`, {
      what: (request) => `${kind} ${idIn(request, 'grant') ?? ''}`.trim(),
      take: (visit, form) => decide(deciding, visit, form, kind),
    });
  }
}

async function showOwn(
  { access, now }: ConsoleContext,
  visit: Visit,
  { status, fault, typed }: { status: number; fault: string | null; typed: TypedAsking },
): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const person = personOf(session, request);
  const listed = await listedBehind(visit, (after) => access.list(person, { ...ownAccess, after }));
  const view = { viewer: viewerOf(session), connections: access.connections, listed, nowMs: now(), fault, typed };
  return sendPage(reply, status, ownAccessPage({ ...view, notice: fault === null ? noticeOf(visit) : null }));
}

async function showOne(
  { desk, context: { now }, of }: Deciding,
  visit: Visit,
  { status, fault, typed }: { status: number; fault: string | null; typed: string },
): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const id = idIn(request, 'grant');
  const seen = id === null ? null : await desk.read(personOf(session, request), id);
  if (seen?.kind !== 'grant') return hidden(reply, session, of);
  const notice = fault === null ? noticeOf(visit) : null;
  const view = { viewer: viewerOf(session), seen, nowMs: now(), notice, fault, typed };
  return sendPage(reply, status, accessPage(view));
}

async function ask(context: ConsoleContext, visit: Visit, form: Form): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const typed = textsOf(form, ['connection', 'skill', 'model', 'minutes', 'reason']);
  const again = (wrong: Fault) => showOwn(context, visit, { ...wrong, typed });
  // A field that was left empty is not asked for.
  const given = Object.fromEntries(Object.entries(typed).filter(([, value]) => value.trim() !== ''));
  const wanted = askingBody.safeParse({ ...given, minutes: numberIn(typed.minutes) });
  if (!wanted.success) return again({ status: 422, fault: faultsOf(wanted.error) });
  const outcome = await context.access.ask(personOf(session, request), accessWishOf(wanted.data));
  if (outcome.kind === 'hidden') return hidden(reply, session, 'access');
  if (outcome.kind !== 'recorded') return again(faultOf(outcome));
  return recorded(context, visit, outcome);
}

async function decide(
  deciding: Deciding,
  visit: Visit,
  form: Form,
  kind: 'approve' | 'deny' | 'revoke',
): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const { reason, minutes } = textsOf(form, ['reason', 'minutes']);
  const { context, desk, of } = deciding;
  const again = (wrong: Fault) => showOne(deciding, visit, { ...wrong, typed: reason ?? '' });
  const id = idIn(request, 'grant');
  if (id === null) return hidden(reply, session, of);
  const body = { decision: kind, reason, ...(kind === 'approve' && { minutes: numberIn(minutes) ?? minutes }) };
  const wanted = accessDecisionBody.safeParse(body);
  if (!wanted.success) return again({ status: 422, fault: faultsOf(wanted.error) });
  const outcome = await desk.decide(personOf(session, request), id, accessDecisionOf(wanted.data));
  if (outcome.kind === 'hidden') return hidden(reply, session, of);
  if (outcome.kind !== 'recorded') return again(faultOf(outcome));
  return recorded(context, visit, outcome);
}

export function recorded(
  { live }: ConsoleContext,
  { reply, session }: Visit,
  { grant }: Extract<AccessOutcome, { kind: 'recorded' }>,
): FastifyReply {
  live.nudge();
  session.notice = `Recorded. ${accessStateWords(grant)}.`;
  return reply.redirect(grantPath(grant), 303);
}

export function faultOf(outcome: Exclude<AccessOutcome, { kind: 'recorded' | 'hidden' }>): Fault {
  switch (outcome.kind) {
    case 'denied':
      return { status: 403, fault: outcome.reasons.map(({ message }) => message).join(' ') };
    case 'impossible':
      return { status: 422, fault: outcome.why };
    case 'full':
      return { status: 429, fault: 'Too much that was asked for waits or is in force already.' };
    case 'conflict':
      return { status: outcome.why === 'own' ? 403 : 409, fault: accessConflictWords(outcome) };
    default:
      return outcome satisfies never;
  }
}

export function textsOf<Name extends string>(form: Form, names: readonly Name[]): Partial<Record<Name, string>> {
  const texts = names.flatMap((name) => (typeof form[name] === 'string' ? [[name, form[name]] as const] : []));
  return Object.fromEntries(texts) as Partial<Record<Name, string>>;
}

function hidden(reply: FastifyReply, session: Session, of: GrantKind): FastifyReply {
  const what = of === 'access' ? 'request for access' : 'break-glass';
  const words = `There is no such ${what}, or you may not see it.`;
  return sendPage(reply, 404, messagePage('Nothing to see here', words, viewerOf(session)));
}
