import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tortures } from '../../torture/list.ts';
import { parseTortureOptions } from '../../torture/options.ts';

const parse = (...args: string[]) => parseTortureOptions(args, ['kills', 'other'], () => 5);

test('without options everything runs with a drawn seed and its own number of rounds', () => {
  assert.deepEqual(parse(), { seed: 5, only: [], rounds: null });
});

test('a seed of 0, a number of rounds and several names are taken', () => {
  assert.deepEqual(parse('--seed', '0', '--rounds', '9', '--only', 'kills', '--only', 'other'), {
    seed: 0,
    only: ['kills', 'other'],
    rounds: 9,
  });
});

test('what is misspelt is refused: it would run something else than meant', () => {
  for (const args of [['--only', 'kilsl'], ['--round', '1'], ['--rounds', '0'], ['--seed', 'x'], ['kills']]) {
    assert.throws(() => parse(...args), { code: 'usage' }, args.join(' '));
  }
});

test('every torture has a name of its own and stands in README.md', () => {
  const readme = readFileSync(new URL('../../torture/README.md', import.meta.url), 'utf8');
  assert.equal(new Set(tortures.map(({ name }) => name)).size, tortures.length);
  for (const { name, roundsDefault } of tortures) {
    assert.match(readme, new RegExp(`\\| \`${name}\` +\\|`), name);
    assert.ok(readme.includes(roundsDefault.toLocaleString('en')), `${name}: ${roundsDefault} rounds`);
  }
});
