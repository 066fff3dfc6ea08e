/** The thread that follows tickets and what is asked for, and tells people: no step of it may hold up what answers Envoy. */
import { parentPort, workerData } from 'node:worker_threads';
import { TicketFeed } from '../approvals/feed.ts';
import { GrantFeed } from '../grants/feed.ts';
import { Outbox } from './outbox.ts';
import type { FromWatch, WatchStart } from './protocol.ts';
import { send } from './send.ts';
import { grantSource, ticketSource } from './source.ts';
import { TicketWatch } from './watch.ts';

const lookIntervalMs = 500;

const start = workerData as WatchStart;
const { ticketsFile, limits, grantsFile, grantLimits, outboxFile, linkBase, requestTimeoutMs } = start;
const feed = new TicketFeed(ticketsFile, limits);
const watch = new TicketWatch({
  ...start,
  feed,
  // What was asked for is followed for those alone who are told.
  sources:
    outboxFile === null
      ? []
      : [ticketSource(feed, linkBase), grantSource(new GrantFeed(grantsFile, grantLimits), linkBase)],
  outbox: outboxFile === null ? null : new Outbox(outboxFile),
  send: (notice, target) => send(notice, target, { timeoutMs: requestTimeoutMs, nowMs: Date.now(), mailSenderOf }),
  tell: (message: FromWatch) => parentPort?.postMessage(message),
  nowMs: Date.now,
  random: Math.random,
});

/** Loaded where somebody is told by mail. */
async function mailSenderOf(...server: Parameters<typeof import('./smtp.ts').smtpSender>) {
  const { smtpSender } = await import('./smtp.ts');
  return smtpSender(...server);
}

// A fault ends the thread, and it is started again.
setInterval(() => {
  void watch.look();
}, lookIntervalMs);
