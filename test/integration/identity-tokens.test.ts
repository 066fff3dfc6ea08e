import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { HeaderPairs } from '../environment/https-call.ts';
import { httpsCall } from '../environment/https-call.ts';

/** Beside `identity.test.ts`: tokens that a library of somebody else's once took, and claims that no person has. */
let gateway: TestGateway;
let alice: string;
before(async () => {
  gateway = await startTestGateway();
  alice = await gateway.token('alice');
});
after(() => gateway.stop());

const body = messagesBody('Who am I?');

async function call(headers: HeaderPairs, path = '/v1/messages') {
  const usual = [['content-type', 'application/json'] as const, ['anthropic-version', '2023-06-01'] as const];
  const before = gateway.fake.requestCount();
  const answer = await httpsCall(gateway, { headers: [...usual, ...headers], body, path });
  const upstream = gateway.fake.requests.slice(before);
  return { ...answer, upstream };
}

/** Refused and recorded without a person, and unknown to the upstream. */
async function assertRefused(name: string, headers: HeaderPairs, path?: string): Promise<void> {
  const { status, upstream, exchangeId, body: text } = await call(headers, path);
  assert.equal(status, 401, `${name}: ${status} ${text}`);
  assert.deepEqual(upstream, [], name);
  const { skilltape, user } = await gateway.document(exchangeId);
  assert.deepEqual([skilltape.outcome, user], ['denied', null], name);
}

/** A token that somebody without the provider's key signed, with what makes a careless verifier take it. */
async function signedByNobody(header: Partial<JWTHeaderParameters>, alg = 'RS256'): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'own', alg };
  const [, claims = ''] = alice.split('.');
  const own = header.jwk === undefined ? {} : { jwk };
  return new SignJWT(JSON.parse(Buffer.from(claims, 'base64url').toString()))
    .setProtectedHeader({ ...header, ...own, alg })
    .sign(privateKey);
}

const withHeader = (change: object) => {
  const [head = '', ...rest] = alice.split('.');
  const header = { ...JSON.parse(Buffer.from(head, 'base64url').toString()), ...change };
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
};

test('a key of the caller, brought along or pointed at, verifies nothing', async () => {
  const { kid } = JSON.parse(Buffer.from(alice.split('.')[0] ?? '', 'base64url').toString());
  const forged: Record<string, string> = {
    'a key in the header': await signedByNobody({ jwk: {} }),
    'a key set of the caller': await signedByNobody({ jku: `${gateway.url}/jwks`, kid }),
    'a certificate of the caller': await signedByNobody({ x5u: 'https://elsewhere.example/x.pem', x5c: ['MIIB'], kid }),
    'another algorithm': await signedByNobody({ kid }, 'ES256'),
    'a stronger one': await signedByNobody({ kid }, 'PS512'),
    'a key id that is a path': await signedByNobody({ kid: '../../../../dev/null' }),
    'a key id that is a query': await signedByNobody({ kid: "x' UNION SELECT 'k" }),
    'no key id': await signedByNobody({}),
  };
  for (const [name, token] of Object.entries(forged)) {
    await assertRefused(name, [['authorization', `Bearer ${token}`]]);
    await assertRefused(name, [['x-api-key', token]]);
  }
});

