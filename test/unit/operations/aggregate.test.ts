import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aggregateMetrics } from '../../../extproc/operations/aggregate.ts';
import { createMetrics } from '../../../extproc/operations/metrics.ts';
import { seriesOf, valueIn } from './exposition.ts';

/** As it comes out of a message between processes. */
async function handedOver(metrics: ReturnType<typeof createMetrics>) {
  return JSON.parse(JSON.stringify(await metrics.registry.getMetricsAsJSON()));
}

test('the figures of all workers stand in one exposition, each under its worker', async () => {
  const workers = [createMetrics(['claude']), createMetrics(['claude'])] as const;
  workers[0].exchange.ended.inc({ outcome: 'complete', connection: 'claude' }, 3);
  workers[1].exchange.ended.inc({ outcome: 'complete', connection: 'claude' }, 4);
  workers[1].journal.syncSeconds.observe(0.002);
  const [first, second] = await Promise.all(workers.map(handedOver));
  const text = await aggregateMetrics(
    new Map([
      ['0', first],
      ['1', second],
    ]),
  );
  const series = seriesOf(text);
  const complete = { outcome: 'complete', connection: 'claude' };
  assert.equal(valueIn(series, 'skilltape_exchanges_total', { ...complete, worker: '0' }), 3);
  assert.equal(valueIn(series, 'skilltape_exchanges_total', { ...complete, worker: '1' }), 4);
  const bucket = 'skilltape_journal_fdatasync_seconds_bucket';
  assert.equal(valueIn(series, bucket, { worker: '1', le: '0.001' }), 0);
  assert.equal(valueIn(series, bucket, { worker: '1', le: '0.0025' }), 1);
  assert.equal(valueIn(series, bucket, { worker: '0', le: '+Inf' }), 0);
  assert.equal(text.match(/^# TYPE skilltape_exchanges_total counter$/gm)?.length, 1);
  assert.ok(series.every(({ labels }) => labels.worker === '0' || labels.worker === '1'));
});

test('of one process nothing but the label differs', async () => {
  const metrics = createMetrics(['claude']);
  const own = seriesOf(await metrics.registry.metrics());
  const merged = seriesOf(await aggregateMetrics(new Map([['0', await handedOver(metrics)]])));
  const names = (series: typeof own) => new Set(series.map(({ name }) => name));
  assert.deepEqual(names(merged), names(own));
});

test('with no worker there is nothing, and no error', async () => {
  assert.deepEqual(seriesOf(await aggregateMetrics(new Map())), []);
});
