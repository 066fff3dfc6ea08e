import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Outcome } from '../../extproc/exchange/outcome.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { envoyStat } from '../environment/envoy-stats.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { JournalEntry } from '../environment/journal-view.ts';
import type { RawCall } from '../environment/raw-call.ts';
import { openCall } from '../environment/raw-call.ts';
import { inJournal, openSlowStream } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { tellDisk } from '../fakes/serve-disk-control.ts';

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  const serveScript = fileURLToPath(new URL('../fakes/serve-disk.ts', import.meta.url));
  gateway = await startTestGateway({ serveScript, settings: { decisionTimeoutMs: 60_000 } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

function send(text: string, more: Record<string, unknown> = {}): RawCall {
  const call = openCall(gateway, { headers });
  call.end(messagesBody(text, more));
  return call;
}

type Ending = { outcome: Outcome; detail?: RegExp; status: number | null };

/** The document in the index tells the truth, and the journal has what the caller got. */
async function assertEnding(marker: string, call: RawCall, expected: Ending): Promise<JournalEntry> {
  const isFinished = ({ records }: JournalEntry) => records.some(({ kind }) => kind === 'finished');
  const entry = await inJournal(gateway, marker, isFinished);
  assert.equal(entry.records.filter(({ kind }) => kind === 'finished').length, 1);
  const document = await gateway.document(entry.id);
  assert.equal(document.skilltape.outcome, expected.outcome);
  if (expected.detail !== undefined) assert.match(document.skilltape.outcome_detail, expected.detail);
  assert.equal(document.http.response.status_code, expected.status);
  assert.equal(document.http.response.body.bytes, entry.answerBody.length);
  assert.equal(document.event.outcome, expected.outcome === 'complete' ? 'success' : 'failure');
  // Of an answer that was broken off, the last pieces may be recorded and never have reached the caller.
  const got = call.received();
  assert.deepEqual(got, entry.answerBody.subarray(0, got.length));
  return entry;
}

const untilTheEnd: { name: string; text: string; more?: Record<string, unknown>; over: 'ended'; ending: Ending }[] = [
  { name: 'a whole JSON answer', text: 'whole json', over: 'ended', ending: { outcome: 'complete', status: 200 } },
  {
    name: 'a whole event stream',
    text: 'whole stream',
    more: { stream: true },
    over: 'ended',
    ending: { outcome: 'complete', status: 200 },
  },
  {
    name: 'a whole compressed event stream',
    text: '[fake: gzip] whole zipped stream',
    more: { stream: true },
    over: 'ended',
    ending: { outcome: 'complete', status: 200 },
  },
  {
    name: 'an event stream that ends cleanly but before its end',
    text: '[fake: truncate] short stream',
    more: { stream: true },
    over: 'ended',
    ending: { outcome: 'upstream_aborted', status: 200 },
  },
  {
    name: 'a compressed event stream that ends cleanly but before its end',
    text: '[fake: truncate] [fake: gzip] short zipped stream',
    more: { stream: true },
    over: 'ended',
    ending: { outcome: 'upstream_aborted', status: 200 },
  },
  {
    name: 'an error status of the upstream',
    text: '[fake: error 529] overloaded',
    over: 'ended',
    ending: { outcome: 'upstream_error', status: 529 },
  },
  {
    name: 'an error event inside a stream',
    text: '[fake: midstream_error] broken inside',
    more: { stream: true },
    over: 'ended',
    ending: { outcome: 'upstream_error', status: 200 },
  },
];

for (const { name, text, more, over, ending } of untilTheEnd) {
  test(`${name} is recorded as ${ending.outcome}, with every byte that the caller got`, async () => {
    const call = send(text, more);
    assert.equal(await call.over, over);
    const { answerBody } = await assertEnding(text, call, ending);
    assert.deepEqual(call.received(), answerBody);
  });
}

test('a denial and a refusal are recorded as such, with the status that the caller got', async () => {
  const denied = send('denied by its model', { model: 'claude-mythos-1' });
  assert.equal(await denied.over, 'ended');
  const { records } = await inJournal(gateway, 'denied by its model', () => true);
  const id = records[0]?.exchangeId;
  const document = await gateway.document(id);
  assert.equal(document.skilltape.outcome, 'denied');
  assert.equal(document.skilltape.verdict.decision, 'deny');
  assert.equal(document.http.response.status_code, (await denied.head).status);
  const refused = await gateway.post('{"refused"', headers);
  assert.equal((await gateway.document(refused.exchangeId)).skilltape.outcome, 'refused');
});

test('a caller who leaves while the request is held: client_aborted, and the request is never sent', async () => {
  const requests = gateway.fake.requestCount();
  await tellDisk(gateway.directory, { do: 'hold' });
  const call = send('left while held');
  await inJournal(gateway, 'left while held', ({ allowed }) => allowed);
  const streamsOpen = await open();
  call.abort();
  // Envoy has told the processor before the disk goes on.
  await waitUntil('Envoy giving the request up', async () => (await open()) < streamsOpen);
  await tellDisk(gateway.directory, { do: 'release' });
  await assertEnding('left while held', call, { outcome: 'client_aborted', status: null });
  assert.equal(gateway.fake.requestCount(), requests);
});

async function open(): Promise<number> {
  return envoyStat(gateway.envoy, 'http.gateway.downstream_rq_active');
}

test('a caller who leaves in the middle of the upload: client_aborted', async () => {
  const call = openCall(gateway, { headers: { ...headers, 'content-length': 1000 } });
  call.write('{"left in the middle');
  await inJournal(gateway, 'left in the middle', () => true);
  call.abort();
  const entry = await assertEnding('left in the middle', call, { outcome: 'client_aborted', status: null });
  assert.equal(entry.requestBody.toString(), '{"left in the middle');
});

test('a caller who leaves before an answer comes: client_aborted', async () => {
  const requests = gateway.fake.requestCount();
  const call = send('[fake: hang] left before the answer');
  await gateway.fake.waitForRequest(requests + 1);
  call.abort();
  await assertEnding('left before the answer', call, { outcome: 'client_aborted', status: null });
});

test('a caller who leaves in the middle of an answer: client_aborted', async () => {
  const call = await openSlowStream(gateway, 'left inside the answer', headers);
  call.abort();
  await assertEnding('left inside the answer', call, { outcome: 'client_aborted', detail: /^DC /, status: 200 });
});

for (const stream of [true, false]) {
  const kind = stream ? 'event stream' : 'JSON answer';
  test(`an upstream that breaks the connection inside its ${kind}: upstream_aborted, cut for the caller too`, async () => {
    const text = `[fake: reset] [fake: large 40000] [fake: slow 50] reset inside the ${kind}`;
    const call = send(text, { stream });
    assert.equal(await call.over, 'cut');
    await assertEnding(`reset inside the ${kind}`, call, { outcome: 'upstream_aborted', detail: /^U/, status: 200 });
  });
}

test('an upstream that breaks the connection with its first bytes: upstream_aborted, and no whole answer for the caller', async () => {
  const call = send('[fake: reset] reset at once', { stream: true });
  // Envoy may give the answer up before it passed on any of it, and then replies itself without showing us.
  if ((await call.over) === 'ended') assert.equal((await call.head).status, 502);
  const entry = await inJournal(gateway, 'reset at once', ({ records }) => records.at(-1)?.kind === 'finished');
  assert.equal((await gateway.document(entry.id)).skilltape.outcome, 'upstream_aborted');
  assert.ok(!call.received().includes('message_stop'));
});

test('an upstream that breaks the connection before it answers: upstream_error, with the reply of Envoy', async () => {
  const call = send('[fake: reset-before-headers] reset before');
  assert.equal(await call.over, 'ended');
  const { status } = await call.head;
  assert.ok(status === 502 || status === 503, `status ${status}`);
  const { answerBody } = await assertEnding('reset before', call, {
    outcome: 'upstream_error',
    detail: /reset/,
    status,
  });
  assert.deepEqual(call.received(), answerBody);
});

test('an upstream that cannot be reached: upstream_error, with the reply of Envoy', async () => {
  await gateway.fake.close();
  const call = send('nobody there');
  assert.equal(await call.over, 'ended');
  const { status } = await call.head;
  assert.equal(status, 503);
  const { answerBody } = await assertEnding('nobody there', call, {
    outcome: 'upstream_error',
    detail: /upstream_reset_before_response_started/,
    status,
  });
  assert.deepEqual(call.received(), answerBody);
});
