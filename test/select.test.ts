import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectTests } from './select.ts';

const files = ['test/wire/real.test.ts', 'test/unit/b.test.ts', 'test/unit/a.test.ts'];

test('unit tests come apart from those with real parts, both sorted', () => {
  assert.deepEqual(selectTests(files, []), {
    unit: ['test/unit/a.test.ts', 'test/unit/b.test.ts'],
    rest: ['test/wire/real.test.ts'],
    patterns: [],
  });
});

test('an argument chooses files by a part of their path, an option tests by name', () => {
  const chosen = selectTests(files, ['./test/unit/a', 'wire', '--test-name-pattern=seal']);
  assert.deepEqual(chosen, { unit: ['test/unit/a.test.ts'], rest: ['test/wire/real.test.ts'], patterns: ['seal'] });
});

test('an option that is not known is refused, not passed over', () => {
  assert.throws(() => selectTests(files, ['--test-only']), /does not know the option --test-only/);
});
