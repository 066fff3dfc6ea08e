import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { denialStandsMs, eventsPerTicketMax, Tickets } from '../../../extproc/approvals/tickets.ts';
import { approval, approvalRequest, approver, denial, minute } from '../../builders/approval.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

async function tickets(context: TestContext, limits = { ticketsMax: 100, ticketsPerCallerMax: 10 }) {
  const file = join(await temporaryDirectory(context), 'approvals.sqlite');
  const store = new Tickets(file, limits);
  context.after(() => store.close());
  return { store, file };
}

/** The ticket of an answer. */
function ticketOf(answer: { kind: string; ticket?: string }): string {
  assert.ok(answer.ticket !== undefined, `no ticket in ${answer.kind}`);
  return answer.ticket;
}

test('the same request joins its ticket, one with another binding gets its own', async (context) => {
  const { store } = await tickets(context);
  const first = store.ask(approvalRequest(), 0);
  const again = store.ask(approvalRequest({ exchangeId: 'x-2' }), minute);
  const other = store.ask(approvalRequest({ exchangeId: 'x-3', binding: 'b-2' }), minute);
  assert.equal(first.kind, 'pending');
  assert.equal(ticketOf(again), ticketOf(first));
  assert.notEqual(ticketOf(other), ticketOf(first));
});

test('an approved request goes through once, and is held again after that', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  assert.equal(store.decide(ticket, approval(), 1).kind, 'recorded');
  const used = store.ask(approvalRequest({ exchangeId: 'x-2' }), 2);
  assert.deepEqual(used, { kind: 'granted', ticket, approvedBy: ['grace'] });
  const replayed = store.ask(approvalRequest({ exchangeId: 'x-3' }), 3);
  assert.equal(replayed.kind, 'pending');
  assert.notEqual(ticketOf(replayed), ticket);
  assert.equal(store.askAgain(ticket, 'x-1', 4), null, 'whoever waited finds the grant used');
});

test('a denial stands against the same request for a day, with its reason', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  store.decide(ticket, denial(), 1);
  const denied = { kind: 'denied', ticket, reason: 'not with production keys' };
  assert.deepEqual(store.ask(approvalRequest(), denialStandsMs), denied);
  assert.equal(store.ask(approvalRequest(), denialStandsMs + 1).kind, 'pending');
});

test('what nobody decides expires, is written down, and cannot be approved after that', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  const over = 60 * minute;
  assert.deepEqual(store.decide(ticket, approval(), over), { kind: 'refused', why: 'not_open', state: 'expired' });
  assert.equal(store.sweep(over), 1);
  assert.equal(store.sweep(over), 0);
  assert.deepEqual(store.askAgain(ticket, 'x-1', over), { kind: 'expired', ticket });
  assert.equal(store.read(ticket, over)?.events.at(-1)?.kind, 'expired');
  assert.notEqual(ticketOf(store.ask(approvalRequest(), over)), ticket);
});

test('while a clock is set back a request joins its newest ticket, and what is over stays so', async (context) => {
  const { store } = await tickets(context);
  const later = 500 * minute;
  const used = ticketOf(store.ask(approvalRequest(), later));
  store.decide(used, approval(), later);
  assert.equal(store.ask(approvalRequest(), later).kind, 'granted');
  const expired = ticketOf(store.ask(approvalRequest({ binding: 'b-2' }), later));
  store.sweep(later + 60 * minute);
  for (const binding of ['b-1', 'b-2']) {
    const first = store.ask(approvalRequest({ binding, exchangeId: `${binding}-1` }), minute);
    const again = store.ask(approvalRequest({ binding, exchangeId: `${binding}-2` }), 2 * minute);
    assert.deepEqual([first.kind, again], ['pending', first]);
    assert.ok(![used, expired].includes(ticketOf(first)), 'neither the one that was used nor the one that expired');
  }
  assert.equal(store.read(expired, minute)?.state.kind, 'expired');
  assert.equal(store.decide(expired, approval(), minute).kind, 'refused');
});

