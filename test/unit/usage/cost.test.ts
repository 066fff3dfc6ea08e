import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageRow } from '../../../extproc/index/port.ts';
import { type Cost, costOf } from '../../../extproc/usage/cost.ts';
import { parsePriceTable } from '../../../extproc/usage/price-table.ts';

const table = parsePriceTable(
  `
currency: USD
models:
  m-*: {input: 1, output: 1, cacheRead: 1, cacheWrite5m: 1, cacheWrite1h: 1}
  m-big*: {input: 3, output: 15, cacheRead: 0.3, cacheWrite5m: 3.75, cacheWrite1h: 6, webSearchPer1000: 10}
  m-big-1: {input: 100, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0}
serviceTiers: {batch: 0.5}
`,
  'prices.yaml',
);

const none = { uncachedInput: 0, cacheRead: 0, cacheCreation5m: 0, cacheCreation1h: 0, output: 0 };

function cost(row: Partial<UsageRow>): Cost {
  return costOf({ model: 'm-big', serviceTier: 'standard', tokens: none, webSearchRequests: 0, ...row }, table);
}

test('each kind of token has its price per million', () => {
  const tokens = { uncachedInput: 1e6, cacheRead: 2e6, cacheCreation5m: 4e6, cacheCreation1h: 1e6, output: 2e6 };
  assert.deepEqual(cost({ tokens }), { kind: 'known', amount: 3 + 0.6 + 15 + 6 + 30 });
});

test('a whole name goes before a pattern, and the longest pattern before others', () => {
  const tokens = { ...none, uncachedInput: 1e6 };
  const amounts = ['m-big-1', 'm-big-12', 'm-big', 'm-b', 'm-'].map((model) => cost({ model, tokens }));
  assert.deepEqual(
    amounts.map((each) => each.kind === 'known' && each.amount),
    [100, 3, 3, 1, 1],
  );
});

test('a service tier multiplies the price of tokens, not that of web searches', () => {
  const tokens = { ...none, output: 1e6 };
  const amount = (row: Partial<UsageRow>) => cost({ tokens, ...row });
  assert.deepEqual(amount({ serviceTier: 'batch', webSearchRequests: 100 }), { kind: 'known', amount: 7.5 + 1 });
  assert.deepEqual(amount({ serviceTier: '' }), { kind: 'known', amount: 15 });
});

test('what has no price is named and not guessed', () => {
  const missing = (row: Partial<UsageRow>) => {
    const result = cost(row);
    return result.kind === 'unknown' ? result.missing : result.amount;
  };
  assert.equal(missing({ model: 'other' }), 'other');
  assert.equal(missing({ model: '__proto__' }), '__proto__');
  assert.equal(missing({ model: '' }), 'an unnamed model');
  assert.equal(missing({ serviceTier: 'priority' }), 'm-big in the service tier priority');
  assert.equal(missing({ model: 'm-1', webSearchRequests: 1 }), 'the web searches of m-1');
});
