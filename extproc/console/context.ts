/** What all routes of the console work with, and who sent a request. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../log.ts';
import type { AccessRequests } from './access.ts';
import type { Approvals } from './approvals.ts';
import type { Attempts } from './attempts.ts';
import type { Bearer } from './bearer.ts';
import type { Incidents } from './incidents.ts';
import type { LivePages } from './live.ts';
import type { PendingLogins } from './pending-login.ts';
import { nameOf, type Person } from './person.ts';
import type { Over, PersonLimits } from './person-limits.ts';
import { hasToken, isSentByUs } from './same-origin.ts';
import type { Session, Sessions } from './sessions.ts';
import type { SignIn } from './sign-in.ts';

export type ConsoleContext = {
  settings: { origin: string; cookieName: string; sessionMaxMs: number };
  approvals: Approvals;
  access: AccessRequests;
  /** The same of break-glass. */
  glass: AccessRequests;
  incidents: Incidents;
  live: LivePages;
  sessions: Sessions;
  pendingLogins: PendingLogins;
  attempts: Attempts;
  limits: PersonLimits;
  signIn: SignIn;
  bearer: Bearer;
  log: Log;
  now(): number;
};

export function sessionOf(request: FastifyRequest, context: ConsoleContext): Session | null {
  return context.sessions.find(request.cookies[cookieNameOf(context, 'session')]);
}

/** The prefix keeps other hosts of a domain, and plain http, from setting or overwriting them (RFC 6265bis). */
export function cookieNameOf({ settings }: ConsoleContext, what: 'session' | 'login'): string {
  return `${isHttps(settings) ? '__Host-' : ''}${settings.cookieName}-${what}`;
}

/** `lax`: a link in a message has to find whoever is logged in, and the provider sends people back from elsewhere. */
export function setCookie(
  reply: FastifyReply,
  context: ConsoleContext,
  what: 'session' | 'login',
  { value, maxAgeMs }: { value: string; maxAgeMs: number },
): void {
  reply.setCookie(cookieNameOf(context, what), value, {
    ...{ path: '/', httpOnly: true, secure: isHttps(context.settings), sameSite: 'lax' },
    maxAge: Math.floor(maxAgeMs / 1_000),
  });
}

export function clearCookie(reply: FastifyReply, context: ConsoleContext, what: 'session' | 'login'): void {
  setCookie(reply, context, what, { value: '', maxAgeMs: 0 });
}

function isHttps({ origin }: { origin: string }): boolean {
  return origin.startsWith('https:');
}

export function personOf({ identity, authenticatedMs }: Session, request: FastifyRequest): Person {
  return { identity, via: 'console', address: request.ip, authenticatedMs };
}

export function viewerOf({ identity, csrfToken }: Session): { name: string; csrfToken: string } {
  return { name: nameOf(identity), csrfToken };
}

/** Whether a page of ours sent it, for a person who is logged in by a cookie. */
export function isOwnPost(
  { headers }: FastifyRequest,
  { settings }: ConsoleContext,
  session: Session,
  token: unknown,
): boolean {
  const site = headers['sec-fetch-site'];
  const from = { origin: headers.origin, site: typeof site === 'string' ? site : undefined };
  return isSentByUs(from, settings.origin) && hasToken(token, session.csrfToken);
}

/** Null while a person is within their limits. That they are not is recorded once a minute (inv. 8). */
export function overLimit(
  context: ConsoleContext,
  person: Person,
  limit: 'looksPerMinuteMax' | 'decisionsPerMinuteMax',
): Over | null {
  const over = context.limits.take(person.identity, limit);
  if (over !== null) recordOver(context, person, over);
  return over;
}

export function recordOver({ approvals }: ConsoleContext, person: Person, { limit, isFirst }: Over): void {
  if (isFirst) approvals.refused(person, 'whatever comes beyond it in this minute', limit);
}
