import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { JournalEntry } from '../environment/journal-view.ts';
import { readJournalOf } from '../environment/journal-view.ts';
import { openHalfUpload } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { assertArrivalsAreRecorded, assertJournalIsIndexed } from '../environment/whole-record.ts';
import { allHealthy, runningWorker } from '../environment/workers.ts';

const shippedRetries = 'retry_on: connect-failure,refused-stream,unavailable';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({
    workers: 2,
    keepBodies: true,
    changeEnvoyConfig(text) {
      assert.ok(text.includes(shippedRetries));
      return text.replace(shippedRetries, `${shippedRetries},reset`);
    },
  });
});
after(() => gateway.stop());

async function attemptAt(worker: number, marker: string): Promise<JournalEntry | undefined> {
  return (await readJournalOf(gateway.dataDirectory, worker)).find(({ requestBody }) => requestBody.includes(marker));
}

test('a held request that Envoy gives to another worker is one request with two linked records, and passes once', async () => {
  const headers = { authorization: `Bearer ${await gateway.token()}` };
  const marker = 'held where the worker is killed';
  const upload = await openHalfUpload(gateway, marker, headers);
  const worker = (await attemptAt(1, marker)) === undefined ? 2 : 1;
  const first = await attemptAt(worker, marker);
  process.kill(await runningWorker(gateway, worker), 'SIGKILL');
  const second = await waitUntil('the second attempt', () => attemptAt(3 - worker, marker));
  upload.finish();
  const head = await upload.head;
  assert.equal(head.status, 200);
  assert.equal(head.headers['x-skilltape-exchange'], second.id);
  const document = await gateway.document(second.id);
  assert.equal(document.skilltape.outcome, 'complete');
  assert.equal((await gateway.document(first?.id)).skilltape.outcome, 'interrupted');
  assert.deepEqual(
    document.skilltape.link.filter(({ via }) => via === 'attempt'),
    [{ event_id: first?.id, via: 'attempt' }],
  );
  assert.equal(gateway.fake.requests.filter(({ body }) => String(body).includes(marker)).length, 1);
  await allHealthy(gateway);
  await assertJournalIsIndexed(gateway);
  await assertArrivalsAreRecorded(gateway);
});
