import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { messagesBody } from '../builders/messages-body.ts';
import { twoRounds } from '../environment/envoy-stats.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { findInJournal } from '../environment/journal-view.ts';
import { openCall } from '../environment/raw-call.ts';
import { claudeError, inJournal, openSlowStream, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { tellDisk } from '../fakes/serve-disk-control.ts';
import type { DiskCommand } from '../fakes/serve-disk-faults.ts';

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  const serveScript = fileURLToPath(new URL('../fakes/serve-disk.ts', import.meta.url));
  gateway = await startTestGateway({ serveScript, settings: { decisionTimeoutMs: 500 } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

const disk = (command: DiskCommand) => tellDisk(gateway.directory, command);

/** The lines of the processor's log with this level (pino's numbers) since `from`. */
function logged(level: number, from: number): string[] {
  const lines = readFileSync(`${gateway.directory}/processor.log`, 'utf8').slice(from).split('\n');
  return lines.filter((line) => line.startsWith(`{"level":${level},`));
}

const logLength = () => readFileSync(`${gateway.directory}/processor.log`, 'utf8').length;

/**
 * A process that cannot trust its disk any more says so and ends; the next one recovers from what is there. Returns when
 * nothing of that is left to be written or synced, so that the next fault meets the next exchange alone.
 */
async function assertEndsAndRecovers(logFrom: number): Promise<void> {
  assert.equal(await gateway.processor.exited, 1);
  const fatal = await waitUntil('a fatal line in the log', () => logged(60, logFrom)[0]);
  assert.match(fatal, /journal/);
  await gateway.restartProcessor();
  const { exchangeId } = await servedAgain(gateway, headers);
  assert.equal((await gateway.document(exchangeId)).skilltape.outcome, 'complete');
  await waitUntil('all that was written to be synced', async () => (await disk({ do: 'status' })).unsynced === 0);
}

const faults: { name: string; fault: DiskCommand; isRecorded: boolean }[] = [
  { name: 'a failing write (EIO)', fault: { do: 'fail', verb: 'write', code: 'EIO' }, isRecorded: false },
  {
    name: 'a full disk that takes half a record (ENOSPC)',
    fault: { do: 'fail', verb: 'write', code: 'ENOSPC', takesBytes: 100 },
    isRecorded: false,
  },
  {
    name: 'a disk that became read-only (EROFS)',
    fault: { do: 'fail', verb: 'write', code: 'EROFS' },
    isRecorded: false,
  },
  { name: 'a failing sync (EIO)', fault: { do: 'fail', verb: 'sync', code: 'EIO' }, isRecorded: true },
];

for (const { name, fault, isRecorded } of faults) {
  test(`${name}: the request is refused, nothing goes upstream, the processor ends and recovers`, async () => {
    const upstreamRequests = gateway.fake.requestCount();
    const logFrom = logLength();
    await disk(fault);
    const marker = `faulty disk ${name}`;
    const answer = await gateway.post(messagesBody(marker), headers);
    assert.equal(answer.status, 503);
    claudeError(answer.body, answer.headers.get('content-type'), ['api_error', 'overloaded_error']);
    assert.equal(gateway.fake.requestCount(), upstreamRequests);
    await assertEndsAndRecovers(logFrom);
    assert.equal(gateway.fake.requestCount(), upstreamRequests + 1);
    const entry = await findInJournal(gateway.dataDirectory, marker);
    assert.equal(entry !== undefined, isRecorded);
    if (entry !== undefined) {
      const document = await gateway.document(entry.id);
      assert.equal(document.skilltape.outcome, 'interrupted');
    }
  });
}

test('a write that fails while an answer runs: the answer is cut, and the record says that it was interrupted', async () => {
  const logFrom = logLength();
  const call = await openSlowStream(gateway, 'cut by the disk', headers);
  await disk({ do: 'fail', verb: 'write', code: 'EIO' });
  assert.equal(await call.over, 'cut');
  await assertEndsAndRecovers(logFrom);
  const { id, answerBody } = await inJournal(gateway, 'cut by the disk', () => true);
  assert.equal((await gateway.document(id)).skilltape.outcome, 'interrupted');
  assert.deepEqual(call.received(), answerBody.subarray(0, call.received().length));
});

test('a disk on which syncs hang: refused when the decision took too long, and never sent later', async () => {
  const upstreamRequests = gateway.fake.requestCount();
  await disk({ do: 'hold' });
  const answer = await gateway.post(messagesBody('stalled disk'), headers);
  assert.equal(answer.status, 503);
  const message = claudeError(answer.body, answer.headers.get('content-type'), ['overloaded_error']);
  assert.match(message, /in time/);
  await disk({ do: 'release' });
  await twoRounds(gateway.envoy);
  assert.equal(gateway.fake.requestCount(), upstreamRequests);
  const document = await gateway.document(answer.exchangeId);
  assert.equal(document.skilltape.outcome, 'refused');
  assert.equal(document.skilltape.outcome_detail, 'decision_timeout');
});

test('a denial that cannot be synced in time is given all the same, not held back for as long as the disk likes', async () => {
  const upstreamRequests = gateway.fake.requestCount();
  await disk({ do: 'hold' });
  try {
    const call = openCall(gateway, { headers: {} });
    call.end(messagesBody('nobody'));
    const waited = Symbol('waited');
    const late = twoRounds(gateway.envoy).then(() => twoRounds(gateway.envoy).then(() => waited));
    const head = await Promise.race([call.head, late]);
    assert.ok(typeof head === 'object', 'the caller still waits after four health checks');
    assert.ok(head.status === 401 || head.status === 503, `status ${head.status}`);
  } finally {
    await disk({ do: 'release' });
  }
  assert.equal(gateway.fake.requestCount(), upstreamRequests);
});

test('a disk on which each write takes a second: answers come slower, whole, and are recorded as they came', async () => {
  await disk({ do: 'slow', ms: 1_000 });
  try {
    const call = openCall(gateway, { headers });
    call.end(messagesBody('[fake: large 2000] slow disk', { stream: true }));
    // The decision has half a second here, which a write of a second takes: refused, as the answer says.
    assert.equal((await call.head).status, 503);
    await disk({ do: 'slow', ms: 0 });
    // A slow write that has begun is still under way.
    await servedAgain(gateway, headers);
    const patient = openCall(gateway, { headers });
    patient.end(messagesBody('[fake: slow 100] patient disk', { stream: true }));
    assert.equal((await patient.head).status, 200);
    await disk({ do: 'slow', ms: 1_500 });
    assert.equal(await patient.over, 'ended');
    const { id, answerBody } = await inJournal(gateway, 'patient disk', () => true);
    assert.deepEqual(patient.received(), answerBody);
    await disk({ do: 'slow', ms: 0 });
    assert.equal((await gateway.document(id)).skilltape.outcome, 'complete');
  } finally {
    await disk({ do: 'slow', ms: 0 });
  }
});
