import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchJournalSpace, watchShipping } from '../../../extproc/operations/conditions.ts';
import { Operations } from '../../../extproc/operations/operations.ts';
import { conditionNames, mergeReports, Readiness } from '../../../extproc/operations/readiness.ts';
import { ShippingState } from '../../../extproc/operations/shipping-state.ts';
import { seriesFrom, valueIn } from './exposition.ts';

function started(): Readiness {
  const readiness = new Readiness();
  for (const name of ['policies', 'journal', 'listener'] as const) readiness.ok(name);
  return readiness;
}

const reasons = (readiness: Readiness) =>
  readiness.report().conditions.flatMap(({ state, reason }) => (state === 'ok' ? [] : [`${state}: ${reason}`]));

test('a process that has just begun is not ready, and says what it has not done yet', () => {
  const readiness = new Readiness();
  assert.equal(readiness.report().ready, false);
  readiness.ok('policies');
  assert.deepEqual(reasons(readiness), [
    'failed: the journal is not recovered yet',
    'failed: Envoy is not listened to yet',
  ]);
  readiness.ok('journal');
  readiness.ok('listener');
  assert.deepEqual([readiness.report().ready, reasons(readiness)], [true, []]);
});

test('a draining process and one whose journal cannot be written are not ready', () => {
  const readiness = started();
  readiness.failed('drain', 'stopping');
  assert.deepEqual([readiness.report().ready, reasons(readiness)], [false, ['failed: stopping']]);
  const other = started();
  other.failed('journal', 'poisoned');
  assert.equal(other.report().ready, false);
});

test('a full journal takes readiness away for as long as it is full', () => {
  const readiness = started();
  let admits = true;
  watchJournalSpace(readiness, { admits: () => admits, usage: () => ({ bytes: 1, maxBytes: 1 }) });
  assert.equal(readiness.report().ready, true);
  admits = false;
  assert.equal(readiness.report().ready, false);
  assert.match(reasons(readiness).join(), /journal is full/);
  admits = true;
  assert.equal(readiness.report().ready, true);
});

test('an index that is away is told and takes no traffic away: the journal waits for it', () => {
  const readiness = started();
  const state = new ShippingState(Date.now);
  watchShipping(readiness, state);
  state.heed({ kind: 'waiting', reason: 'https://user@es.internal is away' });
  assert.equal(readiness.report().ready, true);
  assert.deepEqual(reasons(readiness), ['degraded: the index takes no exchanges: the log says why']);
});

test('a silent shipping thread is told and takes no traffic away', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const readiness = started();
  watchShipping(readiness, new ShippingState(Date.now));
  assert.deepEqual(reasons(readiness), []);
  nowMs = 181_000;
  assert.equal(readiness.report().ready, true);
  assert.match(reasons(readiness).join(), /degraded: .*shipping thread is silent/);
});

test('a report is plain data, and the figures say the same', async () => {
  const { metrics, readiness } = new Operations(['claude']);
  const report = readiness.report();
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  const before = await seriesFrom(metrics.registry);
  assert.equal(valueIn(before, 'skilltape_ready'), 0);
  assert.equal(valueIn(before, 'skilltape_condition_ok', { condition: 'journal' }), 0);
  assert.equal(valueIn(before, 'skilltape_condition_ok', { condition: 'drain' }), 1);
  for (const name of conditionNames) readiness.ok(name);
  assert.equal(valueIn(await seriesFrom(metrics.registry), 'skilltape_ready'), 1);
});

test('a primary is ready with one worker of many, and with none it is not; each worker is told', () => {
  const [good, bad] = [started().report(), new Readiness().report()];
  assert.equal(mergeReports(good, new Map([['0', bad]])).ready, false);
  assert.equal(mergeReports(good, new Map()).ready, false);
  const merged = mergeReports(
    good,
    new Map([
      ['0', bad],
      ['1', good],
    ]),
  );
  assert.equal(merged.ready, true);
  assert.deepEqual(merged.processes['0'], bad);
  assert.equal(mergeReports(bad, new Map([['0', good]])).ready, false);
});