test('a header that was changed under its signature is refused, however "none" is written', async () => {
  const algorithms = ['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'RS512', null, 0].map((alg) => withHeader({ alg }));
  const changed = [...algorithms, withHeader({ crit: ['exp'] }), withHeader({ b64: false, crit: ['b64'] })];
  for (const token of [...changed, ...algorithms.map((each) => each.replace(/[^.]*$/, ''))])
    await assertRefused(token.slice(0, 60), [['authorization', `Bearer ${token}`]]);
});

test('what is no three parts of base64 is no token', async () => {
  const [head = '', claims = '', signature = ''] = alice.split('.');
  const broken: string[] = [
    ...[`${head}.${claims}`, `${head}.${claims}.`, `..${signature}`, `${alice}.x`, `${head}..${signature}`],
    ...[
      `${head}.${claims}.${signature}.${head}.${claims}`,
      `${head}.${head}.${signature}`,
      `${claims}.${head}.${signature}`,
    ],
    ...[`${head}.${claims}.${'A'.repeat(signature.length)}`, `${head}.${claims}.${signature.toUpperCase()}`],
    ...[`${head}.W10.${signature}`, `${head}.bnVsbA.${signature}`, `e30.e30.${signature}`, 'e30.e30.', 'null', '{}'],
  ];
  for (const token of broken) await assertRefused(token.slice(0, 60), [['authorization', `Bearer ${token}`]]);
});

test('a token where no token belongs stands for nobody', async () => {
  const places: Record<string, HeaderPairs> = {
    'a cookie': [['cookie', `access_token=${alice}; token=${alice}; session=${alice}`]],
    'a proxy header': [['proxy-authorization', `Bearer ${alice}`]],
    'another header': [
      ['x-access-token', alice],
      ['x-goog-iap-jwt-assertion', alice],
      ['x-amzn-oidc-data', alice],
    ],
    'another scheme': [['authorization', `Token ${alice}`]],
    'no scheme': [['authorization', alice]],
    'a scheme that begins like it': [['authorization', `Bearers ${alice}`]],
    'basic, as a user': [['authorization', `Basic ${Buffer.from(`${alice}:x`).toString('base64')}`]],
    'the metadata of Envoy': [
      ['x-envoy-jwt-payload', alice.split('.')[1] ?? ''],
      ['x-jwt-payload', alice.split('.')[1] ?? ''],
    ],
  };
  for (const [name, headers] of Object.entries(places)) await assertRefused(name, headers);
  for (const name of ['token', 'id_token', 'jwt', 'ACCESS_TOKEN', 'access_token[]', 'x-api-key', 'authorization'])
    await assertRefused(name, [], `/v1/messages?${name}=${alice}`);
});

test('tokens of two people in one value of a header are nobody, with or without one of them in the other header', async () => {
  const bob = await gateway.token('bob');
  const both = [`Bearer ${alice} bearer ${bob}`, `bearer ${bob} Bearer ${alice}`, `Bearer ${alice};bearer ${bob}`];
  for (const value of both) await assertRefused(value.slice(-60), [['authorization', value]]);
  for (const between of [' ', ';', '\t', ' Bearer ', ' . ']) {
    const value = `Bearer ${bob}${between}${alice}`;
    await assertRefused(`with ${JSON.stringify(between)}`, [
      ['authorization', value],
      ['x-api-key', alice],
    ]);
  }
});

/** Refused, or taken for the token that it is; never for somebody else's. */
test('a token in unusual clothes is refused or is whose it is', async () => {
  const clothes: HeaderPairs = [
    ...([`Bearer  ${alice}`, `Bearer ${alice} `, `Bearer\t${alice}`, `BEARER ${alice}`, `bEaReR ${alice}`] as const),
    ...([
      `Bearer ${alice}=`,
      `Bearer ${alice} x`,
      `Bearer ${alice};x`,
      `Bearer "${alice}"`,
      `Bearer .${alice}`,
      `Bearer ${alice},`,
    ] as const),
  ].map((value) => ['authorization', value] as const);
  for (const header of [...clothes, ['x-api-key', `Bearer ${alice}`], ['x-api-key', ` ${alice} `]] as HeaderPairs) {
    const { status, exchangeId, upstream } = await call([header]);
    const name = JSON.stringify(header).slice(0, 40);
    assert.ok([200, 400, 401].includes(status), `${name}: ${status}`);
    assert.equal(upstream.length, status === 200 ? 1 : 0, name);
    assert.ok(!JSON.stringify(upstream).includes(alice.slice(0, 40)), `${name} went upstream`);
    if (status === 400) continue;
    assert.equal((await gateway.document(exchangeId)).user?.id, status === 200 ? 'alice' : undefined, name);
  }
});

test('claims of the wrong form are nobody, or a person without what they do not say', async () => {
  const signed = (claims: Record<string, unknown>, subject = 'alice') =>
    gateway.identityProvider.token(subject, { claims });
  const nobody: Record<string, unknown>[] = [
    ...[{ sub: '' }, { sub: 7 }, { sub: null }, { sub: ['alice'] }, { sub: { id: 'alice' } }, { sub: undefined }],
    ...[{ iss: `${gateway.identityProvider.issuer}/` }, { iss: gateway.identityProvider.issuer.toUpperCase() }],
    ...[
      { iss: [gateway.identityProvider.issuer] },
      { iss: '' },
      { aud: [] },
      { aud: ['x'] },
      { aud: undefined },
      { aud: 7 },
    ],
    ...[{ nbf: 4e9 }, { nbf: '4000000000' }],
    ...[{ groups: [{ name: 'suspended' }] }, { groups: [['suspended']] }, { groups: { staff: true } }],
    {
      groups: undefined,
      _claim_names: { groups: 'src1' },
      _claim_sources: { src1: { endpoint: 'https://idp.example' } },
    },
  ];
  for (const claims of nobody) {
    await assertRefused(JSON.stringify(claims), [['authorization', `Bearer ${await signed(claims)}`]]);
  }
  const odd = { groups: 'suspended', email: ['x'], name: { first: 'Alice' } };
  const answer = await call([['authorization', `Bearer ${await signed(odd)}`]]);
  const { user } = await gateway.document(answer.exchangeId);
  assert.equal(user?.id, 'alice');
  assert.equal(answer.status, 403, 'one group as a text is a group: the one that is suspended');
});

test('names that look like others are the subject that was signed, in full', async () => {
  for (const sub of ['alice ', 'ALICE', 'alice\u0000', 'al\u200bice', 'alice\nbob', '../alice', '"alice"']) {
    const token = await gateway.identityProvider.token('alice', { claims: { sub } });
    const answer = await call([['authorization', `Bearer ${token}`]]);
    const { user } = await gateway.document(answer.exchangeId);
    assert.ok(
      user === null ? answer.status === 401 : user.id === sub,
      `${JSON.stringify(sub)}: ${JSON.stringify(user)}`,
    );
  }
});

test('JSON in another charset than UTF-8 is refused, so that the upstream cannot read other words in it', async () => {
  const auth = ['authorization', `Bearer ${alice}`] as const;
  for (const charset of ['utf-16', 'UTF-7', '"shift_jis"', 'utf-8; charset=utf-16le']) {
    const before = gateway.fake.requestCount();
    const headers = [auth, ['content-type', `application/json; charset=${charset}`] as const];
    const answer = await httpsCall(gateway, { headers: [...headers, ['anthropic-version', '2023-06-01']], body });
    assert.equal(answer.status, 415, charset);
    assert.equal(gateway.fake.requestCount(), before);
    assert.equal((await gateway.document(answer.exchangeId)).skilltape.verdict.reasons[0]?.rule, 'access/content_type');
  }
  const { status } = await httpsCall(gateway, {
    headers: [auth, ['content-type', 'application/json; charset="UTF-8"'], ['anthropic-version', '2023-06-01']],
    body,
  });
  assert.equal(status, 200);
});
