import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { LoginStore, type StoredLogin } from '../../../extproc/login/store.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const login: StoredLogin = {
  version: 1,
  settings: {
    issuer: 'https://idp.example.com',
    clientId: 'cli',
    scope: 'openid',
    resource: null,
    audience: null,
    caFile: null,
    kind: 'access_token',
  },
  token: 'secret-token',
  refreshToken: 'secret-refresh',
  obtainedAtMs: 0,
  expiresAtMs: 3_600_000,
  subject: 'alice',
};

const usage = (pattern: RegExp) => (error: unknown) =>
  error instanceof SkilltapeError &&
  error.code === 'usage' &&
  pattern.test(`${error.message} ${error.remedy}`) &&
  !JSON.stringify([error.message, error.remedy]).includes('secret');

test('a login is read back as it was written, and nobody else may read it', (t) => {
  const directory = join(temporaryDirectory(t), 'state', 'skilltape');
  const store = new LoginStore(directory);
  assert.equal(store.read(), null);
  store.write(login);
  assert.deepEqual(store.read(), login);
  assert.equal(statSync(join(directory, 'login.json')).mode & 0o777, 0o600);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(directory), ['login.json']);
  store.write({ ...login, token: 'another' });
  assert.equal(store.read()?.token, 'another');
  store.remove();
  assert.equal(store.read(), null);
});

for (const mode of [0o640, 0o604, 0o666]) {
  test(`a login that others may read or change (0${mode.toString(8)}) is refused, with the remedy`, (t) => {
    const directory = temporaryDirectory(t);
    const store = new LoginStore(directory);
    store.write(login);
    chmodSync(join(directory, 'login.json'), mode);
    assert.throws(() => store.read(), usage(/chmod 600/));
  });
}

test('a folder that others may write to is refused before anything is written into it', async (t) => {
  const directory = temporaryDirectory(t);
  const store = new LoginStore(directory);
  store.write(login);
  chmodSync(directory, 0o777);
  assert.throws(() => store.read(), usage(/chmod 700/));
  assert.throws(() => store.write(login), usage(/chmod 700/));
  await assert.rejects(
    store.exclusively(async () => {}),
    usage(/chmod 700/),
  );
});

test('a link, a folder, and what is no login are refused, and nothing of them is told', (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'login.json');
  const store = new LoginStore(directory);
  writeFileSync(join(directory, 'elsewhere'), JSON.stringify(login), { mode: 0o600 });
  symlinkSync(join(directory, 'elsewhere'), file);
  assert.throws(() => store.read(), usage(/no plain file/));
  store.remove();
  for (const content of [
    '',
    '{',
    '"secret"',
    JSON.stringify({ ...login, version: 2 }),
    `{"token":"secret`,
    'x'.repeat(300_000),
  ]) {
    writeFileSync(file, content, { mode: 0o600 });
    assert.throws(() => store.read(), usage(/cannot be used.*log in again/));
  }
  store.remove();
  mkdirSync(file, { mode: 0o700 });
  assert.throws(() => store.read(), usage(/no plain file/));
});

test('what is done exclusively is never done by two at once', async (t) => {
  const directory = temporaryDirectory(t);
  let inside = 0;
  let most = 0;
  const once = () =>
    new LoginStore(directory).exclusively(async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    });
  await Promise.all([once(), once(), once(), once()]);
  assert.equal(most, 1);
  await assert.rejects(
    new LoginStore(directory).exclusively(async () => {
      throw new Error('broken');
    }),
    /broken/,
  );
  await once();
});