test('a grant that is not used in its time expires', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  store.decide(ticket, approval('grace', { forMs: 500 * minute }), 1);
  const over = 1 + 30 * minute;
  assert.equal(store.read(ticket, over - 1)?.state.kind, 'granted', 'no longer than the policy allows');
  assert.deepEqual(store.read(ticket, over)?.state, { kind: 'expired', wasGranted: true, sinceMs: over });
  assert.equal(store.ask(approvalRequest(), over).kind, 'pending');
});

test('a use that went nowhere is given back once, by whoever had it, while its time lasts', async (context) => {
  const { store, file } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  store.decide(ticket, approval(), 1);
  const stateAt = (nowMs: number) => store.read(ticket, nowMs)?.state.kind;
  store.giveBack(ticket, 'x-1', 2);
  assert.equal(store.ask(approvalRequest({ exchangeId: 'x-2' }), 2).kind, 'granted');
  store.giveBack(ticket, 'x-1', 3);
  assert.equal(stateAt(3), 'used', 'it waited and used nothing');
  store.giveBack(ticket, 'x-2', 3);
  store.giveBack(ticket, 'x-2', 3);
  assert.equal(stateAt(3), 'granted');
  const other = new Tickets(file);
  assert.equal(other.ask(approvalRequest({ exchangeId: 'x-3' }), 4).kind, 'granted', 'also by another process');
  other.close();
  assert.equal(store.ask(approvalRequest({ exchangeId: 'x-4' }), 4).kind, 'pending', 'and no more than once');
  store.giveBack(ticket, 'x-3', 1 + 10 * minute);
  assert.equal(stateAt(1 + 10 * minute), 'used', 'its time is over');
});

test('a use that is given back may be taken back and expires like any other, and counts for its scope', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  store.decide(ticket, approval('grace', { scope: 'session', uses: 2 }), 1);
  const use = (exchangeId: string, nowMs: number) =>
    store.ask(approvalRequest({ exchangeId, binding: exchangeId }), nowMs).kind;
  assert.deepEqual([use('x-2', 2), use('x-3', 2), use('x-4', 2)], ['granted', 'granted', 'pending']);
  store.giveBack(ticket, 'x-2', 3);
  assert.deepEqual([use('x-5', 3), use('x-6', 3)], ['granted', 'pending']);
  store.giveBack(ticket, 'x-5', 4);
  assert.equal(store.decide(ticket, { kind: 'revoke', by: approver('grace'), reason: 'over' }, 5).kind, 'recorded');
  store.giveBack(ticket, 'x-3', 6);
  assert.deepEqual([store.read(ticket, 6)?.state.kind, use('x-7', 6)], ['revoked', 'pending']);
});

test('as many different people as the policy wants have to approve', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest({ terms: { quorum: 2 } }), 0));
  store.decide(ticket, approval('grace'), 1);
  assert.equal(store.read(ticket, 1)?.state.kind, 'pending');
  assert.deepEqual(store.decide(ticket, approval('grace'), 2), {
    ...{ kind: 'refused', why: 'approved_before', state: 'pending' },
  });
  store.decide(ticket, { ...approval('alan'), by: approver('alan', 77) }, 3);
  assert.equal(store.read(ticket, 3)?.state.kind, 'granted');
});

test('where two have to approve, its time begins with the second one, and is the shorter of both', async (context) => {
  const { store } = await tickets(context);
  for (const [binding, first, second] of [
    ['b-1', 10, 25],
    ['b-2', 25, 10],
  ] as const) {
    const ticket = ticketOf(store.ask(approvalRequest({ binding, terms: { quorum: 2 } }), 0));
    store.decide(ticket, approval('grace', { forMs: first * minute }), 1);
    const later = 40 * minute;
    store.decide(ticket, { ...approval('alan', { forMs: second * minute }), by: approver('alan', 77) }, later);
    assert.equal(store.read(ticket, later + 10 * minute - 1)?.state.kind, 'granted');
    assert.equal(store.read(ticket, later + 10 * minute)?.state.kind, 'expired');
  }
});

