import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderUsage } from '../../../extproc/terminal/usage-table.ts';
import type { UsageLine } from '../../../extproc/usage/summary.ts';

function line(group: string[], cost: number | null = 1.5): UsageLine {
  const tokens = { uncachedInput: 1_234_567, cacheRead: 0, cacheCreation5m: 2, cacheCreation1h: 3, output: 4 };
  return { group, exchanges: 7, partial: 0, tokens, webSearchRequests: 0, cost, unpriced: [] };
}

const plain = { color: false, width: 100 };

test('columns stand under their names, counts to the right', () => {
  const text = renderUsage({ keys: ['user'], lines: [line(['ada'])], total: line([]), currency: 'USD' }, plain);
  assert.deepEqual(text.split('\n'), [
    'user   exchanges      input  cache read  cache write  output  cost (USD)',
    'ada            7  1,234,567           0            5       4      1.5000',
    'total          7  1,234,567           0            5       4      1.5000',
    '',
  ]);
});

test('an open cost is a dash, an empty group too; without a currency there is no column of costs', () => {
  const lines = [line([''], null)];
  assert.match(renderUsage({ keys: ['skill'], lines, total: null, currency: 'USD' }, plain), /^- .* -$/m);
  assert.doesNotMatch(renderUsage({ keys: ['skill'], lines, total: null, currency: null }, plain), /cost/);
});

test('the name of a group cannot leave its line or push the columns away', () => {
  const lines = [line(['a\ntotal \u001b[2J\u202e']), line(['x'.repeat(5_000)])];
  const text = renderUsage({ keys: ['model'], lines, total: null, currency: 'USD' }, { color: true, width: 100 });
  assert.doesNotMatch(stripVTControlCharacters(text), /[^\P{Cc}\n]|\u202e/u);
  const rows = text.trimEnd().split('\n');
  assert.deepEqual([rows.length, rows.every((row) => row.length < 140)], [3, true]);
});
