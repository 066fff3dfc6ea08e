import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectTests } from './select.ts';

const files = [
  'test/wire/some-load.test.ts',
  'test/wire/real.test.ts',
  'test/wire/memory-b.test.ts',
  'test/unit/b.test.ts',
  'test/unit/a.test.ts',
];

test('unit tests come apart from those with real parts and from those that measure memory, all sorted', () => {
  assert.deepEqual(selectTests(files, []), {
    unit: ['test/unit/a.test.ts', 'test/unit/b.test.ts'],
    rest: ['test/wire/real.test.ts'],
    alone: ['test/wire/memory-b.test.ts', 'test/wire/some-load.test.ts'],
    patterns: [],
  });
});

test('an argument chooses files by a part of their path, an option tests by name', () => {
  const chosen = selectTests(files, ['./test/unit/a', 'wire/r', '--test-name-pattern=seal']);
  const [unit, rest] = [['test/unit/a.test.ts'], ['test/wire/real.test.ts']];
  assert.deepEqual(chosen, { unit, rest, alone: [], patterns: ['seal'] });
});

test('an option that is not known is refused, not passed over', () => {
  assert.throws(() => selectTests(files, ['--test-only']), /does not know the option --test-only/);
});