test('one person does not approve twice by an account and by the console', async (context) => {
  const { store } = await tickets(context);
  const grace = { issuer: 'https://idp.example', subject: 'u-7' };
  const known = { kind: 'person' as const, name: 'Grace', via: 'console' as const, address: '::1', authenticatedMs: 5 };
  const byAccount = { ...approval('grace'), by: { kind: 'os' as const, name: 'grace', uid: 1, persons: [grace] } };
  const byConsole = { ...approval('grace'), by: { ...known, ...grace } };
  for (const [first, second] of [
    [byAccount, byConsole],
    [byConsole, byAccount],
  ] as const) {
    const binding = first.by.kind;
    const ticket = ticketOf(store.ask(approvalRequest({ binding, terms: { quorum: 2 } }), 0));
    store.decide(ticket, first, 1);
    const again = store.decide(ticket, second, 2);
    assert.deepEqual(again, { kind: 'refused', why: 'approved_before', state: 'pending' });
    const other = { ...second, by: { ...byConsole.by, issuer: 'https://other.example' } };
    assert.equal(
      store.decide(ticket, other, 3).kind,
      'recorded',
      'the same subject of another issuer is somebody else',
    );
  }
});

test('two who approved for different scopes have approved the request alone', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest({ terms: { quorum: 2 } }), 0));
  store.decide(ticket, approval('grace', { scope: 'session', uses: 9 }), 1);
  store.decide(ticket, approval('bob', { by: approver('bob', 77) }), 2);
  const state = store.read(ticket, 3)?.state;
  assert.ok(state?.kind === 'granted');
  assert.deepEqual([state.grant.scope, state.usesLeft], ['request', 1]);
});

test('a grant for a session lets its other requests through, as many as it says, and no other session', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  store.decide(ticket, approval('grace', { scope: 'session', uses: 2 }), 1);
  const other = { kind: 'session' as const, key: 'k-other' };
  assert.equal(store.ask(approvalRequest({ binding: 'b-9', scopes: [other] }), 2).kind, 'pending');
  assert.equal(store.ask(approvalRequest({ binding: 'b-2' }), 2).kind, 'granted');
  assert.equal(store.ask(approvalRequest({ binding: 'b-3' }), 3).kind, 'granted');
  assert.equal(store.ask(approvalRequest({ binding: 'b-4' }), 4).kind, 'pending');
});

test('a scope that the policy does not offer is refused', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  const decided = store.decide(ticket, approval('grace', { scope: 'skill' }), 1);
  assert.deepEqual(decided, { kind: 'refused', why: 'scope_not_offered', state: 'pending' });
});

test('a grant can be taken back, and a decision is made once', async (context) => {
  const { store } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  store.decide(ticket, approval('grace', { scope: 'session', uses: 5 }), 1);
  assert.equal(store.decide(ticket, denial(), 2).kind, 'refused');
  assert.equal(store.decide(ticket, approval('alan'), 2).kind, 'refused');
  const taken = { kind: 'revoke' as const, by: approver('alan'), reason: 'wrong session' };
  assert.equal(store.decide(ticket, taken, 3).kind, 'recorded');
  assert.equal(store.ask(approvalRequest({ binding: 'b-2' }), 4).kind, 'pending');
  assert.equal(store.decide(ticket, taken, 5).kind, 'refused');
  assert.deepEqual(store.decide('t-none', denial(), 5), { kind: 'refused', why: 'not_found', state: '' });
});

test('tickets of one caller and of all are limited, and decided ones make room', async (context) => {
  const { store } = await tickets(context, { ticketsMax: 3, ticketsPerCallerMax: 2 });
  const ask = (binding: string, caller: string) => store.ask(approvalRequest({ binding, caller }), 0);
  const first = ticketOf(ask('b-1', 'c-1'));
  ask('b-2', 'c-1');
  assert.deepEqual(ask('b-3', 'c-1'), { kind: 'full', limit: 'ticketsPerCallerMax' });
  ask('b-4', 'c-2');
  assert.deepEqual(ask('b-5', 'c-3'), { kind: 'full', limit: 'ticketsMax' });
  store.decide(first, denial(), 1);
  assert.equal(ask('b-5', 'c-3').kind, 'pending');
});

