/** The pages on which operators stop what runs: a form, a page that asks once more, and what is stopped. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type ConsoleContext, personOf, viewerOf } from '../context.ts';
import { faultsOf, reason } from '../decision.ts';
import type { StopOutcome } from '../incidents.ts';
import { sendPage } from '../login-routes.ts';
import { confirmStopPage, incidentPage, liftPage, type TypedStop } from './incident.ts';
import { messagePage } from './layout.ts';
import { type Form, noticeOf, onForm, onPage, type Visit } from './visit.ts';

/** As headers, records and Kibana have them; nothing in it acts on a page or a terminal. */
const id = z
  .string({ error: 'Give the id.' })
  .trim()
  .regex(/^[A-Za-z0-9._:-]{1,128}$/, 'That is no id.');

const stopForm = z.object({
  kind: z.enum(['session', 'exchange'], { error: 'Say what is to be stopped: a session or an exchange.' }),
  id,
  reason,
  confirmed: z.literal('yes').optional(),
});

const liftForm = z.object({ reason });

type Fault = { status: number; fault: string };

export function incidentRoutes(app: FastifyInstance, context: ConsoleContext): void {
  onPage(app, context, '/incident', (visit) => show(context, visit, null, {}));
  onForm(app, context, '/incident/stop', { what: () => 'stop', take: (visit, form) => stop(context, visit, form) });
  onPage(app, context, '/incident/lift/:session', async (visit) => askToLift(visit, null, ''));
  onForm(app, context, '/incident/lift/:session', {
    what: (request) => `lift ${sessionIn(request) ?? ''}`.trim(),
    take: (visit, form) => lift(context, visit, form),
  });
}

async function show(
  { incidents, now }: ConsoleContext,
  visit: Visit,
  wrong: Fault | null,
  typed: TypedStop,
): Promise<FastifyReply> {
  const { request, reply, session } = visit;
  const incident = await incidents.list(personOf(session, request));
  const notice = wrong === null ? noticeOf(visit) : null;
  const view = { viewer: viewerOf(session), incident, nowMs: now(), notice, fault: wrong?.fault ?? null, typed };
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
  return id.safeParse((params as { session?: unknown }).session).data ?? null;
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
  const wanted = liftForm.safeParse(form);
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
    default:
      return outcome satisfies never;
  }
}

function typedIn(form: Form): TypedStop {
  const names = ['kind', 'id', 'reason'] as const;
  const texts = names.flatMap((name) => (typeof form[name] === 'string' ? [[name, form[name]] as const] : []));
  return Object.fromEntries(texts);
}
