import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Operations, type WorkerReports } from '../../../extproc/operations/operations.ts';
import { conditionNames } from '../../../extproc/operations/readiness.ts';
import { workerMetrics } from '../../../extproc/operations/worker-metrics.ts';
import { seriesOf, valueIn } from './exposition.ts';

function ready(): Operations {
  const operations = new Operations(['claude']);
  for (const name of conditionNames) operations.readiness.ok(name);
  return operations;
}

/** As a report comes out of a message between processes. */
async function handedOver(operations: Operations) {
  return JSON.parse(JSON.stringify(await operations.report()));
}

test('alone, a process speaks for itself, without the label of a worker', async () => {
  const operations = ready();
  assert.deepEqual(await operations.ready(), operations.readiness.report());
  assert.ok(seriesOf(await operations.exposition()).every(({ labels }) => labels.worker === undefined));
});

test('a primary speaks for its workers: one that does not answer is told, and the others keep it ready', async () => {
  const [primary, worker] = [ready(), ready()];
  worker.metrics.exchange.onFinished('claude', 'complete');
  let reports: WorkerReports = new Map([
    [1, await handedOver(worker)],
    [2, null],
  ]);
  primary.watchWorkers(async () => reports);
  workerMetrics(primary.metrics.registry, () => [
    { state: 'recording', restarts: 0 },
    { state: 'silent', restarts: 1 },
  ]);
  const report = await primary.ready();
  assert.equal(report.ready, true);
  assert.ok('processes' in report);
  assert.deepEqual(Object.keys(report.processes).toSorted(), ['1', '2', 'primary']);
  assert.equal(report.processes['2']?.ready, false);
  const series = seriesOf(await primary.exposition());
  const complete = { outcome: 'complete', connection: 'claude' };
  assert.equal(valueIn(series, 'skilltape_exchanges_total', { ...complete, worker: '1' }), 1);
  assert.equal(valueIn(series, 'skilltape_exchanges_total', { ...complete, worker: 'primary' }), 0);
  assert.equal(series.filter(({ labels }) => labels.worker === '2').length, 0);
  assert.equal(valueIn(series, 'skilltape_workers_recording'), 1);
  assert.equal(valueIn(series, 'skilltape_workers'), 2);
  reports = new Map([[1, null]]);
  assert.equal((await primary.ready()).ready, false);
});

test('many who ask at once ask each worker once', async () => {
  const primary = ready();
  let asked = 0;
  primary.watchWorkers(async () => {
    asked += 1;
    return new Map();
  });
  await Promise.all([primary.ready(), primary.ready(), primary.exposition()]);
  assert.equal(asked, 1);
});
