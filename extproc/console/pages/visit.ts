/** One page or form that somebody who is logged in opened or sent. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SkilltapeError } from '../../errors.ts';
import { type ConsoleContext, isOwnPost, overLimit, personOf, sessionOf, viewerOf } from '../context.ts';
import { loginPath, notOurs, sendPage } from '../login-routes.ts';
import { type Over, overWords } from '../person-limits.ts';
import type { Session } from '../sessions.ts';
import { cursorPattern } from './ids.ts';
import { messagePage } from './layout.ts';

export type Visit = { request: FastifyRequest; reply: FastifyReply; session: Session };

export type Form = Record<string, unknown>;

/** A page for people who are logged in; others are led to the login and back. */
export function onPage(
  app: FastifyInstance,
  context: ConsoleContext,
  path: string,
  show: (visit: Visit) => Promise<FastifyReply>,
): void {
  app.get(path, (request, reply) => {
    const session = sessionOf(request, context);
    if (session === null) return reply.redirect(loginPath(request.url.split('?')[0] ?? ''), 303);
    const over = overLimit(context, personOf(session, request), 'looksPerMinuteMax');
    return over === null ? show({ request, reply, session }) : sendTooMuch(reply, session, over);
  });
}

/** A form of somebody who is logged in. What is not from a page of ours decides nothing, and is recorded as `what` it was to be. */
export function onForm(
  app: FastifyInstance,
  context: ConsoleContext,
  path: string,
  { what, take }: { what(request: FastifyRequest): string; take(visit: Visit, form: Form): Promise<FastifyReply> },
): void {
  app.post(path, async (request, reply) => {
    const session = sessionOf(request, context);
    if (session === null) return sendPage(reply, 401, messagePage('You are not logged in', loggedOut, null));
    const person = personOf(session, request);
    const over = overLimit(context, person, 'decisionsPerMinuteMax');
    if (over !== null) return sendTooMuch(reply, session, over);
    const { csrf, ...form } = (request.body ?? {}) as Form;
    if (isOwnPost(request, context, session, csrf)) return take({ request, reply, session }, form);
    context.approvals.refused(person, what(request), 'not sent by a page of the console');
    return sendPage(reply, 403, messagePage('Not recorded', notOurs, viewerOf(session)));
  });
}

const loggedOut = 'Your session has ended, so nothing was recorded. Open the page again to log in.';

function sendTooMuch(reply: FastifyReply, session: Session, over: Over): FastifyReply {
  reply.header('retry-after', String(over.retryAfterSeconds));
  return sendPage(reply, 429, messagePage('Too much at once', overWords(over), viewerOf(session)));
}

/**
 * What was done before, told once: to the page that a person opens, and not to the script of one that is still open and asks
 * what changed.
 */
export function noticeOf({ request: { headers }, session }: Visit): string | null {
  if ((headers['sec-fetch-dest'] ?? 'document') !== 'document') return null;
  const { notice } = session;
  session.notice = null;
  return notice;
}

/** A page of a list behind its cursor; from the begin where it is none of this list, as after a restart. */
export async function listedBehind<Listed>(
  { request }: Visit,
  list: (after?: string) => Promise<Listed | null>,
): Promise<Listed> {
  const { after } = request.query as { after?: unknown };
  const isCursor = typeof after === 'string' && cursorPattern.test(after);
  const listed = (isCursor ? await list(after) : null) ?? (await list());
  if (listed === null) throw new SkilltapeError('internal', 'a list has no begin');
  return listed;
}

/** What a form sends is text. What is no number is refused: nobody is to approve for longer than they meant. */
export function numberIn(text: unknown): number | undefined {
  if (text === undefined || text === '') return undefined;
  return typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
}
