import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { readJournalOf } from '../environment/journal-view.ts';
import { Load } from '../environment/load.ts';
import { inJournal, openHalfUpload, openSlowStream } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { wholeIndex } from '../environment/whole-index.ts';
import { assertArrivalsAreRecorded, assertJournalIsIndexed } from '../environment/whole-record.ts';
import { allHealthy, runningWorker, workerHosts, workerPid } from '../environment/workers.ts';

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  gateway = await startTestGateway({ workers: 2, keepBodies: true, settings: { decisionTimeoutMs: 2_000 } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

function logged(word: string): boolean {
  return readFileSync(join(gateway.directory, 'processor.log'), 'utf8').includes(word);
}

async function atWorker(worker: number, markers: readonly string[]): Promise<Set<string>> {
  const own = new Set((await readJournalOf(gateway.dataDirectory, worker)).map(({ id }) => id));
  const found = new Set<string>();
  for (const marker of markers) if (own.has((await inJournal(gateway, marker, () => true)).id)) found.add(marker);
  return found;
}

test('a frozen worker is taken out, its streams end, the other one serves, and it takes part again when it goes on', async (t) => {
  const markers = ['one', 'two', 'three', 'four'].map((name) => `frozen ${name}`);
  const uploads = new Map<string, Awaited<ReturnType<typeof openHalfUpload>>>();
  for (const marker of markers) uploads.set(marker, await openHalfUpload(gateway, marker, headers));
  const there = await atWorker(1, markers);
  assert.ok(there.size > 0 && there.size < markers.length, `${there.size} at the worker`);
  const pid = await runningWorker(gateway, 1);
  await using load = new Load(gateway, headers, 4);
  await waitUntil('answers', () => load.answered.size > 10);
  const upstream = () => gateway.fake.requests.filter(({ body }) => String(body).includes('frozen ')).length;
  process.kill(pid, 'SIGSTOP');
  const sinceMs = performance.now();
  try {
    await waitUntil('Envoy took it out', async () => (await workerHosts(gateway))[0]?.healthy === false, 10_000);
    t.diagnostic(`taken out after ${Math.round(performance.now() - sinceMs)} ms`);
    for (const marker of there) assert.equal((await uploads.get(marker)?.head)?.status, 503, marker);
    t.diagnostic(`what it held was refused after ${Math.round(performance.now() - sinceMs)} ms`);
    assert.equal(upstream(), 0);
    await waitUntil('its streams ended', async () => (await workerHosts(gateway))[0]?.activeStreams === 0);
    await load.stop();
    await using later = new Load(gateway, headers, 4);
    await waitUntil('answers by the other one', () => later.answered.size > 20);
    await later.stop();
    assert.deepEqual(later.failures, [], 'none is sent to it any more');
    await waitUntil('the primary reports it', () => logged('a worker does not answer'));
    assert.equal(workerPid(gateway, 1), pid, 'it is not killed');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await allHealthy(gateway);
  await waitUntil('the primary hears it', () => logged('a worker answers again'));
  for (const [marker, upload] of uploads) if (!there.has(marker)) upload.finish();
  for (const marker of markers) {
    const { id } = await inJournal(gateway, marker, () => true);
    const { outcome } = (await gateway.document(id)).skilltape;
    assert.equal(outcome, there.has(marker) ? 'interrupted' : 'complete', marker);
  }
  await assertJournalIsIndexed(gateway);
  await assertArrivalsAreRecorded(gateway);
});

test('a frozen primary holds up no request: all are recorded, and indexed when it goes on', async () => {
  const stream = await openSlowStream(gateway, 'while the primary is frozen', headers);
  gateway.processor.process.kill('SIGSTOP');
  const ids: string[] = [];
  try {
    for (let count = 0; count < 20; count += 1) {
      // A container brings a session that the other worker is told of: also that does not wait for the primary for long.
      const tools = count % 4 === 0 ? { tools: [{ type: 'code_execution_20260521', name: 'code_execution' }] } : {};
      const answer = await gateway.post(messagesBody(`without the primary ${count}`, tools), headers);
      assert.equal(answer.status, 200);
      ids.push(answer.exchangeId);
    }
    const indexed = await wholeIndex(gateway.dataDirectory);
    assert.ok(ids.every((id) => !indexed.has(id)));
  } finally {
    gateway.processor.process.kill('SIGCONT');
  }
  for (const id of ids) assert.equal((await gateway.document(id)).skilltape.outcome, 'complete');
  stream.abort();
});
