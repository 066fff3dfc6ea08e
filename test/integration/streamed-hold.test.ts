import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ticketsFile } from '../../extproc/approvals/places.ts';
import { type Ticket, Tickets } from '../../extproc/approvals/tickets.ts';
import { approval } from '../builders/approval.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { waitUntil } from '../environment/wait.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));
/** Whoever sends a mail address is held. */
const held = [{ when: {}, effect: 'hold', types: ['EMAIL'], places: ['messages'] }];

let gateway: TestGateway;
let tickets: Tickets;
before(async () => {
  gateway = await startTestGateway({
    keepBodies: true,
    settings: {
      policies: { directory: 'policies' },
      approvals: { streamed: { releaseSocket: 'release.sock', commentIntervalMs: 200 } },
      connections: { claude: { streamHolds: true } },
    },
    prepare(directory) {
      cpSync(shipped, join(directory, 'policies'), { recursive: true });
      writeFileSync(join(directory, 'policies/lists/findings/data.json'), JSON.stringify({ rules: held }));
    },
  });
  tickets = new Tickets(ticketsFile(gateway.dataDirectory));
});
after(async () => {
  tickets.close();
  await gateway.stop();
});

function question(marker: string): string {
  const messages = [{ role: 'user', content: `${marker}: write to ada@example.com` }];
  return JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 64, stream: true, messages });
}

async function begin(body: string, signal?: AbortSignal): Promise<Response> {
  const authorization = `Bearer ${await gateway.token()}`;
  const headers = { authorization, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
  const init = { method: 'POST', body, headers, signal };
  return (await gateway.fetch(`${gateway.url}/v1/messages`, init as never)) as Response;
}

function ticketsOf(marker: string): Ticket[] {
  return tickets.list('all', 5000, Date.now()).filter(({ summary }) => summary.excerpt.includes(marker));
}

async function ticketOf(marker: string): Promise<string> {
  await waitUntil(`a ticket for ${marker}`, async () => ticketsOf(marker).length > 0);
  const found = ticketsOf(marker);
  assert.equal(found.length, 1);
  return found[0]?.ticket ?? '';
}

function approve(ticket: string): void {
  assert.equal(tickets.decide(ticket, approval(), Date.now()).kind, 'recorded');
}

function arrivals(marker: string): string[] {
  return gateway.fake.requests.map(({ body }) => String(body)).filter((body) => body.includes(marker));
}

test('a held stream begins at once, and the answer follows when it is approved, byte for byte', async () => {
  const response = await begin(question('first'));
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  const ticket = await ticketOf('first');
  assert.deepEqual(arrivals('first'), []);
  approve(ticket);
  const text = await response.text();
  assert.ok(text.startsWith(`: held for an approval, ticket ${ticket}\n\n`));
  assert.match(text, /event: message_stop\ndata: .*\n\n$/);
  assert.deepEqual(arrivals('first'), [question('first')]);
  const document = await gateway.document(response.headers.get('x-skilltape-exchange'));
  assert.equal(document.skilltape.outcome, 'complete');
});
