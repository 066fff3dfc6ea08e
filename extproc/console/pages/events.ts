/** The stream by which an open page hears that what it shows has changed (server-sent events). */
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ConsoleContext, personOf, sessionOf } from '../context.ts';
import type { Session } from '../sessions.ts';
import { shownMax, ticketPattern } from './routes.ts';

/** Pages of one session that listen at once (inv. 10). */
const perSessionMax = 10;
/** After a restart, browsers ask again so soon. */
const retryMs = 3_000;

export function eventRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const counts = new WeakMap<Session, number>();
  app.get('/events', (request, reply) => {
    const session = sessionOf(request, context);
    if (session === null) return reply.code(401).type('text/plain').send('Log in first.\n');
    const count = counts.get(session) ?? 0;
    if (count >= perSessionMax || context.live.isFull) {
      return reply.code(503).type('text/plain').send('Too many pages listen.\n');
    }
    counts.set(session, count + 1);
    listen(request, reply, context, session, () => counts.set(session, (counts.get(session) ?? 1) - 1));
    return reply;
  });
}

function listen(
  request: FastifyRequest,
  reply: FastifyReply,
  { approvals, live, sessions, now }: ConsoleContext,
  session: Session,
  onClosed: () => void,
): void {
  const { ticket, seen } = request.query as { ticket?: unknown; seen?: unknown };
  const of = typeof ticket === 'string' && ticketPattern.test(ticket) ? { ticket } : { limit: shownMax };
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
    seen: String(seen),
    glance: () => approvals.glance(person, of),
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
