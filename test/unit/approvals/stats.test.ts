import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ticketStats } from '../../../extproc/approvals/stats.ts';
import { Tickets } from '../../../extproc/approvals/tickets.ts';
import { ticketStatsPage } from '../../../extproc/terminal/ticket-stats.ts';
import { approval, approvalRequest, denial, minute } from '../../builders/approval.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const reasons = (...rules: string[]) => ({ summary: { reasons: rules.map((rule) => ({ rule, message: 'm' })) } });

test('by rule it is seen how much was held, what became of it and how long people took', (context) => {
  const file = join(temporaryDirectory(context), 'approvals.sqlite');
  const store = new Tickets(file);
  context.after(() => store.close());
  const open = (at: number, ...rules: string[]) => {
    const answer = store.ask(approvalRequest({ binding: `b-${at}`, ...reasons(...rules) }), at);
    return answer.kind === 'pending' ? answer.ticket : '';
  };
  for (let at = 1; at <= 20; at += 1) store.decide(open(at, 'a'), approval(), at + at * 1_000);
  store.decide(open(30, 'a', 'b'), denial(), 30 + 10 * minute);
  open(40, 'b');
  const pending = 10 * minute;
  store.ask(approvalRequest({ binding: 'b-pending', ...reasons('b') }), pending);
  store.ask(approvalRequest({ binding: 'b-pending', exchangeId: 'x-2', ...reasons('b') }), pending);
  const nowMs = 65 * minute;
  const stats = ticketStats(file, { fromMs: 0, nowMs });
  const common = { rule: 'a', held: 21, requests: 21, approved: 20, denied: 1, expired: 0, pending: 0 };
  assert.deepEqual(stats, [
    { ...common, decidedMedianMs: 11_000, decidedP95Ms: 20_000 },
    {
      ...{ rule: 'b', held: 3, requests: 4, approved: 0, denied: 1, expired: 1, pending: 1 },
      ...{ decidedMedianMs: 600_000, decidedP95Ms: 600_000 },
    },
  ]);
  assert.deepEqual(
    ticketStats(file, { fromMs: pending, nowMs }).map(({ rule, held }) => [rule, held]),
    [['b', 1]],
  );
  assert.match(ticketStatsPage(stats), /^rule {2}held .*median +p95\na +21 +20 +1 +0 +0 +21 +11 s +20 s\n/);
});
