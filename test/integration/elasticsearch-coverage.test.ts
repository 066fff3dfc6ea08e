import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Counts } from '../../extproc/coverage/finding.ts';
import type { Outcome } from '../../extproc/exchange/outcome.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { type CommandResult, skilltape } from '../environment/command.ts';
import { type ElasticsearchSystem, startElasticsearchSystem } from '../environment/elasticsearch-system.ts';
import { openCall } from '../environment/raw-call.ts';
import { openSlowStream } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

/** Envoy's log compared with a record whose index is a secured cluster. The tests build on each other. */
let system: ElasticsearchSystem;
let headers: { authorization: string };
before(async () => {
  system = await startElasticsearchSystem({ coverage: { accessLogFile: 'access.log', lagMaxMs: 2_000 } });
  headers = { authorization: `Bearer ${await system.gateway.token()}` };
  const { url } = await system.server();
  for (const role of ['skilltape_writer', 'skilltape_reader', 'skilltape_setup'] as const) system.putPassword(role);
  system.gate.open(Number(new URL(url).port));
  const setup = await run('index', 'setup', ...system.credentialFlags('skilltape_setup'));
  assert.equal(setup.status, 0, setup.stderr);
});
after(() => system?.stop());

const run = (...args: string[]): Promise<CommandResult> => skilltape(['--config', system.gateway.configFile, ...args]);

type Report = { total: Counts; compared_until: string | null; gaps: { kind: string; reason: string }[] };

/** What `skilltape coverage` says once it has compared this many requests. */
function compared(requests: number): Promise<Report> {
  return waitUntil(
    `${requests} requests being compared`,
    async () => {
      // The command starts a process; asking more often would only take the time of what is asked about.
      await pause(500);
      const { stdout, status } = await run('coverage', '--json');
      if (status === 3) return false;
      const report = JSON.parse(stdout) as Report;
      assert.equal(status, 0, stdout);
      const told = Object.values(report.total).reduce((sum, count) => sum + count, 0);
      assert.ok(told <= requests, stdout);
      return told === requests && report;
    },
    90_000,
  );
}

/** Ids by outcome, of everything that is in the cluster. */
async function stored(): Promise<Map<Outcome, string[]>> {
  const ids = new Map<Outcome, string[]>();
  for (const [id, { outcome }] of await system.everything()) ids.set(outcome, [...(ids.get(outcome) ?? []), id]);
  return ids;
}

async function refusedByEnvoy(path: string): Promise<void> {
  const call = openCall(system.gateway, { headers, path, method: 'GET' });
  call.end();
  assert.equal((await call.head).status, 400);
}

let requests = 0;

test('all that passed is found recorded, and what Envoy refused becomes documents of the cluster', async () => {
  const { gateway } = system;
  assert.equal((await gateway.post(messagesBody('plain'), headers)).status, 200);
  assert.equal((await gateway.post(messagesBody('stream', { stream: true }), headers)).status, 200);
  assert.equal((await gateway.post(messagesBody('denied', { model: 'claude-mythos-1' }), headers)).status, 403);
  (await openSlowStream(gateway, 'left inside the answer', headers)).abort();
  for (const path of ['/v1/refused%00one', '/v1/refused%00two']) await refusedByEnvoy(path);
  requests += 6;
  const { total, gaps } = await compared(requests);
  assert.deepEqual(gaps, []);
  assert.deepEqual([total.recorded, total.refused_by_envoy], [4, 2]);
  await waitUntil('the records of the refused', async () => (await stored()).get('refused')?.length === 2);
  const found = await run('search', '--outcome', 'refused', '--noise', '--json');
  const hits = found.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { event: { id: string } });
  assert.equal(hits.length, 2, found.stdout);
  for (const { event } of hits) {
    const { stdout, status } = await run('show', event.id, '--json');
    assert.equal(status, 0);
    assert.match(stdout, /"path":"\/v1\/refused/);
    assert.match(stdout, /path_normalization_failed/);
  }
});

/** Envoy takes a second or so to see that a processor is there again: until then it refuses. */
async function servedAgain(): Promise<void> {
  await waitUntil('an answered request', async () => {
    const { status } = await system.gateway.post(messagesBody('again'), headers);
    requests += 1;
    if (status !== 200) await pause(200);
    return status === 200;
  });
}

/** The documents of what Envoy refused are there, and no more than those. */
async function assertRefusedAreStored({ total, gaps }: Report): Promise<void> {
  assert.deepEqual(gaps, []);
  assert.equal(total.recorded + total.refused_by_envoy + total.processor_unavailable, requests);
  const late = total.refused_by_envoy + total.processor_unavailable;
  const ids = await waitUntil('every request in the cluster', async () => {
    const found = await stored();
    return [...found.values()].flat().length >= requests && found;
  });
  assert.equal(ids.get('refused')?.length, late);
  assert.equal(await system.count(), requests, 'a request stands in the cluster twice');
}

test('what came while the processor was dead becomes documents too', async () => {
  const { gateway } = system;
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
  for (let count = 0; count < 3; count += 1) {
    assert.equal((await gateway.post(messagesBody('nobody there'), headers)).status, 503);
  }
  requests += 3;
  await gateway.restartProcessor();
  await servedAgain();
  const report = await compared(requests);
  assert.ok(report.total.processor_unavailable >= 3);
  await assertRefusedAreStored(report);
});

test('what coverage kept may be deleted: the log is compared anew, with the cluster, and no document comes twice', async () => {
  const { gateway } = system;
  await gateway.processor.stop();
  for (const name of readdirSync(gateway.dataDirectory)) {
    if (name.startsWith('coverage.sqlite')) rmSync(join(gateway.dataDirectory, name));
  }
  await gateway.restartProcessor();
  await servedAgain();
  await assertRefusedAreStored(await compared(requests));
});
