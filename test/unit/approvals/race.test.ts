import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Tickets } from '../../../extproc/approvals/tickets.ts';
import { approval, approvalRequest } from '../../builders/approval.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import type { Race } from './racer.ts';

const turns = 30;

function opened(context: TestContext) {
  const file = join(temporaryDirectory(context), 'approvals.sqlite');
  const tickets = new Tickets(file);
  context.after(() => tickets.close());
  const bindings = Array.from({ length: turns }, (_, at) => `b-${at}`);
  const ids = bindings.map((binding, at) => {
    const answer = tickets.ask(approvalRequest({ binding, caller: binding, exchangeId: `x-${at}`, scopes: [] }), 1);
    assert.ok(answer.kind === 'pending');
    return answer.ticket;
  });
  return { file, tickets, bindings, ids };
}

/** What each of two racers was told at each turn. */
async function race(file: string, list: string[], whats: readonly [Race['what'], Race['what']]): Promise<string[][]> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  return Promise.all(
    whats.map(async (what, at) => {
      const workerData: Race = { file, what, name: `racer-${at}`, turns: list, gate };
      const worker = new Worker(new URL('./racer.ts', import.meta.url), { workerData });
      const [kinds] = (await once(worker, 'message')) as [string[]];
      return kinds;
    }),
  );
}

test('an approval and a denial that race from two processes: one of them is recorded, and the other is told so', async (context) => {
  const { file, tickets, ids } = opened(context);
  const [approvals = [], denials = []] = await race(file, ids, ['approve', 'deny']);
  for (const [at, id] of ids.entries()) {
    assert.deepEqual([approvals[at], denials[at]].toSorted(), ['recorded', 'refused'], id);
    const { kind } = tickets.read(id, 2)?.state ?? { kind: 'none' };
    assert.equal(kind, approvals[at] === 'recorded' ? 'granted' : 'denied');
  }
});

test('two approvals that race from two processes are one', async (context) => {
  const { file, tickets, ids } = opened(context);
  const [one = [], other = []] = await race(file, ids, ['approve', 'approve']);
  for (const [at, id] of ids.entries()) {
    assert.deepEqual([one[at], other[at]].toSorted(), ['recorded', 'refused'], id);
    assert.equal(tickets.read(id, 2)?.events.filter(({ kind }) => kind === 'approved').length, 1);
  }
});

test('one approval that two processes reach for at once lets one request through', async (context) => {
  const { file, tickets, bindings, ids } = opened(context);
  for (const id of ids) assert.equal(tickets.decide(id, approval(), 1).kind, 'recorded');
  const [one = [], other = []] = await race(file, bindings, ['ask', 'ask']);
  for (const at of ids.keys()) assert.deepEqual([one[at], other[at]].toSorted(), ['granted', 'pending']);
});
