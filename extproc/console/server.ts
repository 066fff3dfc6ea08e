/** The console as an HTTP server: what every request and every answer of it has. */
import { readFileSync } from 'node:fs';
import fastifyCookie from '@fastify/cookie';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { SkilltapeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type AccessParts, AccessRequests } from './access.ts';
import { problem, problemOf } from './api/problem.ts';
import { apiRoutes } from './api/routes.ts';
import { Approvals, type ApprovalsParts } from './approvals.ts';
import { Attempts } from './attempts.ts';
import type { Bearer } from './bearer.ts';
import type { ConsoleContext } from './context.ts';
import { type IncidentParts, Incidents } from './incidents.ts';
import { LivePages } from './live.ts';
import { loginRoutes } from './login-routes.ts';
import { accessPageRoutes } from './pages/access-routes.ts';
import { eventRoutes } from './pages/events.ts';
import { incidentRoutes } from './pages/incident-routes.ts';
import { messagePage } from './pages/layout.ts';
import { pageRoutes } from './pages/routes.ts';
import { PendingLogins } from './pending-login.ts';
import { PersonLimits } from './person-limits.ts';
import { type SessionLimits, Sessions } from './sessions.ts';
import type { SignIn } from './sign-in.ts';

/**
 * @property origin where people reach it
 * @property tls PEM; null: plain HTTP, for a proxy before it or for this machine alone
 */
export type ConsoleSettings = SessionLimits & {
  listen: { address: string; port: number };
  tls: { certificate: string; privateKey: string } | null;
  origin: string;
  trustedProxies: readonly string[];
  cookieName: string;
};

export type ConsoleParts = ApprovalsParts &
  Pick<AccessParts, 'grants' | 'limits' | 'connections'> &
  Pick<IncidentParts, 'stops'> & {
    settings: ConsoleSettings;
    signIn: SignIn;
    bearer: Bearer;
    log: Log;
  };

export type Console = { address: string; port: number; close(): Promise<void> };

/** Longest body: a decision is a sentence. */
const bodyMaxBytes = 16 * 1024;
const requestTimeoutMs = 10_000;
const connectionsMax = 2_000;
/** Of one address, before it is known who is there. */
const attemptLimits = { maxPerMinute: 120, keysMax: 10_000 };

/**
 * Serves until it is closed.
 * @throws SkilltapeError `usage` when the address cannot be taken
 */
export async function startConsole(parts: ConsoleParts): Promise<Console> {
  const { settings, log } = parts;
  const app = appOf(parts);
  try {
    await app.listen({ host: settings.listen.address, port: settings.listen.port });
  } catch (thrown) {
    throw new SkilltapeError('usage', `The console cannot be served on ${settings.listen.address}`, {
      cause: thrown,
      remedy: `Is another one running there? Choose another console.listen.port than ${settings.listen.port}.`,
    });
  }
  const { address, port } = app.server.address() as { address: string; port: number };
  log.info({ address, port }, 'the console is served');
  return { address, port, close: () => app.close() };
}

/** With all its routes, and not listening yet. */
export function appOf(parts: ConsoleParts): FastifyInstance {
  const { settings, log, signIn, bearer } = parts;
  const app = Fastify({
    logger: false,
    bodyLimit: bodyMaxBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    routerOptions: { maxParamLength: 64 },
    // An address that cannot be read comes to no hook of ours.
    frameworkErrors: (_error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      sendFault(request, reply.headers(guardingHeaders(settings.origin)), 400, 'The request cannot be read.'),
    ...(settings.tls !== null && { https: { cert: settings.tls.certificate, key: settings.tls.privateKey } }),
  } as object) as unknown as FastifyInstance;
  app.server.maxConnections = connectionsMax;
  const approvals = new Approvals(parts);
  const access = new AccessRequests(parts, 'access');
  const glass = new AccessRequests(parts, 'break_glass');
  const incidents = new Incidents(parts);
  const versions = () => [parts.desk, parts.grants, parts.stops].map(({ version }) => version).join(' ');
  const live = new LivePages(versions, log);
  const context: ConsoleContext = {
    ...{ settings, log, signIn, bearer, approvals, access, glass, incidents, live, now: parts.now },
    sessions: new Sessions(settings, parts.now),
    pendingLogins: new PendingLogins(parts.now),
    attempts: new Attempts(attemptLimits, parts.now),
    limits: new PersonLimits(parts.now),
  };
  app.addHook('onClose', async () => live.close());
  app.register(fastifyCookie);
  acceptForms(app);
  guardAnswers(app, settings.origin);
  tellFaults(app, log);
  app.register(async (scope) => {
    assetRoutes(scope);
    loginRoutes(scope, context);
    pageRoutes(scope, context);
    accessPageRoutes(scope, context);
    incidentRoutes(scope, context);
    eventRoutes(scope, context);
    apiRoutes(scope, context);
  });
  return app;
}

function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
}

/** No script or style but our own files, no frame around us, and nothing kept by caches. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

function guardAnswers(app: FastifyInstance, origin: string): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(guardingHeaders(origin));
  });
}

function guardingHeaders(origin: string): Record<string, string> {
  return {
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    // With none at all, browsers send `origin: null` with our own forms.
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'cache-control': 'no-store',
    ...(origin.startsWith('https:') && { 'strict-transport-security': 'max-age=31536000' }),
  };
}

function tellFaults(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler((request, reply) => sendFault(request, reply, 404, 'There is nothing here.'));
  app.setErrorHandler((error, request, reply) => {
    const { statusCode = 500 } = error as { statusCode?: number };
    if (statusCode < 500) return sendFault(request, reply, statusCode, 'The request cannot be read.');
    const fault = SkilltapeError.from(error);
    log.error({ err: fault }, 'the console cannot answer a request');
    return sendFault(request, reply, 503, wordsFor(fault));
  });
}

/** For people who are not the operator: what it means for them. */
function wordsFor({ code }: SkilltapeError): string {
  if (code === 'policy_invalid')
    return 'The policies of this gateway have a fault, so nobody sees or decides anything.';
  if (code === 'look_failed') return 'That you look cannot be recorded, so nothing is shown.';
  return 'The console cannot answer now. Its operators find the reason in its log.';
}

function sendFault(request: FastifyRequest, reply: FastifyReply, status: number, words: string): FastifyReply {
  if (request.url.startsWith('/api/')) return problem(reply, problemOf(status, words));
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .send(messagePage('This did not work', words, null));
}

/** Few and small: in memory from the start. */
const assets = [
  { name: 'console.css', type: 'text/css; charset=utf-8' },
  { name: 'console.js', type: 'text/javascript; charset=utf-8' },
].map((asset) => ({ ...asset, bytes: readFileSync(new URL(`./pages/${asset.name}`, import.meta.url)) }));

function assetRoutes(app: FastifyInstance): void {
  for (const { name, type, bytes } of assets) {
    app.get(`/assets/${name}`, (_request, reply) => reply.type(type).header('cache-control', 'no-cache').send(bytes));
  }
  app.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/', (_request, reply) => reply.redirect('/approvals', 303));
}
