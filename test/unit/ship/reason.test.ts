import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { reasonOf } from '../../../extproc/ship/reason.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (thrown) {
    return thrown;
  }
  return assert.fail('nothing was thrown');
}

test('what we say ourselves is said', () => {
  assert.equal(
    reasonOf(new SkilltapeError('masking_failed', 'masking failed with Error')),
    'masking failed with Error',
  );
});

test('what others say may quote what they choked on, so only its kind is said', () => {
  const quoting = thrownBy(() => JSON.parse('{"my secret": secret}'));
  assert.match(String(quoting), /secret/);
  assert.equal(reasonOf(quoting), 'SyntaxError');
  assert.equal(reasonOf(SkilltapeError.from(quoting)), 'SkilltapeError');
  assert.equal(reasonOf('my secret'), 'string');
  assert.equal(reasonOf(null), 'object');
});
