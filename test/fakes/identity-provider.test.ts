import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mock, test } from 'node:test';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import { Agent, request as httpRequest } from 'undici';
import { createBrowser } from '../environment/browser.ts';
import { createAuthority } from './certificates.ts';
import { FORGERIES } from './identity-provider/sign.ts';
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts';

const AUDIENCE = 'skilltape';
const JANE = { subject: 'jane', name: 'Jane "J" <Doe>', email: 'jane@example.com', groups: ['research', 'admins'] };
const JOE = { subject: 'joe@example.com', name: 'Joe', email: 'joe@example.com', groups: [] };
const OPTIONS = { listen: { host: '127.0.0.1', port: 0 }, users: [JANE, JOE], audience: AUDIENCE };

/** Starts a provider, and fails if anything at all was written to the console while it ran. */
async function withProvider(use: (provider: IdentityProvider) => Promise<void>): Promise<void> {
  const noise = (['log', 'info', 'warn', 'error'] as const).map((name) => mock.method(console, name, () => undefined));
  const provider = await startIdentityProvider(OPTIONS);
  try {
    await use(provider);
  } finally {
    await provider.close();
    const calls = noise.flatMap((method) => method.mock.calls.map((call) => call.arguments));
    for (const method of noise) method.mock.restore();
    assert.deepEqual(calls, []);
  }
}

function verify(provider: IdentityProvider, token: string, audience = AUDIENCE) {
  return jwtVerify(token, createRemoteJWKSet(new URL(provider.jwksUri)), { issuer: provider.issuer, audience });
}

