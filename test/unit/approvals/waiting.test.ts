import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Tickets } from '../../../extproc/approvals/tickets.ts';
import { WaitingExchanges } from '../../../extproc/approvals/waiting.ts';
import type { ApprovalDecision } from '../../../extproc/exchange/approval-desk.ts';
import { approval, approvalRequest } from '../../builders/approval.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

async function waitingExchanges(context: TestContext, ticketsPerCallerMax = 10) {
  const limits = { ticketsMax: 100, ticketsPerCallerMax };
  const tickets = new Tickets(join(await temporaryDirectory(context), 'approvals.sqlite'), limits);
  context.after(() => tickets.close());
  const told: [string, ApprovalDecision][] = [];
  const waiting = new WaitingExchanges(tickets, (exchangeId, decision) => told.push([exchangeId, decision]));
  const ask = (exchangeId: string, binding = 'b-1') => waiting.ask(approvalRequest({ exchangeId, binding }), 0);
  return { tickets, waiting, told, ask };
}

/** The ticket of an answer. */
function ticketOf(answer: { kind: string; ticket?: string }): string {
  assert.ok(answer.ticket !== undefined, answer.kind);
  return answer.ticket;
}

test('an exchange that leaves just when it was told of its approval leaves that to its retry', async (context) => {
  const { tickets, waiting, told, ask } = await waitingExchanges(context);
  const ticket = ticketOf(ask('x-1'));
  tickets.decide(ticket, approval(), 1);
  waiting.look(2);
  assert.deepEqual(
    told.map(([exchangeId, { kind }]) => [exchangeId, kind]),
    [['x-1', 'granted']],
  );
  waiting.leave('x-1', 3);
  assert.deepEqual(ask('x-2'), { kind: 'granted', ticket, approvedBy: ['grace'] });
  const kinds = tickets.read(ticket, 4)?.events.map(({ kind }) => kind);
  assert.deepEqual(kinds?.slice(-3), ['used', 'given_back', 'used']);
});

test('one that left before uses nothing, and leaving twice gives nothing back', async (context) => {
  const { tickets, waiting, told, ask } = await waitingExchanges(context);
  const ticket = ticketOf(ask('x-1'));
  waiting.leave('x-1', 1);
  tickets.decide(ticket, approval(), 1);
  waiting.look(2);
  assert.deepEqual(told, []);
  assert.equal(ask('x-2').kind, 'granted');
  waiting.leave('x-1', 3);
  assert.equal(tickets.read(ticket, 3)?.state.kind, 'used');
  waiting.leave('x-2', 3);
  waiting.leave('x-2', 3);
  assert.equal(ask('x-3').kind, 'granted');
  assert.notEqual(ask('x-4').kind, 'granted');
});

test('where another exchange used the grant and no more may wait, that is said, and not that nobody decided', async (context) => {
  const { tickets, waiting, told, ask } = await waitingExchanges(context, 1);
  const ticket = ticketOf(ask('x-1'));
  ask('x-2');
  tickets.decide(ticket, approval(), 1);
  const other = ticketOf(tickets.ask(approvalRequest({ exchangeId: 'x-3' }), 1));
  assert.equal(other, ticket, 'another process used it');
  assert.equal(ask('x-4', 'b-2').kind, 'pending');
  waiting.look(2);
  assert.deepEqual(told, [
    ['x-2', { kind: 'full', limit: 'ticketsPerCallerMax' }],
    ['x-1', { kind: 'full', limit: 'ticketsPerCallerMax' }],
  ]);
});
