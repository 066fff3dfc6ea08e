import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyBundle } from '../../../extproc/policy/bundle.ts';
import { PolicyDesk, policyUseMaxMs } from '../../../extproc/workers/policy-desk.ts';

function policy(revision: string): PolicyBundle {
  return { revision } as PolicyBundle;
}

/** Workers that are told and ended, as a list of what happened. */
function workers(...numbers: number[]) {
  const happened: string[] = [];
  const users = numbers.map((worker) => ({
    worker,
    send: ({ revision }: PolicyBundle) => void happened.push(`told ${worker} ${revision}`),
    end: () => void happened.push(`ended ${worker}`),
  }));
  return { happened, users, onLate: (worker: number) => void happened.push(`late ${worker}`) };
}

test('a policy is in force when each worker said so', async () => {
  const desk = new PolicyDesk();
  const { happened, users, onLate } = workers(1, 2);
  const used = desk.use(policy('a'), users, onLate);
  desk.used(1, 'a');
  desk.used(2, 'of before');
  let isOver = false;
  void used.then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isOver, false);
  desk.used(2, 'a');
  await used;
  assert.deepEqual(happened, ['told 1 a', 'told 2 a']);
});

test('a worker that does not say so in time is told of and ended, and holds up no other', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const desk = new PolicyDesk();
  const { happened, users, onLate } = workers(1, 2);
  const used = desk.use(policy('a'), users, onLate);
  desk.used(1, 'a');
  t.mock.timers.tick(policyUseMaxMs - 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(!happened.includes('ended 2'));
  t.mock.timers.tick(1);
  await used;
  assert.deepEqual(happened.slice(2), ['late 2', 'ended 2']);
});

test('a worker that died is not waited for, and a newer policy takes the place of an older one', async () => {
  const desk = new PolicyDesk();
  const { happened, users, onLate } = workers(1);
  const first = desk.use(policy('a'), users, onLate);
  const second = desk.use(policy('b'), users, onLate);
  await first;
  desk.gone(1);
  await second;
  assert.deepEqual(happened, ['told 1 a', 'told 1 b']);
});
