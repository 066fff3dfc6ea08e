import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { findInJournal } from '../environment/journal-view.ts';
import type { RawCall } from '../environment/raw-call.ts';
import { openCall } from '../environment/raw-call.ts';
import { claudeError, inJournal, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { tellDisk } from '../fakes/serve-disk-control.ts';

const shipped = 'message_timeout: 30s';
const messageTimeoutMs = 800;

/** A disk that takes nothing for longer than Envoy waits for a chunk of an answer; Envoy's patience is short here. */
let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  gateway = await startTestGateway({
    serveScript: fileURLToPath(new URL('../fakes/serve-disk.ts', import.meta.url)),
    settings: { decisionTimeoutMs: 500 },
    changeEnvoyConfig(text) {
      assert.ok(text.includes(shipped));
      return text.replace(shipped, `message_timeout: ${messageTimeoutMs / 1_000}s`);
    },
  });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

for (const verb of ['write', 'sync'] as const) {
  test(`${verb}s that hang: a request is refused in time, and nothing of it is sent when the disk goes on`, async () => {
    const upstreamRequests = gateway.fake.requestCount();
    await tellDisk(gateway.directory, { do: 'hold', verb });
    const answer = await gateway.post(messagesBody(`refused while ${verb}s hang`), headers);
    assert.equal(answer.status, 503);
    const message = claudeError(answer.body, answer.headers.get('content-type'), ['overloaded_error']);
    assert.match(message, /in time/);
    await tellDisk(gateway.directory, { do: 'release' });
    const { skilltape } = await gateway.document(answer.exchangeId);
    assert.deepEqual([skilltape.outcome, skilltape.outcome_detail], ['refused', 'decision_timeout']);
    assert.equal((await gateway.post(messagesBody('after it'), headers)).status, 200);
    assert.equal(gateway.fake.requestCount(), upstreamRequests + 1);
  });
}

/** An event stream of which the caller has the first events; the next ones come at this pace. */
async function openStream(marker: string, pauseMs: number): Promise<RawCall> {
  const call = openCall(gateway, { headers });
  call.end(messagesBody(`[fake: large 1200] [fake: slow ${pauseMs}] ${marker}`, { stream: true }));
  assert.equal((await call.head).status, 200);
  await waitUntil('the first events', () => call.received().includes('content_block_delta'));
  return call;
}

test('writes that hang, and an answer of which no more comes for as long as Envoy waits: cut, and the record has what the caller got', async () => {
  const stream = await openStream('pauses while writes hang', 2 * messageTimeoutMs);
  await tellDisk(gateway.directory, { do: 'hold', verb: 'write' });
  assert.equal(await stream.over, 'cut');
  const refused = await gateway.post(messagesBody('meanwhile'), headers);
  assert.equal(refused.status, 503);
  await tellDisk(gateway.directory, { do: 'release' });
  const isFinished = ({ records }: { records: { kind: string }[] }) => records.at(-1)?.kind === 'finished';
  const entry = await inJournal(gateway, 'pauses while writes hang', isFinished);
  const { skilltape } = await gateway.document(entry.id);
  assert.equal(skilltape.outcome, 'cut', skilltape.outcome_detail);
  const end = entry.records.at(-1);
  const unanswered = end?.kind === 'finished' ? (end.finished.unansweredBytes ?? 0) : 0;
  assert.ok(unanswered > 0, 'the chunk that waited for the disk was recorded when it went on');
  assert.deepEqual(stream.received(), entry.answerBody.subarray(0, entry.answerBody.length - unanswered));
  assert.equal((await gateway.document(refused.exchangeId)).skilltape.outcome, 'refused');
});

test('writes that hang while an answer goes on: it waits, longer than Envoy waits for one chunk, and then comes whole', async () => {
  const stream = await openStream('goes on while writes hang', 50);
  await tellDisk(gateway.directory, { do: 'hold', verb: 'write' });
  const before = stream.received().length;
  // Envoy waits anew with each chunk: only a pause of the upstream lets it give up.
  await pause(2 * messageTimeoutMs);
  assert.ok(stream.received().length - before < 1_000, 'nothing passes that was not written');
  await tellDisk(gateway.directory, { do: 'release' });
  assert.equal(await stream.over, 'ended');
  const { id, answerBody } = await inJournal(gateway, 'goes on while writes hang', () => true);
  assert.deepEqual(stream.received(), answerBody);
  assert.equal((await gateway.document(id)).skilltape.outcome, 'complete');
});

test('a processor that is killed while pieces of an answer wait for the disk: none of them reaches the caller', async () => {
  for (let round = 0; round < 5; round += 1) {
    const marker = `waits when it is killed, ${round}`;
    const stream = await openStream(marker, 5);
    await tellDisk(gateway.directory, { do: 'hold', verb: 'write' });
    await pause(300);
    gateway.processor.process.kill('SIGKILL');
    assert.equal(await stream.over, 'cut');
    await gateway.processor.exited;
    const recorded = await findInJournal(gateway.dataDirectory, marker);
    const got = stream.received();
    assert.deepEqual(got, recorded?.answerBody.subarray(0, got.length), `${got.length} bytes`);
    await gateway.restartProcessor();
    await servedAgain(gateway, headers);
    assert.equal((await gateway.document(recorded?.id)).skilltape.outcome, 'interrupted');
  }
});

test('syncs that hang longer than Envoy waits: the end of an answer is held back, and the record does not say that it is whole', async () => {
  const call = await openStream('ends while syncs hang', 50);
  await tellDisk(gateway.directory, { do: 'hold', verb: 'sync' });
  assert.equal(await call.over, 'cut');
  assert.ok(!call.received().includes('message_stop'));
  await tellDisk(gateway.directory, { do: 'release' });
  const entry = await inJournal(gateway, 'ends while syncs hang', ({ answerBody }) =>
    answerBody.includes('message_stop'),
  );
  const { skilltape } = await gateway.document(entry.id);
  assert.equal(skilltape.outcome, 'cut', skilltape.outcome_detail);
});
