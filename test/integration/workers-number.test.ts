import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { readJournal, readJournalOf } from '../environment/journal-view.ts';
import { Load } from '../environment/load.ts';
import { inJournal, openSlowStream, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { wholeIndex } from '../environment/whole-index.ts';
import { assertArrivalsAreRecorded, assertJournalIsIndexed } from '../environment/whole-record.ts';
import { isAlive, runningWorker } from '../environment/workers.ts';

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  // Envoy knows three places all the time; those without a worker are unhealthy.
  gateway = await startTestGateway({ workers: 3, keepBodies: true, settings: { drainMaxMs: 500 } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

/** Kills primary and workers with a stream open at each, and starts as many as said; all streams were interrupted. */
async function killedAndStartedWith(workers: number, before: number): Promise<void> {
  const markers = Array.from({ length: 2 * before }, (_, at) => `open before ${workers} ${at}`);
  const streams = await Promise.all(markers.map((marker) => openSlowStream(gateway, marker, headers)));
  const pids: number[] = [];
  for (let worker = 1; before > 1 && worker <= before; worker += 1) pids.push(await runningWorker(gateway, worker));
  for (const pid of [gateway.processor.pid, ...pids]) process.kill(pid, 'SIGKILL');
  await gateway.processor.exited;
  await waitUntil('all dead', () => pids.every((pid) => !isAlive(pid)));
  const config = parse(readFileSync(gateway.configFile, 'utf8')) as Record<string, unknown>;
  writeFileSync(gateway.configFile, stringify({ ...config, workers }), { mode: 0o600 });
  await gateway.restartProcessor();
  await servedAgain(gateway, headers);
  for (const stream of streams) assert.equal(await stream.over, 'cut');
  for (const marker of markers) {
    const { id } = await inJournal(gateway, marker, () => true);
    assert.equal((await gateway.document(id)).skilltape.outcome, 'interrupted');
  }
}

test('the number of workers changes from three to one to two, and nothing is lost, left open or indexed twice', async () => {
  const answered = new Set<string>();
  for (const [workers, before] of [
    [1, 3],
    [2, 1],
    [3, 2],
  ] as const) {
    await using load = new Load(gateway, headers);
    await waitUntil('answers', () => load.answered.size > 20);
    await load.stop();
    for (const id of load.answered) answered.add(id);
    await killedAndStartedWith(workers, before);
  }
  for (const worker of [1, 2, 3]) assert.ok((await readJournalOf(gateway.dataDirectory, worker)).length > 0);
  await assertJournalIsIndexed(gateway);
  await assertArrivalsAreRecorded(gateway);
  const indexed = await wholeIndex(gateway.dataDirectory);
  for (const id of answered) assert.equal(indexed.get(id)?.outcome, 'complete', id);
  assert.equal((await readJournal(gateway.dataDirectory)).length, indexed.size);
});