test('whoever sends the same request again and again is refused before its ticket has more events than are read at once', async (context) => {
  const { store, file } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  const database = new DatabaseSync(file);
  const insert = database.prepare('insert into events (ticket, event) values (?, ?)');
  database.exec('begin');
  for (let number = 2; number < eventsPerTicketMax - 1; number += 1)
    insert.run(ticket, JSON.stringify({ kind: 'waiting', exchangeId: `x-${number}`, timeMs: 0 }));
  database.exec('commit');
  database.close();
  assert.equal(store.ask(approvalRequest({ exchangeId: 'last' }), minute).kind, 'pending');
  const full = { kind: 'full', limit: 'eventsPerTicketMax' };
  assert.deepEqual(store.ask(approvalRequest({ exchangeId: 'beyond' }), minute), full);
  assert.equal(store.read(ticket, minute)?.events.length, eventsPerTicketMax);
  assert.equal(store.askAgain(ticket, 'last', minute)?.kind, 'pending', 'who waits already waits on');
  store.decide(ticket, approval(), minute);
  assert.equal(store.ask(approvalRequest({ exchangeId: 'after' }), minute).kind, 'granted');
});

test('events and tickets cannot be changed by SQL', async (context) => {
  const { store, file } = await tickets(context);
  const ticket = ticketOf(store.ask(approvalRequest(), 0));
  const database = new DatabaseSync(file);
  context.after(() => database.close());
  for (const sql of [
    "update events set event = '{}'",
    'delete from events',
    "insert or replace into events values (1, 'x', '{}')",
    "update tickets set binding = 'b-2'",
    'delete from tickets',
    `insert or replace into tickets select * from tickets where ticket = '${ticket}'`,
  ])
    assert.throws(() => database.exec(sql), /does not change/, sql);
});

test('whatever is asked and decided in whatever order by two processes, no approval is used more than once', async (context) => {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}`);
  const step = fc.record({
    process: fc.nat(1),
    what: fc.constantFrom('ask', 'approve', 'deny', 'sweep'),
    binding: fc.nat(2),
    waitMs: fc.nat(20 * minute),
  });
  let run = 0;
  const directory = await temporaryDirectory(context);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      run += 1;
      const file = join(directory, `${run}.sqlite`);
      const processes = [new Tickets(file), new Tickets(file)] as const;
      let nowMs = 0;
      const approved = new Map<string, number>();
      const released = new Map<string, number>();
      for (const { process, what, binding, waitMs } of steps) {
        nowMs += waitMs;
        const store = processes[process] ?? processes[0];
        if (what === 'sweep') store.sweep(nowMs);
        else if (what === 'ask') {
          const answer = store.ask(approvalRequest({ binding: `b-${binding}`, scopes: [] }), nowMs);
          if (answer.kind === 'granted') released.set(answer.ticket, (released.get(answer.ticket) ?? 0) + 1);
        } else {
          const [ticket] = store.list('live', 10, nowMs).slice(binding);
          if (ticket === undefined) continue;
          const decided = store.decide(ticket.ticket, what === 'approve' ? approval() : denial(), nowMs);
          if (what === 'approve' && decided.kind === 'recorded')
            approved.set(ticket.ticket, (approved.get(ticket.ticket) ?? 0) + 1);
        }
      }
      for (const [ticket, times] of released) assert.deepEqual([times, approved.get(ticket)], [1, 1]);
      for (const ticket of processes[0].list('all', 100, nowMs)) {
        const finals = ticket.events.filter(({ kind }) => ['denied', 'used', 'expired', 'revoked'].includes(kind));
        assert.ok(finals.length <= 1, `${finals.map(({ kind }) => kind)}`);
      }
      for (const store of processes) store.close();
    }),
    { seed, numRuns: 40 },
  );
});
