import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { loadConfig, readConfig } from '../../../extproc/config/load.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const example = resolve(import.meta.dirname, '../../../deploy/skilltape.yaml');

test('the example in deploy/ loads without a fault', () => {
  const config = loadConfig(example, {});
  assert.deepEqual(config.connections.claude?.identityProviders, ['idp']);
  assert.equal(config.policies.directory, resolve(example, '../policies'));
});

test('the two shipped configurations name the same socket, provider, issuer and connection', () => {
  const config = loadConfig(example, {});
  const envoy = readFileSync(resolve(example, '../../envoy/envoy.yaml'), 'utf8');
  for (const [name, { issuer }] of Object.entries(config.identityProviders)) {
    assert.match(envoy, new RegExp(`payload_in_metadata: payload_${name}\\n`));
    assert.match(envoy, new RegExp(`failed_status_in_metadata: failed_${name}\\n`));
    assert.ok(envoy.includes(`issuer: ${issuer}\n`));
  }
  assert.ok(envoy.includes(`path: ${config.listen.socket}`));
  for (const name of Object.keys(config.connections))
    assert.match(envoy, new RegExp(`x-skilltape-connection,? value: ${name}|value: ${name}\\b`));
});

test('the file is the one given, else the one SKILLTAPE_CONFIG names', () => {
  assert.equal(loadConfig(undefined, { SKILLTAPE_CONFIG: example }).decisionTimeoutMs, 30_000);
  const reading = readConfig('/nowhere/skilltape.yaml', { SKILLTAPE_CONFIG: example });
  assert.ok(!reading.ok);
  assert.match(reading.faults[0]?.message ?? '', /^\/nowhere\/skilltape\.yaml cannot be read/);
});

test('a variable that skilltape does not know is a fault beside those of the file', (t) => {
  const file = join(temporaryDirectory(t), 'skilltape.yaml');
  writeFileSync(file, 'dataDirectory: 1\n');
  const reading = readConfig(file, { SKILLTAPE_CONFG: 'x', SKILLTAPE_CONFIG: file, PATH: '/bin' });
  assert.ok(!reading.ok);
  const keys = reading.faults.map((fault) => fault.key);
  assert.equal(keys[0], 'SKILLTAPE_CONFG');
  assert.ok(keys.includes('dataDirectory'));
});

test('a file that is not UTF-8 is refused', (t) => {
  const file = join(temporaryDirectory(t), 'skilltape.yaml');
  writeFileSync(file, Buffer.from([0x61, 0xff, 0xfe]));
  const reading = readConfig(file, {});
  assert.ok(!reading.ok);
  assert.match(reading.faults[0]?.message ?? '', /not UTF-8/);
});

test('loading reports all faults in one error', () => {
  assert.throws(
    () => loadConfig('/nowhere/skilltape.yaml', { SKILLTAPE_X: '1', SKILLTAPE_Y: '1' }),
    (error) =>
      error instanceof SkilltapeError &&
      error.code === 'config_invalid' &&
      /^3 faults .*SKILLTAPE_X.*SKILLTAPE_Y/s.test(error.message),
  );
});
