import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReportDesk, reportTimeoutMs } from '../../../extproc/workers/report-desk.ts';

const report = { readiness: { ready: true, conditions: [] }, metrics: [] };

test('each who asks gets the report that was made for it', async () => {
  const desk = new ReportDesk();
  const asks: number[] = [];
  const [first, second] = [desk.ask((ask) => asks.push(ask)), desk.ask((ask) => asks.push(ask))];
  assert.equal(new Set(asks).size, 2);
  const other = { ...report, metrics: [] };
  desk.heed(asks[1] ?? 0, other);
  desk.heed(asks[0] ?? 0, report);
  assert.equal(await first, report);
  assert.equal(await second, other);
});

test("who says nothing in time is told as nothing, and what it says later is nobody's", async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const desk = new ReportDesk();
  let asked = 0;
  const answer = desk.ask((ask) => {
    asked = ask;
  });
  t.mock.timers.tick(reportTimeoutMs);
  assert.equal(await answer, null);
  desk.heed(asked, report);
  desk.heed(4711, report);
});
