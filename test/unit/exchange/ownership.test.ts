import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnedId } from '../../../extproc/claude/owned-ids.ts';
import { claimAll, createOwners, ownerFacts } from '../../../extproc/exchange/ownership.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';

const keyedHash = keyedHashWith(new Uint8Array(32));
const ada = { identity: { issuer: 'https://idp', subject: 'ada' }, connection: 'claude', keyedHash };
const file = (id: string): OwnedId => ({ kind: 'file', id });

test("a thing is its first owner's, over that connection, and another's for everybody else", async () => {
  const owners = createOwners(10);
  await claimAll([file('file_1')], ada, owners);
  const ownerFor = (scope: Parameters<typeof ownerFacts>[1]) => ownerFacts([file('file_1')], scope, owners)[0]?.owner;
  assert.equal(ownerFor(ada), 'mine');
  assert.equal(ownerFor({ ...ada, identity: { issuer: 'https://idp', subject: 'bob' } }), 'others');
  assert.equal(ownerFor({ ...ada, identity: { issuer: 'https://other', subject: 'ada' } }), 'others');
  assert.equal(ownerFor({ ...ada, connection: 'sandbox' }), 'others');
  assert.equal(ownerFor({ ...ada, identity: null }), 'others');
  assert.equal(ownerFacts([{ kind: 'skill', id: 'file_1' }], ada, owners)[0]?.owner, 'unknown', 'of another kind');
});

test('who comes later does not take a thing over', async () => {
  const owners = createOwners(10);
  await claimAll([file('file_1')], ada, owners);
  await claimAll([file('file_1')], { ...ada, identity: { issuer: 'https://idp', subject: 'bob' } }, owners);
  assert.deepEqual(ownerFacts([file('file_1')], ada, owners), [{ kind: 'file', owner: 'mine', count: 1 }]);
});

test('nobody known owns nothing', async () => {
  const owners = createOwners(10);
  await claimAll([file('file_1')], { ...ada, identity: null }, owners);
  assert.deepEqual(ownerFacts([file('file_1')], ada, owners), [{ kind: 'file', owner: 'unknown', count: 1 }]);
});

test('things are added up by kind and owner, and no id is said', async () => {
  const owners = createOwners(10);
  await claimAll([file('file_1'), file('file_2')], ada, owners);
  const named = [file('file_1'), file('file_2'), file('file_3'), { kind: 'container', id: 'container_1' } as const];
  const facts = ownerFacts(named, ada, owners);
  assert.deepEqual(facts, [
    { kind: 'file', owner: 'mine', count: 2 },
    { kind: 'file', owner: 'unknown', count: 1 },
    { kind: 'container', owner: 'unknown', count: 1 },
  ]);
});

test('what is stored counts before whoever comes later, also when it was forgotten in memory', () => {
  const owners = createOwners(1, (key) => (key === 'stored' ? 'ada' : null));
  owners.claim('stored', 'bob');
  owners.claim('other', 'bob');
  assert.deepEqual([owners.ownerOf('stored'), owners.ownerOf('other')], ['ada', null]);
});

test('the owner used longest ago is forgotten first', () => {
  const owners = createOwners(2);
  owners.claim('a', 'ada');
  owners.claim('b', 'bob');
  owners.ownerOf('a');
  owners.claim('c', 'cleo');
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => owners.ownerOf(key)),
    ['ada', null, 'cleo'],
  );
});
