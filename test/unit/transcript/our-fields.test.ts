import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Masker } from '../../../extproc/masking/masker.ts';
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
    ['skilltape', 'verdict', 'record_policy_revision'],
    ['skilltape', 'history', 'prefix_hash'],
    ['skilltape', 'body', 'request', 'decoded_bytes'],
    ['skilltape', 'body', 'answer', 'codings', 0],
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
    ['skilltape', 'decoded_detail'],
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

test('an id of the tree of agents stays when it is a random UUID, and is masked like any text otherwise', () => {
  const masker = new Masker({ key: new Uint8Array(32).fill(1) });
  const masked = (id: string) =>
    masker.json({ gen_ai: { agent: { id } }, skilltape: { agent: { parent_id: id, prompt_id: id } } }, options).value;
  const options = { scope: 's', exempt: isOurs };
  const asIs = (id: string) => ({ gen_ai: { agent: { id } }, skilltape: { agent: { parent_id: id, prompt_id: id } } });
  for (const id of ['00613529-3046-44dc-b9e7-e04f7142003a', '00163121-7326-4566-be0f-1a68d4175f69'])
    assert.deepEqual(masked(id), asIs(id));
  fc.assert(fc.property(fc.uuid({ version: 4 }), (id) => assert.deepEqual(masked(id), asIs(id))));
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (bits) => {
      const id = `a${bits.toString(16).padStart(16, '0')}`;
      assert.deepEqual(masked(id), asIs(id));
    }),
  );
  for (const id of ['ada@example.org', '4111111111111111', `00613529-3046-44dc-b9e7-e04f7142003a ada@example.org`])
    assert.notDeepEqual(masked(id), asIs(id));
});
