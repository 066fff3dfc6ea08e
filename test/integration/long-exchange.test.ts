import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { type HeldStreams, heldQuestion, readAll, startHeldStreams } from '../environment/held-streams.ts';

/** Envoy forgets its client of the processor after 50 s without a new exchange; `envoy/envoy.yaml` says what came of it. */
const longerThanEnvoyKeepsMs = 55_000;

let held: HeldStreams;
before(async () => {
  held = await startHeldStreams({ settings: { connections: { claude: { streamHolds: true }, sandbox: {} } } });
});
after(() => held[Symbol.asyncDispose]());

test('exchanges that outlast all others by a minute end well, and Envoy with them', async () => {
  const { gateway } = held;
  const authorization = `Bearer ${await gateway.token()}`;
  const streamed = await held.begin(heldQuestion('lonely stream'));
  const silent = gateway.post(
    heldQuestion('lonely wait', { stream: false }),
    { authorization },
    '/sandbox/v1/messages',
  );
  const tickets = [await held.ticketOf('lonely stream'), await held.ticketOf('lonely wait')];
  await new Promise((resolve) => setTimeout(resolve, longerThanEnvoyKeepsMs));
  for (const ticket of tickets) held.approve(ticket);
  const { isWhole, text } = await readAll(streamed);
  assert.ok(isWhole);
  assert.match(text, /event: message_stop\n/);
  assert.equal((await silent).status, 200);
  for (const path of ['/v1/messages', '/sandbox/v1/messages']) {
    assert.equal((await gateway.post(messagesBody('after it'), { authorization }, path)).status, 200);
  }
});
