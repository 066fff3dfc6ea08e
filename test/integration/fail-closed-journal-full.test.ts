import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { SqliteSearch } from '../../extproc/index/sqlite/search.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { openCall } from '../environment/raw-call.ts';
import { claudeError, inJournal, openHalfUpload, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

const KiB = 1024;

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  const journal = { journalMaxBytes: 512 * KiB, segmentMaxBytes: 64 * KiB };
  gateway = await startTestGateway({ settings: { journal, limits: { requestBodyMaxBytes: 512 * KiB } } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

/** While another writer holds the index, nothing is shipped, so nothing in the journal may be freed. */
function stopIndex(): () => void {
  const database = new DatabaseSync(join(gateway.dataDirectory, 'index.sqlite'), { timeout: 5_000 });
  database.exec('begin immediate');
  return () => {
    database.exec('rollback');
    database.close();
  };
}

test('a full journal refuses new requests and says why, lets open ones end, and takes requests again once it is shipped', async () => {
  const first = await gateway.post(messagesBody('before'), headers);
  await gateway.document(first.exchangeId);
  const startIndex = stopIndex();
  const answered: string[] = [];
  try {
    const half = await openHalfUpload(gateway, 'open since before', headers);
    const endless = openCall(gateway, { headers });
    endless.end(messagesBody('[fake: large 600000] [fake: slow 20] endless', { stream: true }));
    await waitUntil('the first events', () => endless.received().length > 0);

    const refusal = await waitUntil('a refusal', async () => {
      const answer = await gateway.post(messagesBody('x'.repeat(20 * KiB)), headers);
      if (answer.status === 200) answered.push(answer.exchangeId);
      return answer.status !== 200 && answer;
    });
    assert.equal(refusal.status, 503);
    const message = claudeError(refusal.body, refusal.headers.get('content-type'), ['overloaded_error']);
    assert.match(message, /recording space is full/);
    assert.ok(answered.length > 5, `only ${answered.length} requests fitted`);

    const upstreamRequests = gateway.fake.requestCount();
    assert.equal((await gateway.post(messagesBody('one more'), headers)).status, 503);
    assert.equal(gateway.fake.requestCount(), upstreamRequests);

    half.finish();
    assert.equal((await half.head).status, 200);
    assert.equal(await half.over, 'ended');

    assert.equal(await endless.over, 'cut');
    const { answerBody } = await inJournal(gateway, 'endless', () => true);
    assert.deepEqual(endless.received(), answerBody.subarray(0, endless.received().length));
  } finally {
    startIndex();
  }
  await servedAgain(gateway, headers);
  for (const id of answered) assert.equal((await gateway.document(id)).skilltape.outcome, 'complete');
  assert.equal(await outcomeOf('open since before'), 'complete');
  assert.equal(await outcomeOf('endless'), 'cut');
});

/** By what was said: what was shipped may be gone from the journal already. */
async function outcomeOf(text: string): Promise<string> {
  return waitUntil(`${text} in the index`, async () => {
    const index = SqliteSearch.open(gateway.dataDirectory);
    try {
      const { hits } = await index.search({ text: `"${text}"` });
      assert.ok(hits.length <= 1);
      return hits[0]?.outcome;
    } finally {
      index.close();
    }
  });
}
