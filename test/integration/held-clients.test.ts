import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { denial } from '../builders/approval.ts';
import { type Ended, type HeldClient, heldClients } from '../environment/held-clients/clients.ts';
import { seenOf } from '../environment/held-clients/seen.ts';
import { type HeldStreams, startHeldStreams } from '../environment/held-streams.ts';

/** Longer holds, and the ways of clients with them, are in test/torture/held-clients.ts. */
const holdMs = 1_000;

const { clients, missing } = await heldClients();
let held: HeldStreams;
before(async () => {
  held = await startHeldStreams({ settings: { connections: { claude: { streamHolds: true }, sandbox: {} } } });
});
after(() => held[Symbol.asyncDispose]());

let prompts = 0;

/** Resolves when it is held. */
async function heldPrompt(client: HeldClient, connection: string) {
  prompts += 1;
  const marker = `heldprompt${prompts}x`;
  const ended = client.ask(held.gateway, connection, `${marker} ada@example.com`);
  return { marker, ended, ticket: await held.ticketOf(marker) };
}

async function assertEnded(how: { marker: string; ended: Promise<Ended> }, outcome: string, arrivals: number) {
  const ended = await how.ended;
  const attempts = ended.attempts ?? 1;
  assert.deepEqual(await seenOf(held, how.marker), { tickets: 1, outcomes: [outcome], arrivals }, ended.error ?? '');
  assert.equal(attempts, 1);
  return ended;
}

async function approvedDeniedAndForgotten(client: HeldClient, connection: string): Promise<void> {
  const [approved, denied, forgotten] = await Promise.all([0, 1, 2].map(() => heldPrompt(client, connection)));
  assert.ok(approved && denied && forgotten);
  await new Promise((resolve) => setTimeout(resolve, holdMs));
  assert.deepEqual(held.arrivals(approved.marker), []);
  held.approve(approved.ticket);
  held.tickets.decide(denied.ticket, denial(), Date.now());
  const { answer } = await assertEnded(approved, 'complete', 1);
  assert.match(
    answer ?? '',
    new RegExp(`You wrote: "[^]*${approved.marker} ada@example.com" I am only a fake.*help\\.$`),
  );
  const { error: reason } = await assertEnded(denied, 'denied', 0);
  assert.match(reason ?? '', /Denied by a person: not with production keys \(ticket t-/);
  // The time of what is still undecided is over.
  held.tickets.sweep(Date.now() + 24 * 3_600_000);
  const { error: late } = await assertEnded(forgotten, 'expired', 0);
  assert.match(late ?? '', /Nobody decided about this request in time \(ticket t-/);
}

for (const client of clients) {
  for (const connection of client.streams ? ['claude', 'sandbox'] : ['sandbox']) {
    const way = connection === 'claude' ? 'within its stream' : 'in silence';
    test(`${client.name}, held ${way}: approved it has its answer, denied the reason, forgotten it is told so, each by one attempt`, () =>
      approvedDeniedAndForgotten(client, connection));
  }
}

test('all clients were there', (t) => {
  if (missing.length > 0) t.skip(missing.join('; '));
});
