import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { endpointListFaults } from '../../../extproc/policy/endpoint-list.ts';
import { layoutFaults } from '../../../extproc/policy/layout.ts';
import { policiesDirectory } from '../../policy/opa.ts';

test('the shipped list names endpoints', () => {
  const shipped = JSON.parse(readFileSync(join(policiesDirectory, 'lists/endpoints/data.json'), 'utf8'));
  assert.deepEqual(endpointListFaults(shipped), []);
  assert.deepEqual(endpointListFaults(undefined), []);
});

test('an entry that stands for no endpoint is a fault that names it', () => {
  const wrong = ['mesages.*', 'messages', 'messages.creat', '*', 'messages.*.x', 'files*', ''];
  const faults = endpointListFaults({ allowed: ['messages.create', ...wrong], allowed_with_secrets: ['vault.*', 7] });
  assert.deepEqual(
    faults.map(({ reason }) => reason),
    [
      ...wrong.map((entry) => `allowed names no endpoint: ${JSON.stringify(entry)}`),
      'allowed_with_secrets names no endpoint: "vault.*"',
    ],
  );
});

test('a policy directory with such an entry does not load', () => {
  const compiled = new Map([
    ['lists/endpoints/data.json', Buffer.from('{"allowed": ["mesages.*"], "allowed_with_secrets": []}')],
  ]);
  assert.deepEqual(layoutFaults(compiled), [
    { path: 'lists/endpoints/data.json', line: 1, reason: 'allowed names no endpoint: "mesages.*"' },
  ]);
});
