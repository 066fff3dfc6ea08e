import assert from 'node:assert/strict';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Grants } from '../../../extproc/grants/grants.ts';
import { GrantsInForce, lookIntervalMs } from '../../../extproc/grants/in-force.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { actor, asking, minute } from '../../builders/grant.ts';

const ada = { issuer: 'https://idp.example.com', subject: 'ada' };

async function watched(context: TestContext) {
  const file = join(await temporaryDirectory(context), 'grants.sqlite');
  const clock = { elapsedMs: 0 };
  const faults: unknown[] = [];
  const inForce = new GrantsInForce(
    file,
    (fault) => faults.push(fault),
    () => clock.elapsedMs,
  );
  context.after(() => inForce.close());
  const open = () => {
    const store = new Grants(file);
    context.after(() => {
      try {
        store.close();
      } catch (thrown) {
        assert.match(String(thrown), /not open/, 'the test closed it before');
      }
    });
    return store;
  };
  const later = () => {
    clock.elapsedMs += lookIntervalMs;
  };
  return { file, inForce, faults, open, later };
}

function given(store: Grants, wanted: NonNullable<Parameters<typeof asking>[0]>['wanted'] = {}, nowMs = 0): string {
  const asked = store.ask(asking({ wanted: wanted ?? {} }), nowMs);
  assert.ok(asked.kind === 'recorded');
  const decided = store.decide(asked.grant.id, { kind: 'approve', by: actor('grace'), reason: 'r' }, nowMs);
  assert.equal(decided.kind, 'recorded');
  return asked.grant.id;
}

const taken = { kind: 'revoke' as const, by: actor('grace'), reason: 'r' };

test('before anything was asked for there is no file, and nothing is in force', async (context) => {
  const { inForce, faults } = await watched(context);
  assert.deepEqual(inForce.holding(ada, 'claude', 0), []);
  assert.deepEqual(faults, []);
});

test('what another process gives and takes back is known after the interval, and not before it looks', async (context) => {
  const { inForce, open, later } = await watched(context);
  inForce.holding(ada, 'claude', 0);
  const store = open();
  const id = given(store);
  assert.deepEqual(inForce.holding(ada, 'claude', 1), [], 'it has just looked');
  later();
  const [held] = inForce.holding(ada, 'claude', 1);
  assert.deepEqual(held, {
    ...{ id, kind: 'access', skill: null, model: null, untilMs: 120 * minute },
    ...{ by: ['grace'], reason: 'the release is on Friday' },
  });
  store.decide(id, taken, 2);
  later();
  assert.deepEqual(inForce.holding(ada, 'claude', 2), []);
});

test('a grant is for one person and one connection; break-glass for everybody known', async (context) => {
  const { inForce, open } = await watched(context);
  const store = open();
  given(store);
  given(store, { kind: 'break_glass', holder: null, connection: 'sandbox' });
  const kinds = (subject: string, connection: string) =>
    inForce.holding({ ...ada, subject }, connection, 1).map(({ kind }) => kind);
  assert.deepEqual(kinds('ada', 'claude'), ['access']);
  assert.deepEqual(kinds('bob', 'claude'), []);
  assert.deepEqual(kinds('ada', 'sandbox'), ['break_glass']);
  assert.deepEqual(kinds('bob', 'sandbox'), ['break_glass']);
  assert.deepEqual(inForce.holding({ ...ada, issuer: 'https://other.example' }, 'claude', 1), []);
  assert.deepEqual(inForce.holding(null, 'sandbox', 1), [], 'nobody known holds nothing');
});

test('break-glass says who began it beside who confirmed it', async (context) => {
  const { inForce, open } = await watched(context);
  given(open(), { kind: 'break_glass', holder: null, connection: null });
  assert.deepEqual(inForce.holding(ada, 'any', 1)[0]?.by, ['ada', 'grace']);
});

test('it ends to the millisecond without looking again, and a clock set back before it begins gives nothing', async (context) => {
  const { inForce, open } = await watched(context);
  given(open(), {}, 1_000);
  const holds = (nowMs: number) => inForce.holding(ada, 'claude', nowMs).length === 1;
  assert.deepEqual([999, 1_000, 1_000 + 120 * minute - 1, 1_000 + 120 * minute].map(holds), [false, true, true, false]);
});

test('a file that cannot be read is in force for nobody, is told once, and counts again when it is whole', async (context) => {
  const { file, inForce, faults, open, later } = await watched(context);
  const store = open();
  given(store);
  assert.equal(inForce.holding(ada, 'claude', 1).length, 1);
  store.close();
  const kept = ['', '-wal', '-shm'].filter((end) => existsSync(`${file}${end}`));
  for (const end of kept) renameSync(`${file}${end}`, `${file}-kept${end}`);
  writeFileSync(file, 'this is no database, whoever wrote it there, and it is long enough to look like one'.repeat(9));
  for (let times = 0; times < 3; times += 1) {
    later();
    assert.deepEqual(inForce.holding(ada, 'claude', 1), []);
  }
  assert.equal(faults.length, 1);
  for (const end of kept) renameSync(`${file}-kept${end}`, `${file}${end}`);
  later();
  assert.equal(inForce.holding(ada, 'claude', 1).length, 1);
});

test('a process that starts anew knows what is in force, and what ended while nobody looked is due', async (context) => {
  const { inForce, open, file } = await watched(context);
  given(open());
  const restarted = new GrantsInForce(file);
  context.after(() => restarted.close());
  assert.equal(restarted.holding(ada, 'claude', 1).length, 1);
  assert.equal(inForce.isDue(1), false);
  assert.equal(inForce.isDue(121 * minute), true);
});

test('whatever is given and taken back, whoever looks after the interval sees what the events add up to', async (context) => {
  const directory = await temporaryDirectory(context);
  let run = 0;
  const step = fc.tuple(
    fc.constantFrom('give', 'take', 'look', 'sweep'),
    fc.nat(4),
    fc.integer({ min: 0, max: 50 * minute }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      run += 1;
      const file = join(directory, `${run}.sqlite`);
      const store = new Grants(file);
      let elapsedMs = 0;
      const inForce = new GrantsInForce(
        file,
        (fault) => assert.fail(String(fault)),
        () => elapsedMs,
      );
      const ids: string[] = [];
      let nowMs = 0;
      for (const [what, which, passMs] of steps) {
        nowMs += passMs;
        if (what === 'give' && ids.length < 20) ids.push(given(store, { connection: `c${which}` }, nowMs));
        if (what === 'take' && ids[which] !== undefined) store.decide(ids[which], taken, nowMs);
        if (what === 'sweep') store.sweep(nowMs);
        if (what !== 'look') continue;
        elapsedMs += lookIntervalMs;
        for (const connection of ['c0', 'c1', 'c2', 'c3', 'c4']) {
          const wanted = ids.filter((id) => {
            const grant = store.read(id, nowMs);
            return grant?.wanted.connection === connection && grant.state.kind === 'in_force';
          });
          assert.deepEqual(
            inForce
              .holding(ada, connection, nowMs)
              .map(({ id }) => id)
              .toSorted(),
            wanted.toSorted(),
          );
        }
      }
      inForce.close();
      store.close();
    }),
    { numRuns: 40 },
  );
});
