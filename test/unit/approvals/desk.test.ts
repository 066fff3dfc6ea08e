import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ThreadedDesk } from '../../../extproc/approvals/desk.ts';
import { Tickets } from '../../../extproc/approvals/tickets.ts';
import { approval, approvalRequest } from '../../builders/approval.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const limits = { ticketsMax: 100, ticketsPerCallerMax: 10 };

async function deskOf(context: TestContext) {
  const file = join(await temporaryDirectory(context), 'approvals.sqlite');
  const desk = new ThreadedDesk({ file, limits });
  context.after(() => desk.close());
  const tickets = new Tickets(file, limits);
  context.after(() => tickets.close());
  const ask = (exchangeId: string) => desk.ask(approvalRequest({ exchangeId }));
  return { desk, tickets, ask };
}

test('a process that stops tells whoever waits to come again, and opens tickets for whoever still comes', async (context) => {
  const { desk, tickets, ask } = await deskOf(context);
  const first = await ask('x-1');
  assert.ok(first.kind === 'pending');
  const decided = desk.decided(first.ticket, 'x-1');
  const underWay = ask('x-2');
  desk.drain();
  assert.equal(await decided, null);
  for (const [answer, exchangeId] of [
    [await underWay, 'x-2'],
    [await ask('x-3'), 'x-3'],
  ] as const) {
    assert.ok(answer.kind === 'pending' && answer.ticket === first.ticket, 'it joins the ticket of the same request');
    assert.equal(await desk.decided(answer.ticket, exchangeId), null, 'and does not wait');
    desk.leave(answer.ticket, exchangeId);
  }
  desk.leave(first.ticket, 'x-1');
  tickets.decide(first.ticket, approval(), Date.now());
  assert.equal((await ask('x-4')).kind, 'granted', 'nobody who was told to come again used the grant');
});

test('behind the end of a process nobody is asked', async (context) => {
  const { desk, ask } = await deskOf(context);
  const answer = await ask('x-1');
  assert.ok(answer.kind === 'pending');
  const decided = desk.decided(answer.ticket, 'x-1');
  await desk.close();
  assert.equal(await decided, null);
  desk.leave(answer.ticket, 'x-1');
  await assert.rejects(ask('x-2'), { code: 'approval_failed', message: /the gateway is stopping/ });
});
