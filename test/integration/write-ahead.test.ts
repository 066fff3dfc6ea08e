import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { constants, gunzipSync } from 'node:zlib';
import { messagesBody } from '../builders/messages-body.ts';
import { envoyStat, twoRounds } from '../environment/envoy-stats.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { JournalEntry } from '../environment/journal-view.ts';
import { findInJournal } from '../environment/journal-view.ts';
import type { RawCall } from '../environment/raw-call.ts';
import { openCall } from '../environment/raw-call.ts';
import { waitUntil } from '../environment/wait.ts';
import { tellDisk } from '../fakes/serve-disk-control.ts';

let gateway: TestGateway;
let authorization: string;
before(async () => {
  const serveScript = fileURLToPath(new URL('../fakes/serve-disk.ts', import.meta.url));
  // The disk stalls for longer than a decision may take.
  gateway = await startTestGateway({ serveScript, settings: { decisionTimeoutMs: 60_000 } });
  authorization = `Bearer ${await gateway.token()}`;
});
after(() => gateway.stop());
// A test that fails leaves no stalled disk to the next one.
afterEach(() => disk('release'));

const disk = (doing: 'hold' | 'pass' | 'release' | 'status') => tellDisk(gateway.directory, { do: doing });

/** Sends a request while the disk holds every sync, and comes back when all that is missing is the sync. */
async function sendUntilFirstSync(marker: string, text: string, stream: boolean): Promise<RawCall> {
  await disk('hold');
  const call = openCall(gateway, { headers: { authorization } });
  call.end(messagesBody(`${text} ${marker}`, { stream }));
  await waitUntil('an allowed request in the journal', async () => {
    const entry = await findInJournal(gateway.dataDirectory, marker);
    return entry?.allowed;
  });
  await waitUntil('a sync that waits', async () => (await disk('status')).held > 0);
  return call;
}

/** Lets go one sync at a time, until the upstream has the request; syncs of the answer wait from there on. */
async function passUntilUpstreamHasIt(requestsBefore: number): Promise<void> {
  await waitUntil('the request at the upstream', async () => {
    const { held } = await disk('status');
    // The upstream runs in this process: had it answered already, it would have counted the request.
    if (gateway.fake.requestCount() > requestsBefore) return true;
    if (held > 0) await disk('pass');
    return false;
  });
}

const allButLast = ({ answerPieces }: JournalEntry) => Buffer.concat(answerPieces.slice(0, -1));

// Envoy keeps what comes while the processor is asked about the head, and gives both on together: a whole answer that comes
// in that time has neither head nor body before the last sync. So its four pieces come over two seconds.
const cases = [
  { name: 'JSON of known length', stream: false, directives: '[fake: large 200000] [fake: slow 500]' },
  { name: 'an event stream', stream: true, directives: '[fake: slow 20]' },
] as const;

for (const { name, stream, directives } of cases) {
  test(`write ahead with ${name}: nothing upstream before the first sync, no end of the answer before the second`, async () => {
    const marker = `write-ahead-${stream}`;
    const requests = gateway.fake.requestCount();
    const connections = gateway.fake.acceptCount();
    const call = await sendUntilFirstSync(marker, directives, stream);
    await twoRounds(gateway.envoy);
    assert.equal(gateway.fake.requestCount(), requests);
    assert.equal(gateway.fake.acceptCount(), connections);
    assert.equal(await envoyStat(gateway.envoy, 'cluster.upstream_claude.upstream_rq_total'), requests);

    await passUntilUpstreamHasIt(requests);
    const head = await call.head;
    assert.equal(head.status, 200);
    const whole = await waitUntil('the end of the answer in the journal', async () => {
      const entry = await findInJournal(gateway.dataDirectory, marker);
      const ended = stream
        ? entry?.answerBody.includes('event: message_stop')
        : entry?.answerBody.length === Number(head.headers['content-length']);
      return ended && entry;
    });
    assert.ok(whole.answerPieces.length > 1, 'the answer came in one piece: the test shows nothing');
    await waitUntil('all but the last piece', () => call.received().length === allButLast(whole).length);
    await waitUntil('a sync that waits', async () => (await disk('status')).held > 0);
    await twoRounds(gateway.envoy);
    assert.deepEqual(call.received(), allButLast(whole));
    if (stream) assert.ok(!call.received().includes('message_stop'));

    await disk('release');
    assert.equal(await call.over, 'ended');
    assert.deepEqual(call.received(), whole.answerBody);
    const document = await gateway.document(whole.id);
    assert.equal(document.skilltape.outcome, 'complete');
  });
}

test('write ahead with a compressed event stream: each piece waits for its sync, since any may hold the end', async () => {
  const marker = 'write-ahead-gzip';
  const requests = gateway.fake.requestCount();
  const call = await sendUntilFirstSync(marker, '[fake: gzip] [fake: slow 20]', true);
  await twoRounds(gateway.envoy);
  assert.equal(gateway.fake.requestCount(), requests);
  await passUntilUpstreamHasIt(requests);
  assert.equal((await call.head).headers['content-encoding'], 'gzip');
  let steps = 0;
  const whole = await waitUntil('the end of the answer in the journal', async () => {
    if ((await disk('status')).held === 0) return false;
    const entry = await findInJournal(gateway.dataDirectory, marker);
    if (entry === undefined || entry.answerPieces.length === 0) {
      await disk('pass');
      return false;
    }
    assert.ok(call.received().length <= allButLast(entry).length, 'a piece passed before its sync');
    if (unzipped(entry.answerBody).includes('event: message_stop')) return entry;
    steps += 1;
    await disk('pass');
    return false;
  });
  assert.ok(steps > 1, 'the answer came in one piece: the test shows nothing');
  await twoRounds(gateway.envoy);
  assert.deepEqual(call.received(), allButLast(whole));
  assert.ok(!unzipped(call.received()).includes('message_stop'));
  await disk('release');
  assert.equal(await call.over, 'ended');
  assert.ok(unzipped(call.received()).includes('event: message_stop'));
  assert.equal((await gateway.document(whole.id)).skilltape.outcome, 'complete');
});

test('each exchange by itself costs at least two calls of fdatasync that succeeded', async () => {
  for (const stream of [false, true, false, true, false]) {
    const { fdatasyncs } = await disk('status');
    const answer = await gateway.post(messagesBody('count', { stream }), { authorization });
    assert.equal(answer.status, 200);
    const calls = (await disk('status')).fdatasyncs - fdatasyncs;
    assert.ok(calls >= 2, `${calls} calls of fdatasync for one exchange`);
  }
});

/** What a reader makes of the beginning of a compressed body. */
function unzipped(bytes: Buffer): string {
  return bytes.length === 0 ? '' : gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}
