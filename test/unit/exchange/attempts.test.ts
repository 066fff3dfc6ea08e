import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAttempts } from '../../../extproc/exchange/attempts.ts';

test('every later attempt of a request is linked to its first', () => {
  const attempts = createAttempts(10);
  assert.deepEqual(
    ['a', 'b', 'c'].map((exchange) => attempts.linkTo('request-1', exchange)),
    [null, 'a', 'a'],
  );
  assert.equal(attempts.linkTo('request-2', 'd'), null);
});

test('requests without an id are never linked to one another', () => {
  const attempts = createAttempts(10);
  assert.equal(attempts.linkTo('', 'a'), null);
  assert.equal(attempts.linkTo('', 'b'), null);
});

test('names of parts of every object are ids like others', () => {
  const attempts = createAttempts(10);
  assert.equal(attempts.linkTo('__proto__', 'a'), null);
  assert.equal(attempts.linkTo('constructor', 'b'), null);
  assert.equal(attempts.linkTo('__proto__', 'c'), 'a');
});

test('the oldest requests are forgotten first, beyond the limit', () => {
  const attempts = createAttempts(2);
  for (const id of ['1', '2', '3']) attempts.linkTo(`request-${id}`, id);
  assert.equal(attempts.linkTo('request-2', 'x'), '2');
  assert.equal(attempts.linkTo('request-3', 'x'), '3');
  assert.equal(attempts.linkTo('request-1', 'x'), null);
});
