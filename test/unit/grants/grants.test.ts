import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Grants, usualGrantLimits } from '../../../extproc/grants/grants.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { actor, asking, minute } from '../../builders/grant.ts';

async function grants(context: TestContext, limits = usualGrantLimits) {
  const file = join(await temporaryDirectory(context), 'grants.sqlite');
  const store = new Grants(file, limits);
  context.after(() => store.close());
  return { store, file };
}

function asked(store: Grants, changes: Parameters<typeof asking>[0] = {}, nowMs = 0): string {
  const answer = store.ask(asking(changes), nowMs);
  assert.ok(answer.kind === 'recorded');
  return answer.grant.id;
}

const approve = (name = 'grace', forMs?: number) => ({
  ...{ kind: 'approve' as const, by: actor(name), reason: 'the owner agrees' },
  ...(forMs !== undefined && { forMs }),
});

test('what is asked for is in force when somebody else gave it, and ends by itself', async (context) => {
  const { store } = await grants(context);
  const id = asked(store);
  assert.equal(store.read(id, 0)?.state.kind, 'pending');
  assert.equal(store.decide(id, approve(), minute).kind, 'recorded');
  assert.deepEqual(store.read(id, minute)?.state, { kind: 'in_force', fromMs: minute, untilMs: 121 * minute });
  assert.equal(store.read(id, 121 * minute - 1)?.state.kind, 'in_force');
  assert.deepEqual(store.read(id, 121 * minute)?.state, { kind: 'expired', wasGranted: true, sinceMs: 121 * minute });
  assert.equal(store.sweep(121 * minute), 1, 'and it is written down');
  assert.equal(store.sweep(121 * minute), 0);
  assert.equal(store.read(id, 0)?.events.at(-1)?.kind, 'expired');
});

test('nobody decides about what they asked for, or what is for them', async (context) => {
  const { store } = await grants(context);
  const id = asked(store);
  for (const kind of ['approve', 'deny'] as const) {
    const decided = store.decide(id, { kind, by: { ...actor('grace'), person: actor('ada').person }, reason: 'r' }, 1);
    assert.deepEqual(decided, { kind: 'refused', why: 'own', state: 'pending' });
  }
  const other = asked(store, { by: actor('alan'), wanted: { connection: 'sandbox' } });
  const holder = { ...approve('grace'), by: { ...actor('grace'), person: actor('ada').person } };
  assert.deepEqual(store.decide(other, holder, 1), { kind: 'refused', why: 'own', state: 'pending' });
});

test('break-glass takes two accounts, whatever a list says of who they are', async (context) => {
  const { store } = await grants(context);
  const id = asked(store, { wanted: { kind: 'break_glass', holder: null }, by: actor('grace') });
  const sameAccount = { ...approve(), by: { ...actor('grace'), person: actor('alan').person } };
  assert.deepEqual(store.decide(id, sameAccount, 1), { kind: 'refused', why: 'own', state: 'pending' });
  const samePerson = { ...approve(), by: { ...actor('alan'), person: actor('grace').person } };
  assert.deepEqual(store.decide(id, samePerson, 1), { kind: 'refused', why: 'own', state: 'pending' });
  assert.equal(store.decide(id, approve('alan'), 1).kind, 'recorded');
  assert.equal(store.read(id, 1)?.state.kind, 'in_force');
});

test('as many different people as the terms say have to give it, and the shortest time counts', async (context) => {
  const { store } = await grants(context);
  const id = asked(store, { terms: { quorum: 2 } });
  store.decide(id, approve('grace', 60 * minute), 1);
  assert.equal(store.read(id, 1)?.state.kind, 'pending');
  assert.deepEqual(store.decide(id, approve('grace'), 2), {
    kind: 'refused',
    why: 'approved_before',
    state: 'pending',
  });
  store.decide(id, approve('alan', 500 * minute), 3);
  assert.deepEqual(store.read(id, 3)?.state, { kind: 'in_force', fromMs: 3, untilMs: 3 + 60 * minute });
});

test('nobody gives more time than was asked for, nor than the terms allow', async (context) => {
  const { store } = await grants(context);
  const short = asked(store, { wanted: { forMs: 10 * minute } });
  store.decide(short, approve('grace', 500 * minute), 0);
  const long = asked(store, { wanted: { connection: 'sandbox', forMs: 500 * minute } });
  store.decide(long, approve('grace'), 0);
  const untils = [short, long].map((id) => {
    const state = store.read(id, 0)?.state;
    return state?.kind === 'in_force' ? state.untilMs / minute : null;
  });
  assert.deepEqual(untils, [10, 240]);
});

test('what nobody decides expires, and cannot be given after that', async (context) => {
  const { store } = await grants(context);
  const id = asked(store);
  assert.deepEqual(store.decide(id, approve(), 60 * minute), { kind: 'refused', why: 'not_open', state: 'expired' });
  assert.deepEqual(store.list('live', 10, 60 * minute), []);
});

