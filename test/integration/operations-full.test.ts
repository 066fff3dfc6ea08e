import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { operationsOf, troubles } from '../environment/operations-call.ts';
import { claudeError } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { valueIn } from '../unit/operations/exposition.ts';

const KiB = 1024;

let gateway: TestGateway;
let headers: { authorization: string };
let operations: ReturnType<typeof operationsOf>;
before(async () => {
  const journal = { journalMaxBytes: 512 * KiB, segmentMaxBytes: 64 * KiB };
  gateway = await startTestGateway({ settings: { journal, limits: { requestBodyMaxBytes: 512 * KiB } } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
  operations = operationsOf(gateway);
});
after(() => gateway.stop());

test('an index that is away leaves the processor ready until its journal is full; then we refuse, and say why ourselves', async () => {
  assert.deepEqual(troubles(await operations.ready()), []);
  await gateway.document((await gateway.post(messagesBody('before'), headers)).exchangeId);
  // While another writer holds the index, nothing can be shipped.
  const database = new DatabaseSync(join(gateway.dataDirectory, 'index.sqlite'), { timeout: 5_000 });
  database.exec('begin immediate');
  let refusals = 0;
  try {
    await gateway.post(messagesBody('waits'), headers);
    const away = await waitUntil('an index that is away', async () => {
      const report = await operations.ready();
      return troubles(report).length > 0 && report;
    });
    assert.deepEqual([away.status, away.ready, troubles(away)], [200, true, ['index: degraded']]);
    assert.ok(valueIn(await operations.series(), 'skilltape_shipping_waiting_exchanges') > 0);
    assert.ok(valueIn(await operations.series(), 'skilltape_index_lag_seconds') > 0);

    const refusal = await waitUntil('a refusal', async () => {
      const answer = await gateway.post(messagesBody('x'.repeat(20 * KiB)), headers);
      return answer.status !== 200 && answer;
    });
    refusals += 1;
    const full = await operations.ready();
    assert.deepEqual([full.status, troubles(full)], [503, ['journal_space: failed', 'index: degraded']]);
    assert.equal(refusal.status, 503);
    // Envoy still sends us requests: its own refusal could not say why.
    for (let count = 0; count < 3; count += 1) {
      const answer = await gateway.post(messagesBody('more'), headers);
      refusals += 1;
      const said = claudeError(answer.body, answer.headers.get('content-type'), ['overloaded_error']);
      assert.match(said, /recording space is full/);
    }
    const series = await operations.series();
    assert.equal(valueIn(series, 'skilltape_refusals_total', { reason: 'journal_full' }), refusals);
    assert.equal(valueIn(series, 'skilltape_unrecorded_refusals_total'), refusals);
    assert.equal(valueIn(series, 'skilltape_journal_admits'), 0);
    assert.ok(valueIn(series, 'skilltape_journal_bytes') >= valueIn(series, 'skilltape_journal_max_bytes'));
  } finally {
    database.exec('rollback');
    database.close();
  }
  const report = await waitUntil('a processor where all is well', async () => {
    const now = await operations.ready();
    return troubles(now).length === 0 && now;
  });
  assert.equal(report.status, 200);
  await waitUntil('an index that has everything', async () => {
    const series = await operations.series();
    return valueIn(series, 'skilltape_index_lag_seconds') === 0 && valueIn(series, 'skilltape_open_exchanges') === 0;
  });
});