async function postToken(provider: IdentityProvider, form: Record<string, string>) {
  const response = await fetch(`${provider.issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
  return (await response.json()) as Record<string, string>;
}

test('discovery names the issuer, the keys and the flows', async () => {
  await withProvider(async (provider) => {
    const response = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
    const found = (await response.json()) as Record<string, unknown>;
    assert.equal(found.issuer, provider.issuer);
    assert.equal(found.jwks_uri, provider.jwksUri);
    assert.deepEqual(found.code_challenge_methods_supported, ['S256']);
    assert.deepEqual(found.response_types_supported, ['code']);
    const { keys } = (await (await fetch(provider.jwksUri)).json()) as JSONWebKeySet;
    assert.equal(keys.length, 1);
    assert.equal(keys[0]?.d, undefined);
  });
});

test('a token of the token endpoint says who, for whom and for an hour', async () => {
  await withProvider(async (provider) => {
    for (const user of OPTIONS.users) {
      const { payload, protectedHeader } = await verify(provider, await provider.token(user.subject));
      const { sub, name, email, groups, iat = 0, exp = 0 } = payload;
      assert.deepEqual({ subject: sub, name, email, groups }, user);
      assert.equal(exp - iat, 3600);
      assert.equal(protectedHeader.alg, 'RS256');
    }
    await assert.rejects(provider.token('nobody'), RangeError);
  });
});

test('a token with other claims is verified by the same published keys', async () => {
  await withProvider(async (provider) => {
    const token = await provider.token('jane', {
      audience: 'other',
      expiresInSeconds: 60,
      claims: { groups: ['x'], azp: 'app' },
    });
    const { payload } = await verify(provider, token, 'other');
    assert.deepEqual([payload.sub, payload.groups, payload.azp, payload.email], ['jane', ['x'], 'app', JANE.email]);
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60);
    await assert.rejects(verify(provider, await provider.token('jane', { expiresInSeconds: -1 })), errors.JWTExpired);
  });
});

test('every forged token is refused, for its own reason', async () => {
  await withProvider(async (provider) => {
    const reasons = new Map<string, unknown>();
    for (const kind of FORGERIES) {
      const forged = await provider.forge({ kind, subject: 'jane' });
      await assert.rejects(verify(provider, forged), (error: errors.JOSEError) => {
        reasons.set(kind, 'claim' in error ? `${error.code} ${error.claim}` : error.code);
        return true;
      });
    }
    assert.deepEqual(Object.fromEntries(reasons), {
      expired: 'ERR_JWT_EXPIRED exp',
      wrong_key: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      wrong_issuer: 'ERR_JWT_CLAIM_VALIDATION_FAILED iss',
      wrong_audience: 'ERR_JWT_CLAIM_VALIDATION_FAILED aud',
      alg_none: 'ERR_JOSE_NOT_SUPPORTED',
      not_yet_valid: 'ERR_JWT_CLAIM_VALIDATION_FAILED nbf',
      hs256_with_public_key: 'ERR_JOSE_NOT_SUPPORTED',
      unknown_key_id: 'ERR_JWKS_NO_MATCHING_KEY',
      spliced: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    });
  });
});

const REFRESHABLE = [{ scope: 'openid' }, { scope: 'openid offline_access', prompt: 'consent' }];
for (const asked of REFRESHABLE) {
  test(`a person signs in with code and PKCE (${JSON.stringify(asked)}), and the token can be refreshed`, async () => {
    await withProvider(async (provider) => {
      const verifier = randomBytes(32).toString('base64url');
      const redirectUri = 'http://127.0.0.1:54321/callback';
      const query = new URLSearchParams({
        client_id: provider.clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        ...asked,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      });
      const open = createBrowser(provider.issuer);
      const login = await open(`${provider.issuer}/auth?${query}`);
      assert.match(login.html, /value="jane">Jane &#34;J&#34; &#60;Doe&#62;/);
      const done = new URL((await open(login.url, { subject: 'jane' })).url);
      assert.equal(done.origin + done.pathname, redirectUri);
      const exchange = { grant_type: 'authorization_code', client_id: provider.clientId, redirect_uri: redirectUri };
      const code = done.searchParams.get('code') ?? '';
      const tokens = await postToken(provider, { ...exchange, code, code_verifier: verifier });
      const { payload } = await verify(provider, tokens.access_token ?? '');
      assert.deepEqual([payload.sub, payload.groups, payload.client_id], ['jane', JANE.groups, provider.clientId]);
      const refresh = {
        grant_type: 'refresh_token',
        client_id: provider.clientId,
        refresh_token: tokens.refresh_token ?? '',
      };
      const fresh = await verify(provider, (await postToken(provider, refresh)).access_token ?? '');
      assert.equal(fresh.payload.email, JANE.email);
      assert.equal((await postToken(provider, { ...exchange, code, code_verifier: verifier })).error, 'invalid_grant');
    });
  });
}

test('without PKCE, or for an unknown place to return to, no code is given', async () => {
  await withProvider(async (provider) => {
    const base = { client_id: provider.clientId, response_type: 'code', scope: 'openid' };
    const open = createBrowser(provider.issuer);
    const plain = new URLSearchParams({ ...base, redirect_uri: 'http://127.0.0.1:1/callback' });
    const refused = new URL((await open(`${provider.issuer}/auth?${plain}`)).url);
    assert.equal(refused.searchParams.get('error'), 'invalid_request');
    const elsewhere = new URLSearchParams({ ...base, redirect_uri: 'https://evil.invalid/callback' });
    const { html } = await open(`${provider.issuer}/auth?${elsewhere}`);
    assert.match(html, /Sign in failed/);
  });
});

test('a device signs in when a person enters its code', async () => {
  await withProvider(async (provider) => {
    const started = await fetch(`${provider.issuer}/device/auth`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: provider.clientId, scope: 'openid' }),
    });
    const device = (await started.json()) as Record<string, string>;
    const poll = {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: provider.clientId,
      device_code: device.device_code ?? '',
    };
    assert.equal((await postToken(provider, poll)).error, 'authorization_pending');

    const open = createBrowser(provider.issuer);
    const entry = await open(device.verification_uri ?? '');
    const xsrfOf = (html: string) => /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const again = await open(entry.url, { xsrf: xsrfOf(entry.html), user_code: 'WRONG' });
    assert.match(again.html, /not known/);
    const confirm = await open(entry.url, { xsrf: xsrfOf(again.html), user_code: device.user_code ?? '' });
    assert.match(confirm.html, new RegExp(device.user_code ?? 'no code'));
    const login = await open(entry.url, {
      xsrf: xsrfOf(confirm.html),
      user_code: device.user_code ?? '',
      confirm: 'yes',
    });
    const done = await open(login.url, { subject: JOE.subject });
    assert.match(done.html, /Signed in/);

    const { payload } = await verify(provider, (await postToken(provider, poll)).access_token ?? '');
    assert.deepEqual([payload.sub, payload.groups], [JOE.subject, []]);
  });
});

test('a login that is over, or for nobody known, does not sign in', async () => {
  await withProvider(async (provider) => {
    const open = createBrowser(provider.issuer);
    const gone = await open(`${provider.issuer}/interaction/unknown`, { subject: 'jane' });
    assert.match(gone.html, /Start again/);
  });
});

test('the whole provider works over TLS of our own authority', async () => {
  const authority = await createAuthority('identity authority');
  const tls = await authority.issue({ commonName: 'identity', ipAddresses: ['127.0.0.1'] });
  const provider = await startIdentityProvider({ ...OPTIONS, audience: 'https://api.example.com/', tls });
  const dispatcher = new Agent({ connect: { ca: authority.certificatePem } });
  try {
    assert.match(provider.issuer, /^https:/);
    const { body } = await httpRequest(provider.jwksUri, { dispatcher });
    const keys = createLocalJWKSet((await body.json()) as JSONWebKeySet);
    const expected = { issuer: provider.issuer, audience: 'https://api.example.com/' };
    const { payload } = await jwtVerify(await provider.token('jane'), keys, expected);
    assert.equal(payload.sub, 'jane');
  } finally {
    await dispatcher.close();
    await provider.close();
  }
});
