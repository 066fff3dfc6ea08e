import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ticketsFile } from '../../extproc/approvals/places.ts';
import { Tickets } from '../../extproc/approvals/tickets.ts';
import { denial } from '../builders/approval.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { type Receiver, startReceiver } from '../environment/receiver.ts';
import { waitUntil } from '../environment/wait.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));
const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

let gateway: TestGateway;
let program: Receiver;
let isDown = false;
before(async () => {
  program = await startReceiver((response) => void response.writeHead(isDown ? 503 : 200).end());
  gateway = await startTestGateway({
    workers: 2,
    settings: {
      policies: { directory: 'policies' },
      operations: { enabled: true, port: 0 },
      approvals: {
        holdMaxMs: 5_000,
        notify: { targets: { program: { kind: 'webhook', urlFile: 'hook-url', secretFile: 'hook-secret' } } },
      },
    },
    prepare(directory) {
      cpSync(shipped, join(directory, 'policies'), { recursive: true });
      const rules = [{ when: {}, effect: 'hold', types: ['EMAIL'], places: ['messages'] }];
      writeFileSync(join(directory, 'policies/lists/findings/data.json'), JSON.stringify({ rules }));
      writeFileSync(join(directory, 'hook-url'), program.url, { mode: 0o600 });
      writeFileSync(join(directory, 'hook-secret'), secret, { mode: 0o600 });
    },
  });
});
after(async () => {
  await gateway.stop();
  await program.close();
});

async function hold(marker: string) {
  const messages = [{ role: 'user', content: `${marker}: write to ada@example.com` }];
  const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 64, messages });
  return gateway.post(body, { authorization: `Bearer ${await gateway.token()}` });
}

const told = () => program.received.map(({ headers, body }) => ({ id: headers['webhook-id'], ...JSON.parse(body) }));

/** Listed by a store that is closed again, as a command does. */
function newestTicket(): string {
  const tickets = new Tickets(ticketsFile(gateway.dataDirectory));
  const [newest] = tickets.list('all', 1, Date.now());
  tickets.close();
  return newest?.ticket ?? '';
}

test('people are told of a held request once, whichever worker has it', async () => {
  const answers = [hold('one'), hold('two')];
  await waitUntil('both are told of', () => told().length === 2);
  for (const { status } of await Promise.all(answers)) assert.equal(status, 429);
  assert.equal(new Set(told().map(({ data }) => data.ticket)).size, 2);
  assert.doesNotMatch(JSON.stringify(told()), /alice|ada|write to/);
});

test('a target that is away is told when it is back, also after a kill of the processor, and then of the decision', async () => {
  isDown = true;
  const answer = hold('three').catch(() => null);
  await waitUntil('it was tried', () => told().length > 2);
  const ticket = newestTicket();
  gateway.processor.process.kill('SIGKILL');
  await answer;
  await gateway.restartProcessor();
  isDown = false;
  const { id } = told().at(-1) ?? {};
  const before = told().length;
  await waitUntil('it is told', () => told().length > before && told().at(-1)?.id === id, 60_000);
  const tickets = new Tickets(ticketsFile(gateway.dataDirectory));
  tickets.decide(ticket, denial(), Date.now());
  tickets.close();
  await waitUntil('the decision is told', () => told().at(-1)?.type === 'approval.decided');
  const { stdout } = await skilltape(['approvals', ticket, '--config', gateway.configFile]);
  assert.match(stdout, /notified program of opened/);
  const log = readFileSync(join(gateway.directory, 'processor.log'), 'utf8');
  assert.doesNotMatch(log, /hook|ada@/);
});
