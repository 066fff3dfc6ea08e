/** The thread that keeps tickets: each step is synced to disk, which the thread that answers Envoy must not wait for. */
import { parentPort, workerData } from 'node:worker_threads';
import { SkilltapeError } from '../errors.ts';
import type { DeskStart, FromDesk, ToDesk } from './protocol.ts';
import { Tickets } from './tickets.ts';
import { WaitingExchanges } from './waiting.ts';

/** What a person decided is known after so long. */
const lookIntervalMs = 250;

const { file, limits } = workerData as DeskStart;
const tickets = new Tickets(file, limits);
const waiting = new WaitingExchanges(tickets, (exchangeId, decision) =>
  tell({ kind: 'decided', exchangeId, decision }),
);

function tell(message: FromDesk): void {
  parentPort?.postMessage(message);
}

function heed(message: ToDesk): void {
  switch (message.kind) {
    case 'ask':
      ask(message);
      return;
    case 'leave':
      waiting.leave(message.exchangeId, Date.now());
      return;
    default:
      message satisfies never;
  }
}

function ask({ ask: number, request }: Extract<ToDesk, { kind: 'ask' }>): void {
  try {
    tell({ kind: 'answered', ask: number, answer: waiting.ask(request, Date.now()) });
  } catch (thrown) {
    const { message, remedy = null } = SkilltapeError.from(thrown);
    tell({ kind: 'failed', ask: number, message, remedy });
  }
}

parentPort?.on('message', heed);
setInterval(() => {
  if (waiting.count > 0) waiting.look(Date.now());
}, lookIntervalMs);
