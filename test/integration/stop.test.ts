import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stopsFile } from '../../extproc/stops/places.ts';
import { Stops } from '../../extproc/stops/stops.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { skilltape } from '../environment/command.ts';
import { twoRounds } from '../environment/envoy-stats.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { readJournalOf } from '../environment/journal-view.ts';
import { openCall } from '../environment/raw-call.ts';
import { claudeError, inJournal, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { allHealthy } from '../environment/workers.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));
const secret = `sk-ant-api03-${'A1b2'.repeat(20)}`;
const reason = 'it reads what it must not read';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({
    workers: 2,
    keepBodies: true,
    settings: { policies: { directory: 'policies' }, approvals: { holdMaxMs: 60_000 } },
    prepare(directory) {
      cpSync(shipped, join(directory, 'policies'), { recursive: true });
      const rules = [{ when: {}, effect: 'hold', types: ['EMAIL'], places: ['messages'] }];
      writeFileSync(join(directory, 'policies/lists/findings/data.json'), JSON.stringify({ rules }));
      const file = join(directory, 'policies/lists/console/data.json');
      const { limits } = JSON.parse(readFileSync(file, 'utf8'));
      const operators = [{ actions: ['stop', 'tail'], uids: [process.getuid?.() ?? -1] }];
      writeFileSync(file, JSON.stringify({ operators, limits }));
    },
  });
});
after(() => gateway.stop());

const cli = (...args: string[]) => skilltape([...args, '--config', gateway.configFile]);

async function open(text: string, session: string, more: Record<string, unknown> = {}) {
  const authorization = `Bearer ${await gateway.token()}`;
  const call = openCall(gateway, { headers: { authorization, 'x-claude-code-session-id': session } });
  call.end(messagesBody(text, more));
  return call;
}

async function slowStream(marker: string, session: string) {
  const call = await open(`[fake: large 9000] [fake: slow 50] ${marker}`, session, { stream: true });
  const { headers } = await call.head;
  await waitUntil('the first events', () => call.received().includes('content_block_delta'));
  const exchange = String(headers['x-skilltape-exchange']);
  return { call, exchange, session: String(headers['x-skilltape-session']) };
}

async function answer(marker: string, session: string) {
  const call = await open(marker, session);
  const head = await call.head;
  await call.over;
  return { ...head, body: call.received() };
}

const arrived = (marker: string) => gateway.fake.requests.filter(({ body }) => String(body).includes(marker)).length;

test('an exchange is stopped within its answer: it ends now, its record says by whom, and its session goes on', async () => {
  const { call, exchange } = await slowStream('within', 'one');
  const { status, stdout, stderr } = await cli('stop', exchange, '--reason', reason);
  assert.deepEqual([status, stdout, stderr], [0, `Ended: ${exchange}\n`, '']);
  assert.equal(await call.over, 'cut');
  const { skilltape: document } = await gateway.document(exchange);
  assert.equal(document.outcome, 'stopped');
  assert.match(document.outcome_detail, /^stopped by .* \(uid \d+\): it reads what it must not read$/);
  assert.equal((await answer('after it', 'one')).status, 200);
  const { stdout: looks } = await cli('looks', '--json');
  assert.ok(looks.includes(`stop exchange ${exchange}`));
});

test('a request that Claude has not answered yet is answered by a refusal that no client sends again', async () => {
  const call = await open('[fake: hang] unanswered', 'two');
  await waitUntil('it is upstream', () => arrived('unanswered') === 1);
  const { id } = await inJournal(gateway, 'unanswered', () => true);
  const { status } = await cli('stop', id, '--reason', reason);
  assert.equal(status, 0);
  const { status: code, headers } = await call.head;
  assert.equal(code, 403);
  assert.equal(headers['x-should-retry'], 'false');
  assert.equal(await call.over, 'ended');
  assert.match(
    claudeError(call.received(), headers['content-type'], ['permission_error']),
    /Stopped by an operator: it reads/,
  );
  assert.equal((await gateway.document(id)).skilltape.outcome, 'stopped');
});

