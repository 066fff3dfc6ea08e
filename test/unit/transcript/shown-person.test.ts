import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';
import { unjudgedPrivacy, usualPrivacy } from '../../../extproc/policy/privacy-decision.ts';
import { pseudonymOf, withShownPerson } from '../../../extproc/transcript/shown-person.ts';
import { documentOf } from '../../builders/document.ts';

const keyedHash = keyedHashWith(new Uint8Array(32).fill(3));
const document = {
  ...documentOf(),
  user: { id: 'u-1', name: 'Ada', email: 'ada@example.org', roles: ['staff'], domain: 'https://idp.example' },
  source: { ip: '192.0.2.7' },
};

test('a pseudonym stands in place of name, mail address and subject, one for each person of an issuer', () => {
  const { user, source } = withShownPerson(document, { ...usualPrivacy, person: 'pseudonym' }, keyedHash);
  const pseudonym = pseudonymOf(keyedHash, { issuer: 'https://idp.example', subject: 'u-1' });
  assert.match(pseudonym, /^p-[0-9a-f]{20}$/);
  assert.deepEqual(user, { id: pseudonym, name: '', email: '', roles: ['staff'], domain: 'https://idp.example' });
  assert.deepEqual(source, { ip: '192.0.2.7' });
  assert.notEqual(pseudonymOf(keyedHash, { issuer: 'https://other.example', subject: 'u-1' }), pseudonym);
  assert.notEqual(pseudonymOf(keyedHash, { issuer: 'https://idp.example', subject: 'u-2' }), pseudonym);
});

test('address and groups are left out where policy wants it, and nothing else changes', () => {
  const shown = withShownPerson(document, { person: 'named', address: 'dropped', groups: 'dropped' }, keyedHash);
  assert.deepEqual([shown.user?.roles, shown.user?.name, shown.source.ip], [[], 'Ada', '0.0.0.0']);
  assert.deepEqual(withShownPerson(document, usualPrivacy, keyedHash), document);
  assert.equal(
    withShownPerson({ ...document, user: null }, { ...usualPrivacy, person: 'pseudonym' }, keyedHash).user,
    null,
  );
});

test('what no rule could judge is shown as little as any entry of the list asks for', () => {
  const rules = [{ person: 'pseudonym' }, { when: { groups: ['x'] }, address: 'dropped', person: 'named' }];
  assert.deepEqual(unjudgedPrivacy({ lists: { privacy: { rules } } }), {
    ...{ person: 'pseudonym', address: 'dropped', groups: 'kept' },
  });
  for (const data of [{}, { lists: {} }, { lists: { privacy: { rules: [] } } }])
    assert.deepEqual(unjudgedPrivacy(data), usualPrivacy);
});
