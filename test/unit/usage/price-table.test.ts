import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { loadPriceTable, parsePriceTable } from '../../../extproc/usage/price-table.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const example = new URL('../../../deploy/prices.yaml', import.meta.url);
const prices = '{input: 3, output: 15, cacheRead: 0.3, cacheWrite5m: 3.75, cacheWrite1h: 6}';

function faultsOf(text: string): string {
  try {
    parsePriceTable(text, 'prices.yaml');
  } catch (thrown) {
    assert.ok(thrown instanceof SkilltapeError && thrown.code === 'config_invalid', String(thrown));
    return thrown.message;
  }
  return assert.fail('it was taken');
}

test('the example is taken, says to check it, and has no pattern that would guess at models to come', () => {
  const text = readFileSync(example, 'utf8');
  assert.match(text, /CHECK AGAINST YOUR CONTRACT/);
  const table = parsePriceTable(text, 'deploy/prices.yaml');
  assert.equal(table.currency, 'USD');
  assert.equal(table.models.get('claude-sonnet-4-5*')?.cacheWrite1h, 6);
  assert.equal(table.serviceTiers.get('batch'), 0.5);
  for (const name of table.models.keys()) assert.match(name, /\d/);
});

test('every fault is named at once with its key, its line and the way out', () => {
  const text = `
currency: dollars
models:
  m-1: {input: 3, output: 15, cacheRead: -1, cacheWrite5m: free, cacheWrite1h: 6, cachewrite: 1}
  m-2: {input: 3, output: 15}
  a*b: ${prices}
  m-3: 7
serviceTiers: {batch: half}
discount: 5
`;
  const message = faultsOf(text);
  assert.match(message, /^\d+ faults in the price table prices\.yaml:/);
  for (const expected of [
    /currency \(line 2\): must be three capital letters such as USD/,
    /models\.m-1\.cacheRead \(line 4\): must not be below 0/,
    /models\.m-1\.cacheWrite5m \(line 4\): must be a number/,
    /models\.m-1\.cachewrite \(line \d\): is not a known key; known here: input, output, cacheRead/,
    /models\.m-2\.cacheRead \(line 5\): is missing; write the price per million tokens/,
    /models\."a\*b" \(line 6\): must be the name of a model; a \* may stand at its end alone/,
    /models\.m-3 \(line 7\): /,
    /serviceTiers\.batch \(line 8\): must be a number/,
    /discount \(line 9\): is not a known key; known here: currency, models, serviceTiers/,
  ])
    assert.match(message, expected);
});

test('what is no YAML, is empty, or has a key twice is refused', () => {
  assert.match(faultsOf('a: ['), /not valid YAML/);
  assert.match(faultsOf(''), /currency: is missing/);
  assert.match(faultsOf(`currency: USD\nmodels: {m: ${prices}, m: ${prices}}`), /written twice/);
});

test('a file that cannot be read is a fault of the configuration with a remedy', (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'prices.yaml');
  assert.throws(() => loadPriceTable(file), { code: 'config_invalid', remedy: /deploy\/prices\.yaml/ });
  writeFileSync(file, `currency: EUR\nmodels: {m: ${prices}}`);
  assert.equal(loadPriceTable(file).currency, 'EUR');
});
