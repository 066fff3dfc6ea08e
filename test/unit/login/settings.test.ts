import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { loginSettings } from '../../../extproc/login/settings.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const usage = (pattern: RegExp) => (error: unknown) =>
  error instanceof SkilltapeError && error.code === 'usage' && pattern.test(`${error.message} ${error.remedy}`);

function homeWith(directory: string, text: string): Record<string, string> {
  mkdirSync(join(directory, 'skilltape'), { recursive: true });
  writeFileSync(join(directory, 'skilltape', 'login.yaml'), text);
  return { XDG_CONFIG_HOME: directory };
}

test('flags win over variables, and variables over login.yaml', (t) => {
  const env = homeWith(temporaryDirectory(t), 'issuer: https://file.example.com\nclientId: file\naudience: gateway\n');
  assert.deepEqual(loginSettings({}, env), {
    ...{ issuer: 'https://file.example.com', clientId: 'file', audience: 'gateway', resource: null, caFile: null },
    ...{ scope: 'openid profile email offline_access', kind: 'access_token' },
  });
  const both = { ...env, SKILLTAPE_ISSUER: 'https://env.example.com', SKILLTAPE_CLIENT_ID: 'env' };
  assert.equal(loginSettings({}, both).issuer, 'https://env.example.com');
  const flags = { issuer: 'https://flag.example.com', idToken: true };
  const { issuer, clientId, kind } = loginSettings(flags, both);
  assert.deepEqual([issuer, clientId, kind], ['https://flag.example.com', 'env', 'id_token']);
});

test('what is missing is named, with the three places where it may stand', (t) => {
  const env = { XDG_CONFIG_HOME: temporaryDirectory(t) };
  assert.throws(
    () => loginSettings({}, env),
    usage(/--issuer and --client-id must be given.*SKILLTAPE_ISSUER.*login\.yaml/),
  );
  assert.throws(() => loginSettings({ issuer: 'https://a.example.com' }, env), usage(/^--client-id must/));
});

test('a login.yaml that cannot be read is named with the reason', (t) => {
  for (const text of ['issuer: [', 'isuer: https://a', 'clientId: 7', '- a']) {
    const env = homeWith(temporaryDirectory(t), text);
    assert.throws(() => loginSettings({}, env), usage(/login\.yaml cannot be used/));
  }
});

test('an issuer over plain http is taken on this machine only', (t) => {
  const env = { XDG_CONFIG_HOME: temporaryDirectory(t) };
  const settings = (issuer: string) => loginSettings({ issuer, clientId: 'x' }, env);
  assert.equal(settings('http://127.0.0.1:9').issuer, 'http://127.0.0.1:9');
  for (const issuer of ['http://idp.example.com', 'idp.example.com', 'ftp://x', 'http://127.0.0.1.example.com', ''])
    assert.throws(() => settings(issuer), usage(/https URL/));
});
