import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { approval } from '../builders/approval.ts';
import { type HeldStreams, heldQuestion, readAll, startHeldStreams } from '../environment/held-streams.ts';
import { findInJournal } from '../environment/journal-view.ts';
import { servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { tellDisk } from '../fakes/serve-disk-control.ts';

let held: HeldStreams;
let headers: { authorization: string };
before(async () => {
  const serveScript = fileURLToPath(new URL('../fakes/serve-disk.ts', import.meta.url));
  held = await startHeldStreams({ serveScript });
  headers = { authorization: `Bearer ${await held.gateway.token()}` };
});
after(() => held[Symbol.asyncDispose]());

test('what nobody decides in time ends with an error that says so, and is recorded as expired', async () => {
  const response = await held.begin(heldQuestion('nobody'));
  const ticket = await held.ticketOf('nobody');
  // The time of all tickets is over.
  held.tickets.sweep(Date.now() + 24 * 3_600_000);
  const { text, isWhole } = await readAll(response);
  assert.ok(isWhole);
  assert.match(text, /event: error\ndata: .*Nobody decided about this request in time.*dlp_request_denied.*\n\n$/);
  const document = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
  assert.equal(document.skilltape.outcome, 'expired');
  const late = held.tickets.decide(ticket, approval(), Date.now());
  assert.deepEqual([late.kind, late.kind === 'refused' && late.state], ['refused', 'expired']);
  assert.deepEqual(held.arrivals('nobody'), []);
});

test('a processor that is killed while 50 streams are held: none is forwarded, each breaks, and retries join their tickets', async () => {
  const count = 50;
  const bodies = Array.from({ length: count }, (_, at) => heldQuestion(`kill-${at}-`));
  const responses = await Promise.all(bodies.map((body) => held.begin(body)));
  const reading = responses.map(readAll);
  await waitUntil('all are held', () => held.ticketsOf('kill-').length === count);
  held.gateway.processor.process.kill('SIGKILL');
  for (const { isWhole, text } of await Promise.all(reading)) {
    assert.equal(isWhole, false);
    assert.match(text, /^(?:: held for an approval, ticket t-[^\n]*\n\n)+$/);
  }
  await held.gateway.restartProcessor();
  await servedAgain(held.gateway, headers);
  assert.deepEqual(held.arrivals('kill-'), []);
  for (const { state } of held.tickets.list('all', 10_000, Date.now())) {
    if (state.kind !== 'expired') assert.equal(state.kind, 'pending');
  }
  const again = await Promise.all(bodies.map((body) => held.begin(body)));
  for (const { ticket } of held.ticketsOf('kill-')) held.approve(ticket);
  for (const { text } of await Promise.all(again.map(readAll))) assert.match(text, /event: message_stop\n/);
  assert.equal(held.ticketsOf('kill-').length, count);
  assert.deepEqual(held.arrivals('kill-').sort(), [...bodies].sort());
  const id = responses[0]?.headers.get('x-skilltape-exchange');
  assert.equal((await held.gateway.document(id)).skilltape.outcome, 'interrupted');
});

test('a processor that is told to stop ends each held stream with an error that asks to come again', async () => {
  const response = await held.begin(heldQuestion('stopping'));
  await held.ticketOf('stopping');
  const reading = readAll(response);
  await held.gateway.restartProcessor();
  const { text, isWhole } = await reading;
  assert.ok(isWhole);
  assert.match(text, /event: error\ndata: .*"overloaded_error".*waits for an approval \(ticket t-.*\n\n$/);
  await servedAgain(held.gateway, headers);
  const again = await held.begin(heldQuestion('stopping'));
  held.approve(await held.ticketOf('stopping'));
  assert.match((await readAll(again)).text, /message_stop/);
  assert.deepEqual([held.ticketsOf('stopping').length, held.arrivals('stopping').length], [1, 1]);
});

test('a journal that fails while people are asked: the stream is cut, and nothing goes upstream', async () => {
  const response = await held.begin(heldQuestion('faulty hold'));
  await held.ticketOf('faulty hold');
  await tellDisk(held.gateway.directory, { do: 'fail', verb: 'write', code: 'EIO' });
  assert.equal((await readAll(response)).isWhole, false);
  assert.equal(await held.gateway.processor.exited, 1);
  await held.gateway.restartProcessor();
  await servedAgain(held.gateway, headers);
  assert.deepEqual(held.arrivals('faulty hold'), []);
});

test('a journal that fails within the answer: what was recorded was given, and no more', async () => {
  const response = await held.begin(heldQuestion('[fake: slow 200] faulty answer'));
  held.approve(await held.ticketOf('faulty answer'));
  const reading = readAll(response);
  await waitUntil('it is released', () => held.arrivals('faulty answer').length === 1);
  await new Promise((resolve) => setTimeout(resolve, 700));
  await tellDisk(held.gateway.directory, { do: 'fail', verb: 'write', code: 'EIO' });
  const { text, isWhole } = await reading;
  assert.equal(isWhole, false);
  assert.match(text, /message_start/);
  assert.doesNotMatch(text, /message_stop/);
  assert.equal(await held.gateway.processor.exited, 1);
  await held.gateway.restartProcessor();
  await servedAgain(held.gateway, headers);
  const entry = await findInJournal(held.gateway.dataDirectory, 'faulty answer');
  assert.ok(entry?.answerBody.toString().startsWith(text));
  assert.equal(held.arrivals('faulty answer').length, 1);
});
