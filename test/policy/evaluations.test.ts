import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluations } from '../torture/evaluations.ts';

test('evaluations need no more memory than the first of each kind; npm run torture does a million', async (t) => {
  const { counts, violations } = await evaluations.run({ seed: 0, rounds: 5_000, progress: () => {} });
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(violations, []);
});
