import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNotify } from '../../../extproc/config/notify-coherence.ts';

function faultsOf(target: object): string[] {
  return checkNotify({ approvals: { notify: { targets: { x: target } } } }).map(
    ({ key, message }) => `${key} ${message}`,
  );
}

test('each kind of target has the keys that it needs, and none of another kind', () => {
  assert.deepEqual(faultsOf({ kind: 'slack', urlFile: 'u' }), []);
  assert.deepEqual(faultsOf({ kind: 'webhook', urlFile: 'u', secretFile: 's' }), []);
  assert.deepEqual(faultsOf({ kind: 'email', smtpHost: 'h', from: 'a@b', to: ['a@b'] }), []);
  assert.deepEqual(faultsOf({ kind: 'teams', smtpHost: 'h' }), [
    'approvals.notify.targets.x.urlFile is missing, but kind is teams',
    'approvals.notify.targets.x.smtpHost is given, but has no meaning where kind is teams',
  ]);
  assert.equal(faultsOf({ kind: 'webhook', urlFile: 'u' }).length, 1);
  assert.equal(faultsOf({ kind: 'email', smtpHost: 'h', from: 'a@b', to: ['a@b'], smtpUserFile: 'f' }).length, 1);
  assert.deepEqual(faultsOf({ kind: 'pigeon' }), [], 'the schema says that');
});

test('more targets than what waits for them has room for are a fault, and not a silence', () => {
  const targets = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`t-${n}`, { kind: 'slack', urlFile: 'u' }]));
  assert.deepEqual(checkNotify({ approvals: { notify: { targets: targets(20) } } }), []);
  assert.deepEqual(
    checkNotify({ approvals: { notify: { targets: targets(51) } } }).map(({ key, message }) => `${key} ${message}`),
    ['approvals.notify.targets has 51 entries, more than 20'],
  );
});