test('a session is stopped at all workers: what runs or is held of it ends, what comes is refused, until it is lifted', async () => {
  const running = await Promise.all([1, 2, 3, 4, 5, 6].map((at) => slowStream(`running ${at}`, 'three')));
  const held = await open('held: write to ada@example.com', 'three');
  const other = await slowStream('of another session', 'four');
  const { id: heldId } = await inJournal(gateway, 'held: write', () => true);
  await waitUntil('it is held', async () => (await cli('approvals', '--json')).stdout.includes(heldId));
  const session = running[0]?.session ?? '';
  const { stdout } = await cli('stop', '--session', session, '--reason', reason);
  for (const { call, exchange } of running) {
    assert.equal(await call.over, 'cut');
    assert.ok(stdout.includes(exchange));
  }
  assert.ok(stdout.includes(heldId));
  assert.equal((await held.head).status, 403);
  assert.equal(arrived('held: write'), 0);
  assert.equal(new Set(await Promise.all(running.map(({ exchange }) => workerOf(exchange)))).size, 2);
  for (let at = 0; at < 6; at += 1) {
    const { status, headers, body } = await answer(`refused ${at}`, 'three');
    assert.equal(status, 403);
    assert.match(
      claudeError(body, headers['content-type'], ['permission_error']),
      /session was stopped by an operator/,
    );
  }
  assert.equal(arrived('refused'), 0);
  const { exchange } = other;
  assert.equal((await cli('stop', exchange, '--reason', reason)).status, 0, 'it ran on until then');
  await survives(session);
});

async function workerOf(exchange: string): Promise<number> {
  const own = await readJournalOf(gateway.dataDirectory, 1);
  return own.some(({ id }) => id === exchange) ? 1 : 2;
}

/** A kill of all processes changes nothing; lifting does. */
async function survives(session: string): Promise<void> {
  gateway.processor.process.kill('SIGKILL');
  await gateway.restartProcessor();
  await allHealthy(gateway);
  await twoRounds(gateway.envoy);
  await servedAgain(gateway, { authorization: `Bearer ${await gateway.token()}` });
  for (let at = 0; at < 4; at += 1) assert.equal((await answer('still refused', 'three')).status, 403);
  assert.equal(arrived('still refused'), 0);
  const { stdout } = await cli('stop', '--list');
  assert.ok(stdout.startsWith(session));
  assert.equal((await cli('stop', '--session', session, '--lift', '--reason', 'it was a mistake')).status, 0);
  await waitUntil('both workers know', async () => {
    const statuses = await Promise.all([1, 2, 3, 4].map(() => answer('lifted', 'three')));
    return statuses.every(({ status }) => status === 200);
  });
}

test('a session is followed as its exchanges come into the index, masked', async () => {
  const { headers } = await answer('before anybody looks', 'six');
  const exchange = String(headers['x-skilltape-exchange']);
  await gateway.document(exchange);
  const session = String(headers['x-skilltape-session']);
  const mainScript = fileURLToPath(new URL('../../extproc/main.ts', import.meta.url));
  const args = [mainScript, 'tail', '--session', session, '--reason', reason, '--config', gateway.configFile];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let shown = '';
  child.stdout.on('data', (chunk) => {
    shown += chunk;
  });
  try {
    await waitUntil('it follows', async () => (await cli('looks', '--json')).stdout.includes(`session: ${session}`));
    await waitUntil('it is shown', async () => {
      await answer(`${secret} \u001b[31m`, 'six');
      return /\[[A-Z_]+:[0-9a-f]{6}/.test(shown);
    });
  } finally {
    child.kill('SIGINT');
  }
  assert.deepEqual(await ended, [0, null]);
  for (const absent of [secret, '\u001b', 'before anybody looks']) assert.ok(!shown.includes(absent), absent);
});

test('whoever is not listed stops nothing, and what does not run is told so', async () => {
  const file = join(gateway.directory, 'policies/lists/console/data.json');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace('"stop"', '"decide"'));
  const refused = await cli('stop', '--session', 's-none', '--reason', reason);
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /not among the operators/);
  writeFileSync(file, before);
  const stops = new Stops(stopsFile(gateway.dataDirectory));
  assert.deepEqual(stops.stopped(), []);
  stops.close();
  const none = await cli('stop', '01900000-0000-7000-8000-000000000000', '--reason', reason);
  assert.deepEqual([none.status, none.stdout], [1, 'Nothing of it ran.\n']);
  assert.equal((await cli('stop', '--session', 'x')).status, 2, 'without a reason');
  assert.equal((await cli('stop', 'x', '--session', 'y', '--reason', reason)).status, 2);
});