test('a decision is made once, and a grant is taken back once, also by whoever has it', async (context) => {
  const { store } = await grants(context);
  const id = asked(store);
  store.decide(id, approve(), 0);
  assert.equal(store.decide(id, { ...approve('alan'), kind: 'deny' }, 1).kind, 'refused');
  const revoke = { kind: 'revoke' as const, by: actor('ada'), reason: 'done' };
  assert.equal(store.decide(id, revoke, 2).kind, 'recorded');
  assert.equal(store.decide(id, revoke, 3).kind, 'refused');
  assert.equal(store.decide(id, approve('alan'), 3).kind, 'refused');
  assert.equal(store.read(id, 3)?.state.kind, 'revoked');
});

test('the same request is asked once while it waits', async (context) => {
  const { store } = await grants(context);
  const first = asked(store);
  assert.equal(asked(store, {}, 1), first);
  assert.notEqual(asked(store, { wanted: { connection: 'sandbox' } }), first);
  store.decide(first, approve(), 2);
  assert.notEqual(asked(store, {}, 3), first, 'once it was decided another one can be asked for');
});

test('a person asks for so much, and all together for so much', async (context) => {
  const { store } = await grants(context, { grantsMax: 3, grantsPerPersonMax: 2 });
  const ask = (name: string, connection: string) => store.ask(asking({ by: actor(name), wanted: { connection } }), 0);
  assert.equal(ask('ada', 'a').kind, 'recorded');
  assert.equal(ask('ada', 'b').kind, 'recorded');
  assert.deepEqual(ask('ada', 'c'), { kind: 'full', limit: 'grantsPerPersonMax' });
  assert.equal(ask('bob', 'a').kind, 'recorded');
  assert.deepEqual(ask('eve', 'a'), { kind: 'full', limit: 'grantsMax' });
  const late = store.ask(asking({ by: actor('eve'), wanted: { connection: 'a' } }), 60 * minute);
  assert.equal(late.kind, 'recorded', 'what expired makes room');
});

test('what happened cannot be changed by SQL', async (context) => {
  const { store, file } = await grants(context);
  const id = asked(store);
  store.decide(id, approve(), 1);
  const database = new DatabaseSync(file);
  context.after(() => database.close());
  for (const change of [
    "update events set event = '{}'",
    'delete from events',
    "insert or replace into events values (1, 'x', '{}')",
    "update asked set wanted = '{}'",
    'delete from asked',
    `insert or replace into asked values ('${id}', 0, 0, '{}', '{}')`,
  ])
    assert.throws(() => database.exec(change), /does not change|FOREIGN KEY/, change);
});

test('whatever people do, in whatever order and by whatever clock, nothing is in force that was not given', async (context) => {
  const people = ['ada', 'grace', 'alan', 'bob'];
  const step = fc.record({
    who: fc.constantFrom(...people),
    what: fc.constantFrom('ask', 'approve', 'deny', 'revoke', 'sweep', 'restart'),
    which: fc.nat(3),
    passMs: fc.integer({ min: -10 * minute, max: 90 * minute }),
  });
  const file = join(await temporaryDirectory(context), 'property');
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (steps, quorum) => {
      run += 1;
      let store = new Grants(`${file}-${run}.sqlite`);
      const ids: string[] = [];
      let nowMs = 1e12;
      for (const { who, what, which, passMs } of steps) {
        nowMs += passMs;
        const id = ids[which] ?? '';
        if (what === 'ask') {
          const answer = store.ask(
            asking({ by: actor(who), wanted: { connection: `c${which}` }, terms: { quorum } }),
            nowMs,
          );
          if (answer.kind === 'recorded' && answer.isNew) ids.push(answer.grant.id);
        } else if (what === 'sweep') store.sweep(nowMs);
        else if (what === 'restart') {
          store.close();
          store = new Grants(`${file}-${run}.sqlite`);
        } else store.decide(id, { kind: what as 'deny', by: actor(who), reason: 'r' }, nowMs);
        for (const grant of store.list('all', 100, nowMs)) {
          const asker = grant.events.flatMap((event) => (event.kind === 'asked' ? [event.by.name] : []));
          const givers = grant.events.flatMap((event) => (event.kind === 'approved' ? [event.by.name] : []));
          const ends = grant.events.filter(({ kind }) => ['denied', 'revoked', 'expired'].includes(kind));
          assert.equal(new Set(givers).size, givers.length, 'each person once');
          assert.ok(!givers.includes(asker[0] ?? ''), 'nobody gave it to themselves');
          assert.ok(!givers.includes('ada'), 'nor did whoever has it');
          assert.ok(ends.length <= 1, 'it ends once');
          if (grant.state.kind !== 'in_force') continue;
          assert.ok(givers.length >= quorum, 'by as many as the terms say');
          assert.equal(ends.length, 0);
          assert.ok(grant.state.untilMs > nowMs);
          assert.ok(grant.state.untilMs - grant.state.fromMs <= 120 * minute);
        }
      }
      store.close();
    }),
    { numRuns: 60 },
  );
});
