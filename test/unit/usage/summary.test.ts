import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageRow } from '../../../extproc/index/port.ts';
import { parsePriceTable } from '../../../extproc/usage/price-table.ts';
import { linesOf, totalOf } from '../../../extproc/usage/summary.ts';

const prices = '{input: 3, output: 15, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0}';
const table = parsePriceTable(`currency: USD\nmodels: {known: ${prices}}`, 'prices.yaml');

function row(group: string[], model: string, output: number): UsageRow {
  const tokens = { uncachedInput: 0, cacheRead: 1, cacheCreation5m: 2, cacheCreation1h: 3, output };
  return { group, model, serviceTier: 'standard', exchanges: 2, partial: 1, tokens, webSearchRequests: 0 };
}

test('the models of a group are one line, and lines come in the order of their values', () => {
  const lines = linesOf(
    [
      row(['b', 'x'], 'known', 1e6),
      row(['a', 'y'], 'known', 1),
      row(['a', 'x'], 'known', 1),
      row(['b', 'x'], 'known', 1e6),
    ],
    table,
  );
  assert.deepEqual(
    lines.map(({ group, exchanges }) => [...group, exchanges]),
    [
      ['a', 'x', 2],
      ['a', 'y', 2],
      ['b', 'x', 4],
    ],
  );
  assert.deepEqual(
    lines.map(({ partial }) => partial),
    [1, 1, 2],
  );
  const tokens = { uncachedInput: 0, cacheRead: 2, cacheCreation5m: 4, cacheCreation1h: 6, output: 2e6 };
  assert.deepEqual([lines[2]?.tokens, lines[2]?.cost], [tokens, 30]);
});

test('a sum with a part that has no price has none, and says which part', () => {
  const rows = [row(['a'], 'known', 1e6), row(['a'], 'new', 1), row(['b'], 'known', 1e6), row(['c'], 'new', 1)];
  const [a, b] = linesOf(rows, table);
  assert.deepEqual([a?.cost, a?.unpriced, b?.cost, b?.unpriced], [null, ['new'], 15, []]);
  const total = totalOf(rows, table);
  assert.deepEqual([total.cost, total.unpriced, total.exchanges], [null, ['new'], 8]);
});

test('without a table every cost is open, and nothing is said to be missing from it', () => {
  const total = totalOf([row(['a'], 'known', 1e6)], null);
  assert.deepEqual([total.cost, total.unpriced], [null, []]);
});

test('groups that look alike when their values are joined stay apart', () => {
  assert.equal(linesOf([row(['a,b', 'c'], 'known', 1), row(['a', 'b,c'], 'known', 1)], table).length, 2);
});
