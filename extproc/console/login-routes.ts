/** Logging in and out. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SkilltapeError } from '../errors.ts';
import {
  type ConsoleContext,
  clearCookie,
  cookieNameOf,
  isOwnPost,
  sessionOf,
  setCookie,
  viewerOf,
} from './context.ts';
import { html } from './pages/html.ts';
import { loggingOutPage, messagePage } from './pages/layout.ts';
import { pendingLoginMaxMs } from './pending-login.ts';
import { callbackPath, loggedOutPath } from './sign-in.ts';

export function loginRoutes(app: FastifyInstance, context: ConsoleContext): void {
  app.get('/login', (request, reply) => beginLogin(request, reply, context));
  app.get(callbackPath, (request, reply) => completeLogin(request, reply, context));
  app.post('/logout', (request, reply) => logOut(request, reply, context));
  app.get(loggedOutPath, (_request, reply) =>
    sendPage(reply, 200, messagePage('Logged out', 'You are logged out of the console.', null, loginLink)),
  );
}

/** Pages of ours that a login may lead to; anything else would lead people away in our name. */
const ownPage = /^\/(?:(?:approvals|access|incident\/lift)\/[A-Za-z0-9-]{1,64}|approvals|access|decided|incident)$/;

export function loginPath(page: string): string {
  return `/login?to=${encodeURIComponent(page)}`;
}

async function beginLogin(request: FastifyRequest, reply: FastifyReply, context: ConsoleContext) {
  const { to } = request.query as { to?: unknown };
  const returnTo = typeof to === 'string' && ownPage.test(to) ? to : '/approvals';
  if (sessionOf(request, context) !== null) return reply.redirect(returnTo, 303);
  if (!context.attempts.take(request.ip)) return tooMany(reply);
  try {
    const { url, ...expected } = await context.signIn.begin();
    const value = context.pendingLogins.seal({ ...expected, returnTo });
    setCookie(reply, context, 'login', { value, maxAgeMs: pendingLoginMaxMs });
    return reply.redirect(url, 303);
  } catch (thrown) {
    context.log.error({ err: SkilltapeError.from(thrown) }, 'nobody can log in to the console');
    return sendPage(reply, 502, messagePage('You cannot log in now', unreachable, null, loginLink));
  }
}

async function completeLogin(request: FastifyRequest, reply: FastifyReply, context: ConsoleContext) {
  if (!context.attempts.take(request.ip)) return tooMany(reply);
  const expected = context.pendingLogins.open(request.cookies[cookieNameOf(context, 'login')]);
  clearCookie(reply, context, 'login');
  if (expected === null) {
    return sendPage(
      reply,
      400,
      messagePage('This login is over', 'It took too long, or began elsewhere.', null, loginLink),
    );
  }
  const answer = await context.signIn.complete(request.url.split('?')[1] ?? '', expected);
  switch (answer.kind) {
    case 'person': {
      context.sessions.end(request.cookies[cookieNameOf(context, 'session')]);
      const { id } = context.sessions.begin(answer);
      setCookie(reply, context, 'session', { value: id, maxAgeMs: context.settings.sessionMaxMs });
      return reply.redirect(expected.returnTo, 303);
    }
    case 'refused':
      context.log.warn({ address: request.ip }, 'a login to the console was refused');
      return sendPage(reply, 403, messagePage('You are not logged in', answer.why, null, loginLink));
    case 'unreachable':
      return sendPage(reply, 502, messagePage('You cannot log in now', answer.why, null, loginLink));
    default:
      return answer satisfies never;
  }
}

async function logOut(request: FastifyRequest, reply: FastifyReply, context: ConsoleContext) {
  const session = sessionOf(request, context);
  if (session === null) return reply.redirect(loggedOutPath, 303);
  const { csrf } = (request.body ?? {}) as { csrf?: unknown };
  if (!isOwnPost(request, context, session, csrf)) {
    return sendPage(reply, 403, messagePage('You are still logged in', notOurs, viewerOf(session)));
  }
  context.sessions.end(request.cookies[cookieNameOf(context, 'session')]);
  clearCookie(reply, context, 'session');
  const url = await context.signIn.logoutUrl(session.idToken);
  return url === null ? reply.redirect(loggedOutPath, 303) : sendPage(reply, 200, loggingOutPage(url));
}

export function sendPage(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').send(page);
}

export const notOurs =
  'This was not sent by a page of the console, so nothing was done. Load the page again and retry.';

const loginLink = html`<p><a href="/login">Log in</a></p>`;
const unreachable = 'The identity provider does not answer. Try again in a minute.';

function tooMany(reply: FastifyReply): FastifyReply {
  return sendPage(
    reply.header('retry-after', '60'),
    429,
    messagePage('Too many logins', 'Try again in a minute.', null),
  );
}
