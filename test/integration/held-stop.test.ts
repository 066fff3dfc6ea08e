/** Held requests of a gateway with two workers that loses its primary: the old workers end, and new ones come. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { type HeldStreams, startHeldStreams } from '../environment/held-streams.ts';
import { openHalfUpload, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

let held: HeldStreams;
let headers: { authorization: string };
before(async () => {
  held = await startHeldStreams({ workers: 2, approvals: { holdMaxMs: 60_000 } });
  headers = { authorization: `Bearer ${await held.gateway.token()}` };
});
after(() => held[Symbol.asyncDispose]());

function timesDraining(): number {
  return readFileSync(join(held.gateway.directory, 'processor.log'), 'utf8').split('"primary_gone"').length - 1;
}

test('a killed primary: who is held, and who comes while the old workers end, is told its ticket; retries find what was decided meanwhile', async () => {
  const { gateway } = held;
  const markers = [1, 2, 3, 4].map((at) => `write to ada@example.com, late-${at}-`);
  const waiting = held.begin(messagesBody('write to ada@example.com, early-1-'));
  await held.ticketOf('early-1-');
  const uploads = await Promise.all(markers.map((marker) => openHalfUpload(gateway, marker, headers)));
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
  await waitUntil('both workers drain', () => timesDraining() === 2);
  for (const upload of uploads) upload.finish();
  const told = await Promise.all(
    uploads.map(async (upload) => {
      const { status } = await upload.head;
      assert.equal(await upload.over, 'ended');
      return { status, text: String(upload.received()) };
    }),
  );
  const early = await waiting;
  for (const { status, text } of [...told, { status: early.status, text: await early.text() }]) {
    assert.equal(status, 429);
    assert.match(text, /waits for an approval \(ticket t-/);
  }
  const tickets = [...held.ticketsOf('late-'), ...held.ticketsOf('early-')];
  assert.deepEqual(
    tickets.map(({ state }) => state.kind),
    Array.from({ length: 5 }, () => 'pending'),
  );
  for (const { ticket } of tickets) held.approve(ticket);
  await gateway.restartProcessor();
  await servedAgain(gateway, headers);
  assert.deepEqual([...held.arrivals('late-'), ...held.arrivals('early-')], []);
  const bodies = markers.map((marker) => messagesBody(`${marker} then the rest of it`));
  for (const body of [...bodies, messagesBody('write to ada@example.com, early-1-')]) {
    assert.equal((await held.begin(body)).status, 200);
    assert.equal(held.arrivals(body).length, 1);
  }
});
