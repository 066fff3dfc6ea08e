import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bearerOf } from '../../../extproc/console/bearer.ts';
import { signInAt } from '../../../extproc/console/sign-in.ts';
import { createBrowser } from '../../environment/browser.ts';
import { FORGERIES } from '../../fakes/identity-provider/sign.ts';
import { type IdentityProvider, startIdentityProvider } from '../../fakes/identity-provider.ts';

const origin = 'http://127.0.0.1:9';
const users = [
  { subject: 'grace', name: 'Grace', email: 'grace@example.com', groups: ['security'] },
  { subject: 'sam', name: 'Sam', email: 'sam@example.com', groups: [] },
];
const claims = { subject: 'sub', name: 'name', email: 'email', groups: 'groups' };

let idp: IdentityProvider;
before(async () => {
  idp = await startIdentityProvider({
    ...{ listen: { host: '127.0.0.1', port: 0 }, users, audience: 'skilltape' },
    webClient: { clientId: 'console', clientSecret: 'a secret with : and %', origin },
  });
});
after(() => idp.close());

function provider() {
  return { name: 'idp', issuer: idp.issuer, kind: 'person' as const, claims };
}

function signIn(clientSecret = 'a secret with : and %', now = Date.now) {
  return signInAt({
    ...{ provider: provider(), origin, clientId: 'console', clientSecret },
    ...{ scope: 'openid profile email groups', ca: null, maxAgeSeconds: 3600, now },
  });
}

/** What the provider sends a browser back with after somebody logged in there. */
async function loggedIn(url: string, subject: string): Promise<string> {
  const open = createBrowser(idp.issuer);
  const { url: form } = await open(url);
  const { url: back } = await open(form, { subject });
  assert.ok(back.startsWith(`${origin}/login/callback?`), back);
  return new URL(back).search.slice(1);
}

test('a login gives who it was by the claims of the configuration, and when', async () => {
  const { begin, complete, close } = signIn();
  const { url, ...expected } = await begin();
  const query = await loggedIn(url, 'grace');
  const answer = await complete(query, expected);
  assert.ok(answer.kind === 'person');
  const { identity, authenticatedMs } = answer;
  assert.deepEqual([identity.issuer, identity.subject, identity.groups], [idp.issuer, 'grace', ['security']]);
  assert.ok(authenticatedMs !== null && Math.abs(authenticatedMs - Date.now()) < 60_000);
  const again = await complete(query, expected);
  assert.equal(again.kind, 'refused', 'a code is good once');
  await close();
});

test('what belongs to another login is refused: state, nonce, verifier', async () => {
  const { begin, complete, close } = signIn();
  for (const change of [{ state: 'x' }, { nonce: 'x' }, { codeVerifier: 'x'.repeat(43) }]) {
    const { url, ...expected } = await begin();
    const answer = await complete(await loggedIn(url, 'grace'), { ...expected, ...change });
    assert.equal(answer.kind, 'refused', Object.keys(change)[0]);
    assert.doesNotMatch(JSON.stringify(answer), /code=/);
  }
  await close();
});

test('a wrong secret of the client, and a person who declines, log nobody in', async () => {
  const wrong = signIn('another secret');
  const { url, ...expected } = await wrong.begin();
  assert.equal((await wrong.complete(await loggedIn(url, 'grace'), expected)).kind, 'refused');
  const declined = await wrong.complete(
    `error=access_denied&state=${expected.state}&iss=${encodeURIComponent(idp.issuer)}`,
    expected,
  );
  assert.deepEqual(declined, { kind: 'refused', why: 'access_denied' });
  await wrong.close();
});

test('a login at the provider that is older than a session may be is refused', async () => {
  const late = signIn(undefined, () => Date.now() + 2 * 3_600_000);
  const { url, ...expected } = await late.begin();
  const answer = await late.complete(await loggedIn(url, 'grace'), expected);
  assert.ok(answer.kind === 'refused');
  assert.match(answer.why, /too long ago/);
  await late.close();
});

test('a provider that does not answer is told so, and asked again later', async () => {
  const settings = { ...provider(), issuer: 'http://127.0.0.1:9' };
  const absent = signInAt({
    ...{
      provider: settings,
      origin,
      clientId: 'console',
      clientSecret: null,
      scope: 'openid',
      ca: null,
      maxAgeSeconds: 60,
      now: Date.now,
    },
  });
  await assert.rejects(absent.begin(), /does not answer/);
  const answer = await absent.complete('code=c', { state: 's', nonce: 'n', codeVerifier: 'v' });
  assert.equal(answer.kind, 'unreachable');
  assert.equal(await absent.logoutUrl('t'), null);
  await absent.close();
});

function bearer(audiences: readonly string[] = ['skilltape-console']) {
  return bearerOf({ providers: [{ provider: provider(), jwksUri: idp.jwksUri }], audiences, ca: null });
}

test('a token for the API stands for its person; one for requests does not', async () => {
  const api = bearer();
  const token = await idp.token('grace', { audience: 'skilltape-console', claims: { auth_time: 1_700_000_000 } });
  const answer = await api.verify(token);
  assert.ok(answer.kind === 'person');
  assert.deepEqual(
    [answer.identity.subject, answer.identity.groups, answer.authenticatedMs],
    ['grace', ['security'], 1_700_000_000_000],
  );
  const forRequests = await api.verify(await idp.token('grace'));
  assert.deepEqual(forRequests, { kind: 'refused', why: 'The token was refused: its claim aud does not fit.' });
  const ended = await api.verify(await idp.token('grace', { audience: 'skilltape-console', expiresInSeconds: -3600 }));
  assert.deepEqual(ended, { kind: 'refused', why: 'The token was refused: it has ended.' });
  await api.close();
  const closed = bearer([]);
  assert.deepEqual(await closed.verify(token), { kind: 'refused', why: 'This API takes no tokens.' });
  await closed.close();
});

test('the ID token of a login decides nothing, also where the API takes tokens for the client of the console', async () => {
  const { begin, complete, close } = signIn();
  const { url, ...expected } = await begin();
  const login = await complete(await loggedIn(url, 'grace'), expected);
  assert.ok(login.kind === 'person');
  const api = bearer(['console']);
  assert.equal((await api.verify(await idp.token('grace', { audience: 'console' }))).kind, 'person');
  assert.deepEqual(await api.verify(login.idToken), {
    kind: 'refused',
    why: 'The token is the ID token of a login, and none for an API.',
  });
  const forAccess = { audience: 'console', claims: { nonce: 'n', typ: 'Bearer' } };
  assert.equal((await api.verify(await idp.token('grace', forAccess))).kind, 'person');
  await Promise.all([api.close(), close()]);
});

test('no forged token stands for anybody', async () => {
  // Its forgeries are right in all but one point for the audience that they are made for.
  const api = bearer(['skilltape']);
  const whole = await idp.token('grace', { audience: 'skilltape' });
  assert.equal((await api.verify(whole)).kind, 'person');
  for (const kind of FORGERIES) {
    assert.equal((await api.verify(await idp.forge({ kind, subject: 'grace' }))).kind, 'refused', kind);
  }
  for (const token of ['', 'x', 'a.b.c', `${whole}x`, 'x'.repeat(20_000)]) {
    assert.equal((await api.verify(token)).kind, 'refused');
  }
  await api.close();
});
