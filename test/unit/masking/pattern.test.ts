import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { matchEnd, patternFaults, sticky } from '../../../extproc/masking/pattern.ts';
import { secretRules } from '../../../extproc/masking/secret.ts';

test('patterns that could take more than bounded time are refused', () => {
  const refused = [
    'a*',
    'a+',
    'a{3,}',
    '(a|b){4}',
    '(a)\\1',
    '(?<=x)a',
    '(?<!x)a',
    '(?<n>a)\\k<n>',
    'a{301}',
    '[^"]*',
    'a*?',
    '(?:a?){9}',
  ];
  for (const source of refused) {
    assert.notDeepEqual(patternFaults(source), [], source);
    assert.throws(() => sticky(source), { code: 'internal' }, source);
  }
  for (const source of ['a\\*', '[*+{]', 'a{2,300}', '(?:ab|c)?', '\\d{3}', 'x(?!y)', '\\(\\){2}']) {
    assert.deepEqual(patternFaults(source), [], source);
  }
});

test('every vendor pattern is bounded', () => {
  for (const rule of secretRules) assert.deepEqual(patternFaults(rule.pattern), [], rule.id);
});

test('no file of the masker brings in a sticky pattern past the check', () => {
  const folder = new URL('../../../extproc/masking/', import.meta.url);
  for (const name of readdirSync(folder)) {
    if (name === 'pattern.ts') continue;
    const source = readFileSync(new URL(name, folder), 'utf8');
    assert.doesNotMatch(source, /RegExp\([^)]*['"`][gimsuv]*y/, name);
    assert.doesNotMatch(source, /\/[dgimsuv]*y[dgimsuv]*(?=[.,;)])/, name);
  }
});

test('a sticky pattern matches at the place it is asked for and nowhere else', () => {
  const pattern = sticky('b{1,2}');
  assert.equal(matchEnd(pattern, 'abbb', 1), 3);
  assert.equal(matchEnd(pattern, 'abbb', 0), -1);
});
