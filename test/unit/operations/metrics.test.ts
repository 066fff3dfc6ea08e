import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomes } from '../../../extproc/exchange/outcome.ts';
import { coverageMetrics } from '../../../extproc/operations/coverage-metrics.ts';
import { createMetrics } from '../../../extproc/operations/metrics.ts';
import { createRig } from '../exchange/rig.ts';
import { allMetrics } from './all-metrics.ts';
import { seriesFrom, valueIn } from './exposition.ts';

test('names end in their base unit, counters in _total, and each has a help', () => {
  const units = /_(total|seconds|bytes|ratio)$/;
  const counts =
    /^(skilltape_(ready|condition_ok|journal_admits|open_exchanges(_max)?|approvals_live|notifications_waiting|shipping_waiting_exchanges|workers(_recording)?|(access_grants|break_glass)_in_force|volume_refuses|retention_to_do))$/;
  const all = allMetrics();
  assert.ok(all.length > 30);
  for (const { name, type, help } of all) {
    if (!name.startsWith('skilltape_')) continue;
    assert.match(name, counts.test(name) ? counts : units, name);
    assert.equal(name.endsWith('_total'), String(type) === 'counter', name);
    assert.match(help, /\.$/, name);
  }
});

test('labels are of closed sets, but for rules, of which only so many are told apart', () => {
  const labels = new Set(allMetrics().flatMap(({ labelNames }) => labelNames));
  assert.deepEqual([...labels].toSorted(), [
    'condition',
    'connection',
    'how',
    'kind',
    'operation',
    'outcome',
    'reason',
    'result',
    // Of policies, bounded besides.
    'rule',
    'stage',
    'state',
    // Names of the configuration.
    'target',
    'type',
    'verdict',
  ]);
});

test('what can be counted stands at 0 from the start, so that the first event is seen as one', async () => {
  const { registry } = createMetrics(['claude', 'sandbox']);
  const series = await seriesFrom(registry);
  const ends = series.filter(({ name }) => name === 'skilltape_exchanges_total');
  assert.equal(ends.length, outcomes.length * 2);
  assert.ok(ends.every(({ value }) => value === 0));
  assert.equal(valueIn(series, 'skilltape_refusals_total', { reason: 'journal_full' }), 0);
  assert.equal(valueIn(series, 'skilltape_journal_failures_total', { operation: 'sync' }), 0);
  assert.equal(valueIn(series, 'skilltape_answer_body_bytes_total', { connection: 'sandbox' }), 0);
});

test('the figures of the process itself are measured', async () => {
  const { registry } = createMetrics([]);
  const until = performance.now() + 100;
  while (performance.now() < until);
  const names = ['process_cpu_seconds_total', 'process_start_time_seconds', 'process_resident_memory_bytes'];
  const node = [
    'heap_size_used_bytes',
    'external_memory_bytes',
    'eventloop_lag_p99_seconds',
    'eventloop_lag_max_seconds',
  ];
  const missing = new Set([...names, ...node.map((end) => `nodejs_${end}`)]);
  for (let scrape = 0; missing.size > 0 && scrape < 100; scrape += 1) {
    // A scrape tells of the time since the last one: of the event loop only what was looked at in it, every 10 ms.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const series = await seriesFrom(registry);
    for (const name of missing) if (valueIn(series, name) > 0) missing.delete(name);
  }
  assert.deepEqual([...missing], []);
});

test('what is held now is told beside its limit', async () => {
  const { registry, exchange, journal } = createMetrics([]);
  const { context } = createRig({ openExchangesMax: 7, heldBodyMaxBytes: 9000 });
  exchange.watch(context);
  journal.watch({ usage: () => ({ bytes: 3, maxBytes: 4 }), admits: () => false });
  context.budget.openExchanges = 2;
  context.budget.heldBodyBytes = 5;
  const series = await seriesFrom(registry);
  const of = (name: string) => valueIn(series, `skilltape_${name}`);
  assert.deepEqual([of('open_exchanges'), of('open_exchanges_max')], [2, 7]);
  assert.deepEqual([of('held_body_bytes'), of('held_body_max_bytes')], [5, 9000]);
  assert.deepEqual([of('journal_bytes'), of('journal_max_bytes'), of('journal_admits')], [3, 4, 0]);
});

test('what the comparison with the access log found is told as it stands, not added up at each scrape', async () => {
  const { registry } = createMetrics([]);
  const found = { forwarded_not_recorded: 0, interrupted: 2 };
  coverageMetrics(registry, { counts: () => found, lagSeconds: () => 1.5 });
  await seriesFrom(registry);
  found.interrupted = 3;
  const series = await seriesFrom(registry);
  assert.equal(valueIn(series, 'skilltape_coverage_findings_total', { kind: 'interrupted' }), 3);
  assert.equal(valueIn(series, 'skilltape_coverage_findings_total', { kind: 'forwarded_not_recorded' }), 0);
  assert.equal(valueIn(series, 'skilltape_coverage_lag_seconds'), 1.5);
});
