import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestKey } from '../../../extproc/config/suggest.ts';

const known = [
  'limits.heldBodyMaxBytes',
  'journal.syncIntervalMs',
  'connections.<name>.identityProviders',
  'log.level',
];

test('a slip of the pen, a wrong section and a name inside a map find the key that was meant', () => {
  assert.equal(nearestKey('limits.heldBodyMaxByte', known), 'limits.heldBodyMaxBytes');
  assert.equal(nearestKey('limit', known), 'limits');
  assert.equal(nearestKey('limits.syncIntervalMs', known), 'journal.syncIntervalMs');
  assert.equal(nearestKey('connections.claude.identityproviders', known), 'connections.claude.identityProviders');
});

test('a name like no other, or of any length, finds nothing', () => {
  assert.equal(nearestKey('limits.colour', known), null);
  assert.equal(nearestKey(`limits.${'x'.repeat(100_000)}`, known), null);
});
