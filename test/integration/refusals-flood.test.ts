import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { countsOf, findings } from '../../extproc/coverage/finding.ts';
import { openCoverageLook } from '../../extproc/coverage/look.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { type JournalEntry, readJournal } from '../environment/journal-view.ts';
import { waitUntil } from '../environment/wait.ts';
import { assertJournalIsIndexed } from '../environment/whole-record.ts';

const workers = 2;
const refusals = { recordsPerMinute: 20, recordsPerMinuteAllSources: 20, sourcesMax: 10 };
const flood = 400;
const atOnce = 20;

let gateway: TestGateway;
before(async () => {
  const settings = { refusals, coverage: { accessLogFile: 'access.log', lagMaxMs: 2_000 } };
  gateway = await startTestGateway({ workers, settings });
});
after(() => gateway.stop());

/** What one entry says: 1 for a request of its own, else how many it counts. */
function countIn({ records }: JournalEntry): number {
  const end = records.find((record) => record.kind === 'finished');
  assert.ok(end?.kind === 'finished', 'each has its end');
  const counted = /^(\d+) more requests of this source from \S+ to \S+: (.+)$/.exec(end.finished.detail);
  return counted === null ? 1 : Number(counted[1]);
}

function isCounting({ records }: JournalEntry): boolean {
  return records.some((record) => record.kind === 'finished' && record.finished.detail.includes('more requests'));
}

test('a flood of bad tokens leaves a bounded number of records, which tell of every request, over all workers', async () => {
  const startedMinute = Math.floor(Date.now() / 60_000);
  const send = async (count: number) => {
    for (let at = 0; at < count; at += 1) {
      const answer = await gateway.post(messagesBody('Let me in'), { authorization: `Bearer bad.${at}.token` });
      assert.equal(answer.status, 401);
      const { error, request_id: id } = JSON.parse(answer.body.toString());
      assert.equal(error.type, 'authentication_error');
      assert.equal(id, answer.exchangeId);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, () => send(flood / atOnce)));
  assert.equal(gateway.fake.requestCount(), 0);
  const { status } = await gateway.post(messagesBody('Hello'), { 'x-api-key': await gateway.token() });
  assert.equal(status, 200, 'a caller with a token is served meanwhile');
  const minutes = Math.floor(Date.now() / 60_000) - startedMinute + 1;
  const sums = await waitUntil(
    'the log being compared',
    () => {
      const opened = openCoverageLook(gateway.dataDirectory);
      if (opened === null) return false;
      const rows = opened.days(new Date(0));
      opened.close();
      const sum = (finding: (typeof findings)[number]) => rows.reduce((all, { counts }) => all + counts[finding], 0);
      const counts = countsOf(new Map(findings.map((finding) => [finding, sum(finding)])));
      return counts.recorded === flood + 1 && counts;
    },
    60_000,
  );
  assert.deepEqual({ ...sums, recorded: 0 }, countsOf(new Map()), 'nothing is missing in log or record');
  await gateway.processor.stop();
  const strangers = (await readJournal(gateway.dataDirectory)).filter(({ allowed }) => !allowed);
  assert.equal(
    strangers.reduce((sum, entry) => sum + countIn(entry), 0),
    flood,
  );
  assert.ok(strangers.length <= minutes * (refusals.recordsPerMinute + workers), `${strangers.length} records`);
  const counting = strangers.filter(isCounting);
  assert.ok(counting.length >= 1);
  await gateway.restartProcessor();
  await assertJournalIsIndexed(gateway);
  const document = await gateway.document(counting[0]?.id);
  assert.deepEqual([document.skilltape.outcome, document.source.ip, document.user], ['refused', '127.0.0.1', null]);
});
