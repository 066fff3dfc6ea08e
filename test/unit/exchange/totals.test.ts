import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newExchangeId } from '../../../extproc/exchange/exchange-id.ts';
import { type StoredTotals, type SumOfCounts, Totals } from '../../../extproc/exchange/totals.ts';

const noonMs = Date.parse('2026-01-15T12:00:00Z');
const nothing: SumOfCounts = { requests: 0, inputTokens: 0, outputTokens: 0, spend: 0, unpricedRequests: 0 };
const used = (requests: number, inputTokens: number, outputTokens = 0, spend: number | null = 0) => ({
  ...{ requests, inputTokens, outputTokens, spend },
});

function rig(stored: { person?: SumOfCounts; session?: SumOfCounts } = {}) {
  const asked: unknown[][] = [];
  const store: StoredTotals = {
    ofPerson: (...question) => {
      asked.push(question);
      return stored.person ?? nothing;
    },
    ofSession: () => stored.session ?? nothing,
  };
  const totals = new Totals(store, true);
  const exchange = (timeMs: number, person = 'ada', session = 's') => ({
    ...{ exchangeId: newExchangeId(timeMs), person, session },
  });
  return { totals, exchange, asked, stored };
}

test('what a person and a session used is added up, each for itself', () => {
  const { totals, exchange } = rig();
  const first = exchange(noonMs);
  assert.equal(totals.factsFor(first, noonMs).day.requests, 0);
  totals.note({ ...first, counted: used(1, 0) });
  totals.note({ ...first, counted: used(0, 100, 20, 0.5) });
  totals.note({ ...exchange(noonMs + 1, 'ada', 'other'), counted: used(1, 7, 3, null) });
  totals.note({ ...exchange(noonMs + 1, 'bob', 'third'), counted: used(1, 1_000) });
  const facts = totals.factsFor(exchange(noonMs + 2), noonMs + 2);
  assert.deepEqual(facts.day, {
    ...{ requests: 2, input_tokens: 107, output_tokens: 23, spend: 0.5, unpriced_requests: 1 },
  });
  assert.deepEqual(facts.session, {
    ...{ requests: 1, input_tokens: 100, output_tokens: 20, spend: 0.5, unpriced_requests: 0 },
  });
  assert.deepEqual([facts.counted, facts.priced, facts.minute.requests], [true, true, 2]);
});

test('after a restart a budget goes on from what is stored, which is asked again while it grows', () => {
  const stored = { person: { ...nothing, requests: 40, inputTokens: 4_000 } };
  const { totals, exchange, asked } = rig(stored);
  const first = exchange(noonMs);
  assert.equal(totals.factsFor(first, noonMs).day.requests, 40);
  totals.note({ ...first, counted: used(1, 0) });
  assert.deepEqual(asked[0], ['ada', Date.parse('2026-01-15T00:00:00Z'), first.exchangeId.slice(0, 13)]);
  // The rest of the journal from before the restart is shipped now.
  stored.person = { ...nothing, requests: 50, inputTokens: 5_000 };
  assert.equal(totals.factsFor(exchange(noonMs + 100), noonMs + 100).day.requests, 41);
  const later = totals.factsFor(exchange(noonMs + 2_000), noonMs + 2_000).day;
  assert.deepEqual([later.requests, later.input_tokens], [51, 5_000]);
  for (let at = 0; at < 3_600; at += 1) totals.factsFor(exchange(noonMs + at * 1_000), noonMs + at * 1_000);
  assert.ok(asked.length < 20, `${asked.length} questions in an hour`);
});

test('an exchange that began before the first question is stored, and is not counted twice', () => {
  const { totals, exchange } = rig();
  const early = exchange(noonMs - 5_000);
  totals.factsFor(exchange(noonMs), noonMs);
  totals.note({ ...early, counted: used(1, 100) });
  assert.equal(totals.factsFor(exchange(noonMs + 1), noonMs + 1).day.requests, 0);
});

test('a day of UTC begins at nothing, whatever still comes of the day before; a session goes on', () => {
  const { totals, exchange } = rig();
  const evening = exchange(Date.parse('2026-01-15T23:59:59.900Z'));
  totals.factsFor(evening, Date.parse('2026-01-15T23:59:59.900Z'));
  totals.note({ ...evening, counted: used(1, 0) });
  const midnightMs = Date.parse('2026-01-16T00:00:00Z');
  assert.equal(totals.factsFor(exchange(midnightMs), midnightMs).day.requests, 0);
  totals.note({ ...evening, counted: used(0, 500) });
  const facts = totals.factsFor(exchange(midnightMs + 1), midnightMs + 1);
  assert.deepEqual([facts.day.input_tokens, facts.session.input_tokens, facts.session.requests], [0, 500, 1]);
});

test('a minute counts the requests that began in it', () => {
  const { totals, exchange } = rig();
  const first = exchange(noonMs);
  totals.factsFor(first, noonMs);
  for (let at = 0; at < 3; at += 1) totals.note({ ...exchange(noonMs + 1 + at), counted: used(1, 0) });
  assert.equal(totals.factsFor(exchange(noonMs + 59_999), noonMs + 59_999).minute.requests, 3);
  assert.equal(totals.factsFor(exchange(noonMs + 60_000), noonMs + 60_000).minute.requests, 0);
});

test('people beyond the bound are forgotten in memory and read from what is stored', () => {
  const { totals, exchange, asked, stored } = rig();
  totals.factsFor(exchange(noonMs), noonMs);
  for (let at = 0; at < 50_001; at += 1)
    totals.note({ ...exchange(noonMs, `p-${at}`, `s-${at}`), counted: used(1, 1) });
  stored.person = { ...nothing, requests: 9 };
  assert.equal(totals.factsFor(exchange(noonMs + 1), noonMs + 1).day.requests, 9);
  assert.equal(asked.length, 2);
});
