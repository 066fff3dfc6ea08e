import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { envoyStat, twoRounds } from '../environment/envoy-stats.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { RawCall } from '../environment/raw-call.ts';
import { openCall } from '../environment/raw-call.ts';
import { claudeError, inJournal, openHalfUpload, openSlowStream, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

/** The requirement: who has been told nothing yet is told within this time that the gateway cannot help. */
const refusalMaxMs = 3_000;

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  gateway = await startTestGateway({ settings: { drainMaxMs: 500 } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

type Scene = { name: string; held: RawCall; streaming: RawCall; upstreamRequests: number };

/** One request whose upload is half done and one answer half given. */
async function openScene(name: string): Promise<Scene> {
  const streaming = await openSlowStream(gateway, `${name}-streaming`, headers);
  const held = await openHalfUpload(gateway, `${name}-held`, headers);
  return { name, held, streaming, upstreamRequests: gateway.fake.requestCount() };
}

async function assertRefused(call: RawCall): Promise<void> {
  const head = await call.head;
  assert.equal(head.status, 503);
  assert.equal(await call.over, 'ended');
  claudeError(call.received(), head.headers['content-type'], ['api_error', 'overloaded_error']);
}

/** Everybody hears of it in time: the held one, a new one, and the one whose answer runs. */
async function assertClosed(scene: Scene, sinceMs: number): Promise<void> {
  const fresh = openFresh(scene.name);
  await Promise.all([assertRefused(scene.held), assertRefused(fresh)]);
  const tookMs = performance.now() - sinceMs;
  assert.ok(tookMs <= refusalMaxMs, `refused after ${tookMs} ms`);
  assert.equal(await scene.streaming.over, 'cut');
  assert.ok(!scene.streaming.received().includes('message_stop'));
  assert.equal(gateway.fake.requestCount(), scene.upstreamRequests);
}

function openFresh(name: string): RawCall {
  const call = openCall(gateway, { headers });
  call.end(messagesBody(`${name}-fresh`));
  return call;
}

async function refusalMs(name: string): Promise<number> {
  const sinceMs = performance.now();
  await assertRefused(openFresh(name));
  return performance.now() - sinceMs;
}

/**
 * Envoy is the same one all the time. A check that was under way at the old socket may still fail after a request passed
 * at the new one, and take the processor out for half a second more.
 */
async function assertServesAgain(): Promise<void> {
  await twoRounds(gateway.envoy);
  const { exchangeId } = await servedAgain(gateway, headers);
  assert.equal((await gateway.document(exchangeId)).skilltape.outcome, 'complete');
}

async function outcomesOf({ name }: Scene): Promise<string[]> {
  const outcomes: string[] = [];
  for (const part of ['held', 'streaming']) {
    const { id } = await inJournal(gateway, `${name}-${part}`, () => true);
    outcomes.push((await gateway.document(id)).skilltape.outcome);
  }
  return outcomes;
}

test('a killed processor: refused or cut at once, nothing upstream, and recorded as interrupted', async () => {
  const scene = await openScene('killed');
  const sinceMs = performance.now();
  gateway.processor.process.kill('SIGKILL');
  await assertClosed(scene, sinceMs);
  await gateway.restartProcessor();
  await assertServesAgain();
  assert.deepEqual(await outcomesOf(scene), ['interrupted', 'interrupted']);
});

test('a socket that takes connections and never answers: refused in time', async () => {
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
  const dead = `${gateway.processorSocket}.dead`;
  renameSync(gateway.processorSocket, dead);
  const mute = new Set<Socket>();
  const server = createServer((socket) => mute.add(socket));
  await new Promise<void>((resolve) => server.listen(gateway.processorSocket, resolve));
  try {
    const upstreamRequests = gateway.fake.requestCount();
    assert.ok((await refusalMs('mute')) <= refusalMaxMs);
    assert.equal(gateway.fake.requestCount(), upstreamRequests);
  } finally {
    server.close();
    for (const socket of mute) socket.destroy();
  }
  await gateway.restartProcessor();
  await assertServesAgain();
});

test('a stopping processor: open ones get its grace, then are refused or cut, and the record says that we ended', async () => {
  const scene = await openScene('stopped');
  const sinceMs = performance.now();
  gateway.processor.process.kill('SIGTERM');
  await assertClosed(scene, sinceMs);
  assert.equal(await gateway.processor.exited, 0);
  await gateway.restartProcessor();
  await assertServesAgain();
  for (const outcome of await outcomesOf(scene)) assert.match(outcome, /^(interrupted|cut)$/);
});

test('a stopping processor lets requests end that do so in time', async () => {
  const held = await openHalfUpload(gateway, 'graceful', headers);
  gateway.processor.process.kill('SIGTERM');
  await waitUntil('the processor draining', () => readFileSync(logFile(), 'utf8').includes('"draining"'));
  held.finish();
  assert.equal((await held.head).status, 200);
  assert.equal(await held.over, 'ended');
  assert.equal(await gateway.processor.exited, 0);
  await gateway.restartProcessor();
  await assertServesAgain();
  const { id } = await inJournal(gateway, 'graceful', () => true);
  assert.equal((await gateway.document(id)).skilltape.outcome, 'complete');
});

test('a frozen processor: refused or cut in time, and it takes requests again when it goes on', async (t) => {
  const scene = await openScene('frozen');
  const sinceMs = performance.now();
  gateway.processor.process.kill('SIGSTOP');
  try {
    const closed = assertClosed(scene, sinceMs);
    // Envoy finds out in steps (pings, health checks), so each moment of the freeze is another case.
    const waits: Promise<number>[] = [];
    for (let count = 0; count < 10; count += 1) {
      waits.push(refusalMs(`frozen-${count}`));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await closed;
    const longestMs = Math.max(...(await Promise.all(waits)));
    t.diagnostic(`longest wait ${Math.round(longestMs)} ms`);
    assert.ok(longestMs <= refusalMaxMs, `refused after ${longestMs} ms`);
  } finally {
    gateway.processor.process.kill('SIGCONT');
  }
  await assertServesAgain();
  assert.equal(gateway.fake.requestCount(), scene.upstreamRequests + 1);
  assert.deepEqual(await outcomesOf(scene), ['interrupted', 'interrupted']);
});

test('a processor whose socket is moved away: refused while it lives, and served again when the socket is back', async () => {
  const away = `${gateway.processorSocket}.away`;
  renameSync(gateway.processorSocket, away);
  // Envoy keeps the connection that it has: only when it is lost, the missing socket shows.
  gateway.processor.process.kill('SIGSTOP');
  await waitUntil(
    'Envoy without a connection to the processor',
    async () => (await envoyStat(gateway.envoy, 'cluster.skilltape.membership_healthy')) === 0,
  );
  gateway.processor.process.kill('SIGCONT');
  const upstreamRequests = gateway.fake.requestCount();
  assert.ok((await refusalMs('moved')) <= refusalMaxMs);
  assert.equal(gateway.fake.requestCount(), upstreamRequests);
  renameSync(away, gateway.processorSocket);
  await assertServesAgain();
});

function logFile(): string {
  return `${gateway.directory}/processor.log`;
}
