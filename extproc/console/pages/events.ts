/** The stream by which an open page hears that what it shows has changed (server-sent events). */
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ConsoleContext, overLimit, personOf, recordOver, sessionOf } from '../context.ts';
import type { Person } from '../person.ts';
import { type Over, overWords } from '../person-limits.ts';
import type { Session } from '../sessions.ts';
import { ownAccess } from './access-routes.ts';
import { idPattern } from './ids.ts';
import { inboxAccess, shownMax } from './routes.ts';

/** Pages of one session that listen at once (inv. 10). */
const perSessionMax = 10;
/** After a restart, browsers ask again so soon. */
const retryMs = 3_000;

export function eventRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const counts = new WeakMap<Session, number>();
  // Of a stream nobody asks for the head alone, which would listen as well.
  app.get('/events', { exposeHeadRoute: false }, (request, reply) => {
    const session = sessionOf(request, context);
    if (session === null) return reply.code(401).type('text/plain').send('Log in first.\n');
    const person = personOf(session, request);
    const over = overLimit(context, person, 'looksPerMinuteMax');
    if (over !== null) return tooMuch(reply, over);
    const count = counts.get(session) ?? 0;
    if (count >= perSessionMax || context.live.isFull) {
      return reply.code(503).type('text/plain').send('Too many pages listen.\n');
    }
    const leave = context.limits.listen(session.identity);
    if (typeof leave !== 'function') {
      recordOver(context, person, leave);
      return tooMuch(reply, leave);
    }
    counts.set(session, count + 1);
    listen(request, reply, context, session, () => {
      counts.set(session, (counts.get(session) ?? 1) - 1);
      leave();
    });
    return reply;
  });
}

function tooMuch(reply: FastifyReply, over: Over): FastifyReply {
  reply.header('retry-after', String(over.retryAfterSeconds));
  return reply
    .code(429)
    .type('text/plain')
    .send(`${overWords(over)}\n`);
}

/** What a page shows: one ticket, one request for access, one break-glass, what somebody asked for themselves, the inbox, or what is stopped. */
type Subject = { ticket: string } | { grant: string } | { glass: string } | { list: 'own' | 'inbox' | 'incident' };

function subjectOf({ ticket, grant, glass, list }: Record<string, unknown>): Subject {
  if (typeof ticket === 'string' && idPattern.test(ticket)) return { ticket };
  if (typeof grant === 'string' && idPattern.test(grant)) return { grant };
  if (typeof glass === 'string' && idPattern.test(glass)) return { glass };
  return { list: list === 'own' || list === 'incident' ? list : 'inbox' };
}

async function glanceAt(
  { approvals, access, glass, incidents }: ConsoleContext,
  person: Person,
  of: Subject,
): Promise<string> {
  if ('ticket' in of) return approvals.glance(person, of);
  if ('grant' in of) return access.glance(person, of);
  if ('glass' in of) return glass.glance(person, { grant: of.glass });
  if (of.list === 'incident') return incidents.glance(person);
  if (of.list === 'own') return access.glance(person, ownAccess);
  return `${await approvals.glance(person, { limit: shownMax })}${await access.glance(person, inboxAccess)}`;
}

function listen(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ConsoleContext,
  session: Session,
  onClosed: () => void,
): void {
  const { live, sessions, now } = context;
  const query = request.query as Record<string, unknown>;
  const of = subjectOf(query);
  const person = personOf(session, request);
  reply.hijack();
  const stream = reply.raw;
  const headers = { ...reply.getHeaders(), 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
  stream.writeHead(200, headers as OutgoingHttpHeaders);
  stream.write(`retry: ${retryMs}\n\n`);
  const end = (): void => {
    stream.end('event: ended\ndata:\n\n');
  };
  const takeOff = live.add({
    of: JSON.stringify([person.identity.issuer, person.identity.subject, person.identity.groups, of]),
    seen: String(query.seen),
    glance: () => glanceAt(context, person, of),
    send(event) {
      // A reader that does not read is not written to: it asks again when it goes on.
      if (stream.writableNeedDrain || stream.writableEnded) return;
      stream.write(event === 'changed' ? 'event: changed\ndata:\n\n' : ':\n\n');
    },
  });
  const forget = sessions.onEnd(session, end);
  const timer = setTimeout(end, session.endsMs - now());
  stream.once('close', () => {
    clearTimeout(timer);
    forget();
    takeOff();
    onClosed();
  });
}
