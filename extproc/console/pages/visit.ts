/** One page or form that somebody who is logged in opened or sent. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SkilltapeError } from '../../errors.ts';
import { type ConsoleContext, sessionOf } from '../context.ts';
import { loginPath } from '../login-routes.ts';
import type { Session } from '../sessions.ts';
import { cursorPattern } from './ids.ts';

export type Visit = { request: FastifyRequest; reply: FastifyReply; session: Session };

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
    return show({ request, reply, session });
  });
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
