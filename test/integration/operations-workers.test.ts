import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { MergedReport } from '../../extproc/operations/readiness.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { operationsOf } from '../environment/operations-call.ts';
import { waitUntil } from '../environment/wait.ts';
import type { Series } from '../unit/operations/exposition.ts';
import { valueIn } from '../unit/operations/exposition.ts';

let gateway: TestGateway;
let headers: { authorization: string };
let operations: ReturnType<typeof operationsOf>;
before(async () => {
  gateway = await startTestGateway({ workers: 2 });
  headers = { authorization: `Bearer ${await gateway.token()}` };
  operations = operationsOf(gateway);
});
after(() => gateway.stop());

const workersIn = (series: readonly Series[]) =>
  new Set(series.filter(({ name }) => name === 'skilltape_ready').map(({ labels }) => labels.worker));

async function readyReport(): Promise<MergedReport & { status: number }> {
  const { status, body } = await operations.ask('/readyz');
  return { ...(JSON.parse(body) as MergedReport), status };
}

/** Children of the primary that run the worker's program. */
function workerPids(): number[] {
  const task = `/proc/${gateway.processor.pid}/task/${gateway.processor.pid}/children`;
  return readFileSync(task, 'utf8').trim().split(' ').map(Number);
}

test('the figures of all workers are served by the primary, each under its worker, and add up to what was sent', async () => {
  const endedBy = (series: readonly Series[]) =>
    ['primary', '1', '2'].map((worker) =>
      valueIn(series, 'skilltape_exchanges_total', { outcome: 'complete', connection: 'claude', worker }),
    );
  let sent = 0;
  // Envoy finds the second worker well a moment after the first one.
  await waitUntil('an exchange of each worker', async () => {
    const { status } = await gateway.post(messagesBody(`number ${sent}`), headers);
    assert.equal(status, 200);
    sent += 1;
    return endedBy(await operations.series())
      .slice(1)
      .every((count) => count > 0);
  });
  const series = await waitUntil('everything in the index', async () => {
    const now = await operations.series();
    return valueIn(now, 'skilltape_shipped_exchanges_total', { worker: 'primary' }) === sent && now;
  });
  assert.deepEqual(workersIn(series), new Set(['primary', '1', '2']));
  const ended = endedBy(series);
  assert.equal(ended[0], 0);
  assert.equal(
    ended.reduce((sum, count) => sum + count),
    sent,
  );
  const report = await readyReport();
  assert.deepEqual([report.status, Object.keys(report.processes)], [200, ['1', '2', 'primary']]);
});

test('a frozen worker holds up neither health nor figures: it is told and left out, until it goes on', async () => {
  const [frozen] = workerPids();
  assert.ok(frozen);
  process.kill(frozen, 'SIGSTOP');
  try {
    const report = await waitUntil('a worker that does not answer', async () => {
      const now = await readyReport();
      return Object.values(now.processes).some(({ ready }) => !ready) && now;
    });
    assert.equal(report.status, 200, 'the other one takes its share');
    const series = await operations.series();
    assert.equal(workersIn(series).size, 2);
    await waitUntil('a worker less', async () => {
      return valueIn(await operations.series(), 'skilltape_workers_recording') === 1;
    });
    assert.equal(valueIn(await operations.series(), 'skilltape_workers'), 2);
  } finally {
    process.kill(frozen, 'SIGCONT');
  }
  await waitUntil('both again', async () => {
    return valueIn(await operations.series(), 'skilltape_workers_recording') === 2;
  });
  assert.equal(workersIn(await operations.series()).size, 3);
});

test('a killed worker begins to count anew, in a series of its own', async () => {
  const [killed] = workerPids();
  assert.ok(killed);
  process.kill(killed, 'SIGKILL');
  const log = join(gateway.directory, 'processor.log');
  await waitUntil('its end in the log', () =>
    readFileSync(log, 'utf8').includes('a worker ended and is started again'),
  );
  const series = await waitUntil('both again', async () => {
    const now = await operations.series();
    return valueIn(now, 'skilltape_workers_recording') === 2 && workersIn(now).size === 3 && now;
  });
  const counts = ['1', '2'].map((worker) =>
    valueIn(series, 'skilltape_exchanges_total', { outcome: 'complete', connection: 'claude', worker }),
  );
  assert.ok(counts.includes(0) && counts.some((count) => count > 0), String(counts));
});
