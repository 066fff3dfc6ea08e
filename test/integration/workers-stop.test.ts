import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { twoRounds } from '../environment/envoy-stats.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { readJournalOf } from '../environment/journal-view.ts';
import { Load } from '../environment/load.ts';
import { openCall } from '../environment/raw-call.ts';
import { claudeError, inJournal, openHalfUpload, openSlowStream, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { wholeIndex } from '../environment/whole-index.ts';
import { assertJournalIsIndexed } from '../environment/whole-record.ts';
import { allHealthy, isAlive, runningWorker, workerHosts } from '../environment/workers.ts';

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  gateway = await startTestGateway({ workers: 2, settings: { drainMaxMs: 4_000 } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

function timesDraining(): number {
  return readFileSync(join(gateway.directory, 'processor.log'), 'utf8').split('"SIGTERM","msg":"draining"').length - 1;
}

async function startAgain(): Promise<void> {
  await gateway.restartProcessor();
  await allHealthy(gateway);
  await twoRounds(gateway.envoy);
  await servedAgain(gateway, headers);
}

/** Of these exchanges, in the journal of which worker each one is. */
async function workerOf(marker: string): Promise<number> {
  const entry = await inJournal(gateway, marker, () => true);
  const own = await readJournalOf(gateway.dataDirectory, 1);
  return own.some(({ id }) => id === entry.id) ? 1 : 2;
}

test('a worker that is told to end under load fails no request, and the stream that it has ends in time', async (t) => {
  await using load = new Load(gateway, headers, 4);
  await waitUntil('answers', () => load.answered.size > 20);
  const uploads = await Promise.all([1, 2, 3, 4].map((at) => openHalfUpload(gateway, `ending ${at}`, headers)));
  const workers = await Promise.all([1, 2, 3, 4].map((at) => workerOf(`ending ${at}`)));
  const pid = await runningWorker(gateway, 1);
  process.kill(pid, 'SIGTERM');
  await waitUntil('Envoy knows', async () => (await workerHosts(gateway))[0]?.healthy === false);
  for (const upload of uploads) upload.finish();
  for (const upload of uploads) assert.equal((await upload.head).status, 200);
  assert.ok(workers.includes(1), `at ${workers.join(', ')}`);
  await runningWorker(gateway, 1, pid);
  await allHealthy(gateway);
  await load.stop();
  assert.deepEqual(load.failures, []);
  t.diagnostic(`${load.answered.size} answered`);
});

test('a stopping primary drains all workers at once: what ends in time ends well, new requests are refused properly', async () => {
  const uploads = await Promise.all([1, 2, 3, 4].map((at) => openHalfUpload(gateway, `held ${at}`, headers)));
  const workers = await Promise.all([1, 2, 3, 4].map((at) => workerOf(`held ${at}`)));
  assert.deepEqual([...new Set(workers)].sort(), [1, 2]);
  gateway.processor.process.kill('SIGTERM');
  await waitUntil('no worker takes requests', async () =>
    (await workerHosts(gateway)).every(({ healthy }) => !healthy),
  );
  const fresh = openCall(gateway, { headers });
  fresh.end(messagesBody('too late'));
  const head = await fresh.head;
  assert.equal(head.status, 503);
  assert.equal(await fresh.over, 'ended');
  claudeError(fresh.received(), head.headers['content-type'], ['api_error', 'overloaded_error']);
  for (const upload of uploads) upload.finish();
  for (const upload of uploads) {
    assert.equal((await upload.head).status, 200);
    assert.equal(await upload.over, 'ended');
  }
  assert.equal(await gateway.processor.exited, 0);
  for (let at = 1; at <= 4; at += 1) {
    const { id } = await inJournal(gateway, `held ${at}`, () => true);
    assert.equal((await wholeIndex(gateway.dataDirectory)).get(id)?.outcome, 'complete', 'shipped before the end');
  }
  await startAgain();
});

test('what does not end in time is cut, and its record says that we ended', async () => {
  const stream = await openSlowStream(gateway, 'endless', headers);
  gateway.processor.process.kill('SIGTERM');
  assert.equal(await stream.over, 'cut');
  assert.equal(await gateway.processor.exited, 0);
  const { id } = await inJournal(gateway, 'endless', () => true);
  assert.match((await wholeIndex(gateway.dataDirectory)).get(id)?.outcome ?? '', /^(interrupted|cut)$/);
  await startAgain();
});

test('a second signal ends primary and workers at once; what was open is interrupted at the next start', async () => {
  const stream = await openSlowStream(gateway, 'in a hurry', headers);
  const pids = [await runningWorker(gateway, 1), await runningWorker(gateway, 2)];
  const before = timesDraining();
  gateway.processor.process.kill('SIGTERM');
  await waitUntil('draining', () => timesDraining() > before);
  const sinceMs = performance.now();
  gateway.processor.process.kill('SIGTERM');
  assert.equal(await gateway.processor.exited, 1);
  await waitUntil('the workers ended', () => pids.every((pid) => !isAlive(pid)));
  assert.ok(performance.now() - sinceMs < 4_000, 'it did not drain');
  assert.equal(await stream.over, 'cut');
  await startAgain();
  const { id } = await inJournal(gateway, 'in a hurry', () => true);
  assert.equal((await gateway.document(id)).skilltape.outcome, 'interrupted');
  await assertJournalIsIndexed(gateway);
});
