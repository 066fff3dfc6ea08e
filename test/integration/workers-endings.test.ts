import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Outcome } from '../../extproc/exchange/outcome.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { readJournalOf } from '../environment/journal-view.ts';
import type { RawCall } from '../environment/raw-call.ts';
import { openCall } from '../environment/raw-call.ts';
import { openSlowStream, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { allHealthy, runningWorker } from '../environment/workers.ts';

/** Envoy has one thread here, so one worker takes all its reports, whichever of the two has the exchange. */
let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  gateway = await startTestGateway({ workers: 2 });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

const ofEachKind = 6;

type Break = { marker: string; outcome: Outcome; detail: RegExp };

/** Breaks off answers of both kinds at both workers, and waits for the ends that the record then has. */
async function assertBreaksAreTold(round: string): Promise<void> {
  const breaks: Break[] = [];
  const left: RawCall[] = [];
  const cut: RawCall[] = [];
  for (let number = 0; number < ofEachKind; number += 1) {
    const marker = `${round}, caller ${number} leaves`;
    left.push(await openSlowStream(gateway, marker, headers));
    breaks.push({ marker, outcome: 'client_aborted', detail: /^DC / });
  }
  for (let number = 0; number < ofEachKind; number += 1) {
    const marker = `${round}, answer ${number} is reset`;
    const call = openCall(gateway, { headers });
    call.end(messagesBody(`[fake: reset] [fake: large 40000] [fake: slow 50] ${marker}`, { stream: true }));
    cut.push(call);
    breaks.push({ marker, outcome: 'upstream_aborted', detail: /^U/ });
  }
  for (const call of left) call.abort();
  for (const call of cut) assert.equal(await call.over, 'cut');
  const takenBy = new Map<Outcome, Set<number>>();
  for (const { marker, outcome, detail } of breaks) {
    const { id, worker } = await waitUntil(`${marker} in a journal`, () => holderOf(marker));
    const { skilltape } = await gateway.document(id);
    assert.equal(skilltape.outcome, outcome, `${marker}, at worker ${worker}: ${skilltape.outcome_detail}`);
    assert.match(skilltape.outcome_detail, detail);
    takenBy.set(outcome, (takenBy.get(outcome) ?? new Set()).add(worker));
  }
  for (const [outcome, workers] of takenBy) assert.deepEqual([...workers].sort(), [1, 2], outcome);
}

async function holderOf(marker: string): Promise<{ id: string; worker: number } | undefined> {
  for (const worker of [1, 2]) {
    const entries = await readJournalOf(gateway.dataDirectory, worker);
    const entry = entries.find(({ requestBody }) => requestBody.includes(marker));
    if (entry !== undefined) return { id: entry.id, worker };
  }
  return undefined;
}

test('who broke an answer off is recorded by the worker that has it, whichever worker Envoy reports to', async () => {
  await assertBreaksAreTold('both up');
});

for (const worker of [1, 2]) {
  test(`so it is after worker ${worker} was killed, which may be the one that Envoy reported to`, async () => {
    const pid = await runningWorker(gateway, worker);
    process.kill(pid, 'SIGKILL');
    await runningWorker(gateway, worker, pid);
    await waitUntil('a request at the new one', async () => {
      await servedAgain(gateway, headers);
      return allHealthy(gateway);
    });
    await assertBreaksAreTold(`after a death of ${worker}`);
  });
}
