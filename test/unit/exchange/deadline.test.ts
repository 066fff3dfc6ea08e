import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDeadline } from '../../../extproc/exchange/deadline.ts';
import { Gate, settle } from './rig.ts';

const neverMs = 1_000_000;

test('work that is done in time gives its result, or its fault', async () => {
  assert.equal(await withDeadline(Promise.resolve(1), neverMs, () => true), 1);
  await assert.rejects(
    withDeadline(Promise.reject(new Error('broken')), neverMs, () => true),
    /broken/,
  );
});

test('work that is late gives nothing, and its later fault ends no process', async () => {
  const gate = new Gate();
  assert.equal(await withDeadline(gate.passed, 1, () => true), undefined);
  gate.break(new Error('too late'));
  await settle();
});

test('work that is late, but took effect already, is waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const gate = new Gate();
  const waiting = withDeadline(
    gate.passed.then(() => 'released'),
    1,
    () => false,
  );
  t.mock.timers.tick(1);
  await settle();
  gate.open();
  assert.equal(await waiting, 'released');
});
