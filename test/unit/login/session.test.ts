import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { currentToken, loginOf, type Refreshed, type Tokens } from '../../../extproc/login/session.ts';
import type { LoginSettings } from '../../../extproc/login/settings.ts';
import { LoginStore } from '../../../extproc/login/store.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const settings: LoginSettings = {
  ...{
    issuer: 'https://idp.example.com',
    clientId: 'cli',
    scope: 'openid',
    resource: null,
    audience: null,
    caFile: null,
  },
  kind: 'access_token',
};
const minute = 60_000;
const tokensFor = (token: string, expiresAtMs: number, refreshToken: string | null = `refresh-${token}`): Tokens => ({
  ...{ token, expiresAtMs, refreshToken, subject: 'alice' },
});

/** A login of an hour that began at 0, and what asking for a token at `nowMs` gives. */
function rig(t: TestContext, { refreshToken = 'refresh-0' }: { refreshToken?: string | null } = {}) {
  const store = new LoginStore(temporaryDirectory(t));
  store.write(loginOf(settings, tokensFor('first', 60 * minute, refreshToken), 0));
  const asked: string[] = [];
  const ask = (nowMs: number, answer: Refreshed | (() => Promise<Refreshed>), minValidityMs = 6 * minute) =>
    currentToken(store, {
      minValidityMs,
      now: () => nowMs,
      refresh: async (_, token) => {
        asked.push(token);
        return typeof answer === 'function' ? answer() : answer;
      },
    });
  return { store, asked, ask };
}

const renewedUntil = (untilMs: number): Refreshed => ({ kind: 'tokens', tokens: tokensFor('second', untilMs) });
const ended: Refreshed = { kind: 'ended', why: 'invalid_grant' };
const unreachable: Refreshed = { kind: 'unreachable', why: 'connect ECONNREFUSED' };

test('a token that is good for long is given without asking anybody', async (t) => {
  const { ask, asked } = rig(t);
  assert.deepEqual(await ask(53 * minute, ended), { kind: 'token', token: 'first', warning: null });
  assert.deepEqual(asked, []);
});

test('a token is renewed well before it ends, and the new one is kept', async (t) => {
  const { ask, asked, store } = rig(t);
  const outcome = await ask(55 * minute, renewedUntil(115 * minute));
  assert.deepEqual(outcome, { kind: 'token', token: 'second', warning: null });
  assert.deepEqual(await ask(56 * minute, ended), outcome);
  assert.deepEqual(asked, ['refresh-0']);
  assert.equal(store.read()?.refreshToken, 'refresh-second');
});

test('a provider that gives no new refresh token means the old one', async (t) => {
  const { ask, store } = rig(t);
  await ask(59 * minute, { kind: 'tokens', tokens: tokensFor('second', 119 * minute, null) });
  assert.equal(store.read()?.refreshToken, 'refresh-0');
});

test('a token of a short life is not renewed at every call', async (t) => {
  const { ask, asked, store } = rig(t);
  store.write(loginOf(settings, tokensFor('short', 4 * minute), 0));
  assert.equal((await ask(1 * minute, ended)).kind, 'token');
  assert.deepEqual(asked, []);
  await ask(3 * minute, renewedUntil(7 * minute));
  assert.deepEqual(asked, ['refresh-short']);
});

for (const [name, answer] of Object.entries({ ended, unreachable })) {
  test(`when the login is ${name}, a token that is still good is given with a warning, and none after its end`, async (t) => {
    const { ask } = rig(t);
    const outcome = await ask(58 * minute, answer);
    assert.ok(outcome.kind === 'token' && outcome.token === 'first');
    assert.match(outcome.warning ?? '', /120 s more/);
    assert.deepEqual(await ask(60 * minute, answer), answer);
  });
}

test('without a refresh token a login ends with its token', async (t) => {
  const { ask, asked } = rig(t, { refreshToken: null });
  assert.equal((await ask(58 * minute, ended)).kind, 'token');
  assert.equal((await ask(61 * minute, ended)).kind, 'ended');
  assert.deepEqual(asked, []);
});

test('of many that ask at once one asks the provider, and all get what it got', async (t) => {
  const { ask, asked } = rig(t);
  const slow = async (): Promise<Refreshed> => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return renewedUntil(120 * minute);
  };
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => ask(59 * minute, slow)));
  assert.deepEqual(asked, ['refresh-0']);
  for (const outcome of outcomes) assert.deepEqual(outcome, { kind: 'token', token: 'second', warning: null });
});

test('a logout while others wait ends in no token', async (t) => {
  const { ask, store } = rig(t);
  const gone = store.exclusively(async () => store.remove());
  assert.deepEqual(await ask(59 * minute, renewedUntil(120 * minute)), { kind: 'not_logged_in' });
  await gone;
});

test('a token that has ended when it comes is no login: the clocks differ', () => {
  assert.throws(() => loginOf(settings, tokensFor('x', 1_000), 2_000), /has ended already/);
});
