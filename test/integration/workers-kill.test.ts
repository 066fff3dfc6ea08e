import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { readJournalOf } from '../environment/journal-view.ts';
import { Load } from '../environment/load.ts';
import { inJournal, openHalfUpload, openSlowStream, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { wholeIndex } from '../environment/whole-index.ts';
import { assertArrivalsAreRecorded, assertJournalIsIndexed } from '../environment/whole-record.ts';
import { allHealthy, isAlive, runningWorker, workerHosts, workerPid } from '../environment/workers.ts';

const kills = 3;
const callers = 6;

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  const settings = {
    journal: { segmentMaxBytes: 64 * 1024, journalMaxBytes: 64 * 1024 * 1024 },
    limits: { requestBodyMaxBytes: 1024 * 1024 },
    drainMaxMs: 500,
  };
  gateway = await startTestGateway({ workers: 2, settings, keepBodies: true });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

async function recordedBy(worker: number): Promise<number> {
  return (await readJournalOf(gateway.dataDirectory, worker)).length;
}

test('requests go to both workers, and each writes a journal of its own', async () => {
  await using load = new Load(gateway, headers);
  await waitUntil('answers', () => load.answered.size > 30);
  await load.stop();
  assert.deepEqual(load.failures, []);
  for (const worker of [1, 2]) assert.ok((await recordedBy(worker)) >= 5, `worker ${worker}`);
  await assertJournalIsIndexed(gateway);
});

test('a killed worker: what it held is refused or cut and recorded as interrupted, the other goes on, and it comes back', async () => {
  const streams = await Promise.all([1, 2, 3, 4].map((at) => openSlowStream(gateway, `stream ${at}`, headers)));
  const uploads = await Promise.all([1, 2, 3, 4].map((at) => openHalfUpload(gateway, `upload ${at}`, headers)));
  const own = new Map((await readJournalOf(gateway.dataDirectory, 1)).map((entry) => [entry.id, entry]));
  const pid = await runningWorker(gateway, 1);
  const other = workerPid(gateway, 2);
  process.kill(pid, 'SIGKILL');
  const calls = [
    ...streams.map((call, at) => [`stream ${at + 1}`, call] as const),
    ...uploads.map((call, at) => [`upload ${at + 1}`, call] as const),
  ];
  let met = 0;
  for (const [marker, call] of calls) {
    const { id } = await inJournal(gateway, marker, () => true);
    if (!own.has(id)) continue;
    met += 1;
    if (marker.startsWith('stream')) assert.equal(await call.over, 'cut');
    else assert.equal((await call.head).status, 503);
    assert.equal((await gateway.document(id)).skilltape.outcome, 'interrupted');
  }
  assert.ok(met > 0 && met < calls.length, `${met} of ${calls.length} were at the killed worker`);
  for (const upload of uploads) upload.finish();
  for (const [at, upload] of uploads.entries()) {
    const { id } = await inJournal(gateway, `upload ${at + 1}`, () => true);
    if (!own.has(id)) assert.equal((await upload.head).status, 200);
  }
  await runningWorker(gateway, 1, pid);
  await allHealthy(gateway);
  assert.equal(workerPid(gateway, 2), other, 'the other one is the same');
  for (const stream of streams) stream.abort();
});

test(`${kills} kills of a worker under load: nothing upstream without a record, nothing lost, nothing twice`, async (t) => {
  await using load = new Load(gateway, headers, callers);
  const perKill: number[] = [];
  for (let count = 0; count < kills; count += 1) {
    const answered = load.answered.size;
    await waitUntil('answers since the last kill', () => load.answered.size > answered + 30);
    const failed = load.failures.length;
    const worker = 1 + (count % 2);
    const pid = await runningWorker(gateway, worker);
    process.kill(pid, 'SIGKILL');
    await runningWorker(gateway, worker, pid);
    await allHealthy(gateway);
    perKill.push(load.failures.length - failed);
  }
  await load.stop();
  await assertJournalIsIndexed(gateway);
  const arrivals = await assertArrivalsAreRecorded(gateway);
  const indexed = await wholeIndex(gateway.dataDirectory);
  for (const id of load.answered) assert.equal(indexed.get(id)?.outcome, 'complete', id);
  t.diagnostic(`${load.answered.size} answered, ${arrivals} seen upstream, failed at each kill: ${perKill.join(', ')}`);
  t.diagnostic(`as ${[...new Set(load.failures)].join(', ')}`);
  for (const failure of load.failures) assert.ok(failure === 503 || failure === 'cut', `${failure}`);
  for (const failed of perKill) assert.ok(failed <= callers, 'only what was open at the killed one failed');
});

test('a killed primary: the workers end, nothing passes, and the next start recovers all journals', async () => {
  await using load = new Load(gateway, headers);
  await waitUntil('answers', () => load.answered.size > 20);
  const stream = await openSlowStream(gateway, 'stream at the end', headers);
  const workers = [await runningWorker(gateway, 1), await runningWorker(gateway, 2)];
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
  await waitUntil('the workers ended', () => workers.every((pid) => !isAlive(pid)));
  assert.equal(await stream.over, 'cut');
  await waitUntil('Envoy refuses', async () => (await workerHosts(gateway)).every(({ healthy }) => !healthy));
  await load.stop();
  await gateway.restartProcessor();
  await servedAgain(gateway, headers);
  await assertJournalIsIndexed(gateway);
  await assertArrivalsAreRecorded(gateway);
  const indexed = await wholeIndex(gateway.dataDirectory);
  for (const id of load.answered) assert.equal(indexed.get(id)?.outcome, 'complete', id);
});

test('a primary that is started again while its old workers still drain waits for them', async () => {
  const stream = await openSlowStream(gateway, 'stream of before', headers);
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
  await gateway.restartProcessor();
  await servedAgain(gateway, headers);
  await allHealthy(gateway);
  assert.equal(await stream.over, 'cut');
  const { id } = await inJournal(gateway, 'stream of before', () => true);
  assert.match((await gateway.document(id)).skilltape.outcome, /^(interrupted|cut)$/);
  await assertJournalIsIndexed(gateway);
});
