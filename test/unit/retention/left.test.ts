import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hold } from '../../../extproc/retention/hold.ts';
import { type LeftInput, leftOfDay } from '../../../extproc/retention/left.ts';
import type { Step } from '../../../extproc/retention/plan.ts';
import type { Receipt } from '../../../extproc/retention/receipts.ts';

const nowMs = Date.UTC(2026, 5, 15, 12);
const rules: LeftInput['rules'] = {
  classes: new Map([['brief', { contentDays: 1, metadataDays: 2 }]]),
  byDefault: { contentDays: 30, metadataDays: 365 },
  diskBudgetPercent: 70,
  contentFloorDays: 7,
};
const numbered = { version: 1, previous: null, timeMs: 0 } as const;
const step = (day: string, action: Step['action'], store: Step['store'] = 'index'): Step => ({
  ...{ store, action, retentionClass: 'standard', day, items: 1, bytes: 0, because: 'disk_budget' },
});
const ended = (number: number, run: string, done: Step[]): Receipt => ({
  ...{ ...numbered, number, run, kind: 'sweep_ended', done, kept: [], toDo: [], away: {}, sums: {} },
  erasures: { finished: [], waiting: [] },
});
const begun = (number: number, run: string, steps: Step[]): Receipt => ({
  ...{ ...numbered, number, run, kind: 'sweep_begun', by: 'ops', reason: 'daily', steps },
});
const hold = (day: string): Hold => ({
  ...{ id: 'hold-1', addedMs: 0, by: 'ops', reason: 'case', released: null },
  ...{ scope: { session: 's' }, covered: [{ retentionClass: 'standard', day }] },
});

function left(day: string, input: Partial<LeftInput> = {}, retentionClass = 'standard') {
  return leftOfDay({ nowMs, rules, holds: [], receipts: [], ...input })({ retentionClass, day });
}

test('what is due is left out before a sweep did it, to the day, by the days of its class', () => {
  assert.deepEqual(
    ['2026-05-16', '2026-05-15', '2025-06-15', '2025-06-14'].map((day) => left(day)),
    ['all', 'metadata', 'metadata', 'nothing'],
  );
  assert.deepEqual(
    ['2026-06-14', '2026-06-13', '2026-06-12'].map((day) => left(day, {}, 'brief')),
    ['all', 'metadata', 'nothing'],
  );
});

test('what was swept early stays swept, and what was deleted is not there as metadata again', () => {
  const receipts = [
    begun(1, 'a', [step('2026-06-01', 'reduce'), step('2026-06-02', 'delete')]),
    ended(2, 'a', [step('2026-06-01', 'reduce'), step('2026-06-02', 'delete')]),
    ended(3, 'b', [step('2026-06-02', 'reduce'), step('2026-06-03', 'delete', 'archive')]),
  ];
  assert.deepEqual(
    ['2026-06-01', '2026-06-02', '2026-06-03'].map((day) => left(day, { receipts })),
    ['metadata', 'nothing', 'all'],
  );
});

test('of a sweep that was killed all counts that it was about to do; of one that ended only what was done', () => {
  const steps = [step('2026-06-01', 'reduce')];
  assert.equal(left('2026-06-01', { receipts: [begun(1, 'a', steps)] }), 'metadata');
  assert.equal(left('2026-06-01', { receipts: [begun(1, 'a', steps), ended(2, 'a', [])] }), 'all');
});

test('what went around a hold leaves what the hold covers as it is, until the hold is released', () => {
  const around = { ...step('2025-07-01', 'reduce'), holds: ['hold-1'] };
  const receipts = [ended(1, 'a', [around])];
  assert.equal(left('2025-07-01', { holds: [hold('2025-07-01')], receipts }), 'all');
  assert.equal(left('2025-07-01', { receipts }), 'metadata');
});

test('a hold keeps what is due and brings nothing back that was swept before it', () => {
  const holds = [hold('2025-01-01')];
  assert.equal(left('2025-01-01', { holds }), 'all');
  assert.equal(left('2025-01-02', { holds }), 'nothing');
  assert.equal(left('2025-01-01', { holds, receipts: [ended(1, 'a', [step('2025-01-01', 'reduce')])] }), 'metadata');
});
