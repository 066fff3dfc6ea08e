import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOurs, requestIdOf } from '../../../extproc/transcript/our-fields.ts';

test('what we, Envoy and the identity provider write stays', () => {
  const ours = [
    ['@timestamp'],
    ['event', 'id'],
    ['user', 'roles', 0],
    ['source', 'ip'],
    ['http', 'response', 'status_code'],
    ['gen_ai', 'conversation', 'id'],
    ['skilltape', 'verdict', 'policy_revision'],
    ['skilltape', 'history', 'prefix_hash'],
  ];
  for (const path of ours) assert.equal(isOurs(path, 'x'), true, path.join('.'));
});

test('what a caller or an upstream writes does not, whatever it is called', () => {
  const theirs = [
    ['http', 'request', 'method'],
    ['url', 'path'],
    ['user_agent', 'original'],
    ['gen_ai', 'request', 'model'],
    ['gen_ai', 'tool', 'name', 0],
    ['skilltape', 'outcome_detail'],
    ['skilltape', 'verdict', 'reasons', 0, 'message'],
    ['skilltape', 'answer', 'event'],
    ['skilltape', 'answer', 'content', 0, 'signature'],
    ['skilltape', 'new_messages', 0, 'skilltape', 'outcome'],
    ['skilltape', 'error', 'skilltape.outcome'],
    [],
  ];
  for (const path of theirs) assert.equal(isOurs(path, 'x'), false, path.join('.'));
});

test('a request id is ours only in the form that Envoy gives it', () => {
  const id = '6f1c1f6e-9f0e-4b1e-8f43-0c8b5d1f2a77';
  assert.equal(isOurs(['http', 'request', 'id'], id), true);
  assert.equal(requestIdOf(id), id);
  for (const forged of ['ada@example.org', `${id}\nx`, `x${id}`, '']) {
    assert.equal(isOurs(['http', 'request', 'id'], forged), false);
    assert.equal(requestIdOf(forged), '');
  }
});
