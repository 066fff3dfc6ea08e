/** The pages on which operators stop what runs, and begin break-glass: forms, a page that asks once more, and what is stopped. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { glassBody, glassWishOf } from '../asking.ts';
import { type ConsoleContext, personOf, viewerOf } from '../context.ts';
import { faultsOf } from '../decision.ts';
import type { StopOutcome } from '../incidents.ts';
import { sendPage } from '../login-routes.ts';
import { liftBody, stopBody, stoppedId, tooManyStopped } from '../stopping.ts';
import { faultOf, recorded, textsOf } from './access-routes.ts';
import { confirmStopPage, incidentPage, liftPage, type TypedStop } from './incident.ts';
import { everywhere, type TypedGlass } from './incident-glass.ts';
import { messagePage } from './layout.ts';
import { type Form, noticeOf, numberIn, onForm, onPage, type Visit } from './visit.ts';

const stopForm = stopBody.extend({ confirmed: z.literal('yes').optional() });

type Fault = { status: number; fault: string };

export function incidentRoutes(app: FastifyInstance, context: ConsoleContext): void {
  onPage(app, context, '/incident', (visit) => show(context, visit, null, {}));
  onForm(app, context, '/incident/stop', { what: () => 'stop', take: (visit, form) => stop(context, visit, form) });
  onPage(app, context, '/incident/lift/:session', async (visit) => askToLift(visit, null, ''));
  onForm(app, context, '/incident/lift/:session', {
    what: (request) => `lift ${sessionIn(request) ?? ''}`.trim(),
    take: (visit, form) => lift(context, visit, form),
  });
  onForm(app, context, '/break-glass', {
    what: () => 'begin break-glass',
    take: (visit, form) => breakGlass(context, visit, form),
  });
}

async function show(
  { incidents, glass, now }: ConsoleContext,
  visit: Visit,
  wrong: Fault | null,
  typed: TypedStop,
  typedGlass: TypedGlass = {},
): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const person = personOf(session, request);
  const incident = await incidents.list(person);
  const { connections } = glass;
  const breaking = (await glass.mayBreakGlass(person)) ? { connections, typed: typedGlass } : null;
  const notice = wrong === null ? noticeOf(visit) : null;
  const told = { viewer: viewerOf(session), nowMs: now(), notice, fault: wrong?.fault ?? null };
  const view = { ...told, incident, breaking, typed };
  return sendPage(reply, wrong?.status ?? 200, incidentPage(view));
}

/** Nothing is stopped before the second page was sent, which a link or a slip of the hand does not do. */
async function stop(context: ConsoleContext, visit: Visit, form: Form): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const typed = typedIn(form);
  const wanted = stopForm.safeParse(form);
  if (!wanted.success) return show(context, visit, { status: 422, fault: faultsOf(wanted.error) }, typed);
  const { kind, id: name, reason: why, confirmed } = wanted.data;
  const target = { kind, id: name };
  if (confirmed === undefined) return sendPage(reply, 200, confirmStopPage(viewerOf(session), target, why));
  const outcome = await context.incidents.stop(personOf(session, request), target, why);
  return answerTo(context, visit, outcome, { typed, done: `The ${kind} ${name} is stopped.` });
}

function sessionIn({ params }: FastifyRequest): string | null {
  return stoppedId.safeParse((params as { session?: unknown }).session).data ?? null;
}

/** Says nothing of whether it is stopped: what a person may see of that stands in the list. */
function askToLift(visit: Visit, wrong: Fault | null, typed: string): FastifyReply {
  const { request, reply, session } = visit;
  const name = sessionIn(request);
  if (name === null)
    return sendPage(reply, 404, messagePage('Nothing to see here', 'That is no id.', viewerOf(session)));
  const view = { fault: wrong?.fault ?? null, typed };
  return sendPage(reply, wrong?.status ?? 200, liftPage(viewerOf(session), name, view));
}

async function lift(context: ConsoleContext, visit: Visit, form: Form): Promise<FastifyReply> {
  const name = sessionIn(visit.request);
  const wanted = liftBody.safeParse(form);
  if (name === null) return askToLift(visit, null, '');
  if (!wanted.success) {
    const typed = typeof form.reason === 'string' ? form.reason : '';
    return askToLift(visit, { status: 422, fault: faultsOf(wanted.error) }, typed);
  }
  const outcome = await context.incidents.lift(personOf(visit.session, visit.request), name, wanted.data.reason);
  return answerTo(context, visit, outcome, { typed: {}, done: `Requests of the session ${name} are taken again.` });
}

async function answerTo(
  context: ConsoleContext,
  visit: Visit,
  outcome: StopOutcome,
  { typed, done }: { typed: TypedStop; done: string },
): Promise<FastifyReply> {
  switch (outcome.kind) {
    case 'recorded':
      context.live.nudge();
      visit.session.notice = `Recorded. ${done}`;
      return visit.reply.redirect('/incident', 303);
    case 'denied': {
      const fault = outcome.reasons.map(({ message }) => message).join(' ');
      return show(context, visit, { status: 403, fault }, typed);
    }
    case 'not_stopped':
      return show(context, visit, { status: 409, fault: 'That session is not stopped any more.' }, typed);
    case 'full':
      return show(context, visit, { status: 429, fault: tooManyStopped }, typed);
    default:
      return outcome satisfies never;
  }
}

/** The first of two people. */
async function breakGlass(context: ConsoleContext, visit: Visit, form: Form): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const typed = textsOf(form, ['connection', 'issuer', 'subject', 'minutes', 'reason']);
  const again = (wrong: Fault) => show(context, visit, wrong, {}, typed);
  const { connection = '', issuer = '', subject = '' } = typed;
  const wanted = glassBody.safeParse({
    ...{ connection: connection === everywhere ? null : connection, reason: typed.reason },
    person: issuer.trim() === '' && subject.trim() === '' ? null : { issuer, subject },
    minutes: numberIn(typed.minutes),
  });
  if (!wanted.success) return again({ status: 422, fault: faultsOf(wanted.error) });
  const outcome = await context.glass.breakGlass(personOf(session, request), glassWishOf(wanted.data));
  switch (outcome.kind) {
    case 'recorded':
      return recorded(context, visit, outcome);
    case 'hidden':
      return reply.redirect('/incident', 303);
    default:
      return again(faultOf(outcome));
  }
}

function typedIn(form: Form): TypedStop {
  const names = ['kind', 'id', 'reason'] as const;
  const texts = names.flatMap((name) => (typeof form[name] === 'string' ? [[name, form[name]] as const] : []));
  return Object.fromEntries(texts);
}
