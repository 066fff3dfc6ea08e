import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { HeaderPairs, HttpsAnswer } from '../environment/https-call.ts';
import { httpsCall } from '../environment/https-call.ts';
import { FORGERIES } from '../fakes/identity-provider/sign.ts';

let gateway: TestGateway;
let alice: string;
let bob: string;
before(async () => {
  gateway = await startTestGateway();
  alice = await gateway.token('alice');
  bob = await gateway.token('bob');
});
after(() => gateway.stop());

const body = messagesBody('Who am I?');

function call(headers: HeaderPairs, path = '/v1/messages'): Promise<HttpsAnswer> {
  const usual: HeaderPairs = [
    ['content-type', 'application/json'],
    ['anthropic-version', '2023-06-01'],
  ];
  return httpsCall(gateway, { headers: [...usual, ...headers], body, path });
}

/** Refused with 401 in Claude's envelope, recorded without a person, and unknown to the upstream. */
async function assertRefused(headers: HeaderPairs, says: readonly RegExp[], path?: string): Promise<ExchangeDocument> {
  const before = gateway.fake.requestCount();
  const answer = await call(headers, path);
  assert.equal(answer.status, 401, answer.body.toString());
  assert.deepEqual(Object.fromEntries(answer.headers)['x-should-retry'], 'false');
  const envelope = JSON.parse(answer.body.toString());
  assert.deepEqual(Object.keys(envelope), ['type', 'error', 'request_id']);
  assert.deepEqual([envelope.type, envelope.error.type], ['error', 'authentication_error']);
  assert.equal(envelope.request_id, answer.exchangeId);
  for (const expression of says) assert.match(envelope.error.message, expression);
  const document = await gateway.document(answer.exchangeId);
  assert.equal(document.skilltape.outcome, 'denied');
  assert.equal(document.skilltape.verdict.reasons[0]?.rule, 'access/identity_required');
  assert.equal(document.user, null);
  assert.equal(document.http.response.status_code, 401);
  assert.equal(gateway.fake.requestCount(), before);
  return document;
}

const whatToDo = /Get a token from https:\/\/\S+ and send it as `authorization: Bearer <token>`/;
const namesBoth = [/`authorization`/, /`x-api-key`/, /leave the other out/];

for (const kind of FORGERIES) {
  test(`a token that is forged (${kind}) is refused in either header`, async () => {
    const token = await gateway.identityProvider.forge({ kind, subject: 'alice' });
    await assertRefused([['authorization', `Bearer ${token}`]], [/The token was refused \(.+\)/, whatToDo]);
    await assertRefused([['x-api-key', token]], [/The token was refused \(.+\)/, whatToDo]);
  });
}

const tampered = (token: string) => token.replace(/\.([^.]*)\./, (_, claims: string) => `.${swapSubject(claims)}.`);
function swapSubject(claims: string): string {
  const text = Buffer.from(claims, 'base64url').toString().replaceAll('alice', 'bobby');
  return Buffer.from(text).toString('base64url');
}

const refused: [name: string, headers: () => HeaderPairs, says: readonly RegExp[]][] = [
  ['no credential at all', () => [], [/carries no token/, whatToDo]],
  ['an empty bearer token', () => [['authorization', 'Bearer ']], [whatToDo]],
  ['another scheme', () => [['authorization', 'Basic YWxpY2U6cGFzcw==']], [whatToDo]],
  ['garbage', () => [['authorization', 'Bearer not.a.token']], [/refused/, whatToDo]],
  ['an API key of the vendor', () => [['x-api-key', `sk-ant-api03-${'k'.repeat(93)}AA`]], [/refused/, whatToDo]],
  ['a token whose claims were changed', () => [['authorization', `Bearer ${tampered(alice)}`]], [/refused/, whatToDo]],
  ['a token cut short', () => [['authorization', `Bearer ${alice.slice(0, -40)}`]], [/refused/, whatToDo]],
  [
    'a token of 50 kB',
    () => [['authorization', `Bearer ${'e'.repeat(25_000)}.${'f'.repeat(25_000)}.s`]],
    [/refused/, whatToDo],
  ],
  [
    'the end of a token beside it',
    () => [
      ['authorization', `Bearer ${alice}`],
      ['x-api-key', alice.slice(3)],
    ],
    [/refused/, whatToDo],
  ],
  [
    'the signature of a token beside it',
    () => [
      ['authorization', `Bearer ${alice}`],
      ['x-api-key', alice.split('.').at(-1) ?? ''],
    ],
    namesBoth,
  ],
  [
    'the same token in both headers, and one more in one of them',
    () => [
      ['authorization', `Bearer ${bob}`],
      ['authorization', `Bearer ${alice}`],
      ['x-api-key', alice],
    ],
    namesBoth,
  ],
  [
    'the same token in both headers, one of them twice',
    () => [
      ['authorization', `Bearer ${alice}`],
      ['x-api-key', alice],
      ['x-api-key', alice],
    ],
    namesBoth,
  ],
  [
    'tokens of two people in two headers',
    () => [
      ['authorization', `Bearer ${alice}`],
      ['x-api-key', bob],
    ],
    namesBoth,
  ],
  [
    'tokens of two people in one header, twice',
    () => [
      ['x-api-key', alice],
      ['x-api-key', bob],
    ],
    namesBoth,
  ],
  [
    'tokens of two people in authorization, twice',
    () => [
      ['authorization', `Bearer ${alice}`],
      ['authorization', `Bearer ${bob}`],
    ],
    namesBoth,
  ],
  ['tokens of two people with a comma between', () => [['x-api-key', `${alice}, ${bob}`]], namesBoth],
  [
    'a good token and a bad one',
    () => [
      ['authorization', `Bearer ${alice}`],
      ['x-api-key', 'bad'],
    ],
    namesBoth,
  ],
  [
    'a token and an API key of the vendor',
    () => [
      ['authorization', `Bearer ${alice}`],
      ['x-api-key', `sk-ant-api03-${'k'.repeat(93)}AA`],
    ],
    namesBoth,
  ],
  [
    'a token and an empty key',
    () => [
      ['authorization', `Bearer ${alice}`],
      ['x-api-key', ''],
    ],
    namesBoth,
  ],
];

test('the same token in both headers is one credential, as Claude Code sends what its helper prints', async () => {
  const answer = await call([
    ['authorization', `Bearer ${alice}`],
    ['x-api-key', alice],
  ]);
  assert.equal(answer.status, 200, answer.body.toString());
  const document = await gateway.document(answer.exchangeId);
  assert.equal(document.user?.id, 'alice');
  const { headers } = await gateway.fake.waitForRequest(gateway.fake.requestCount());
  assert.ok(!JSON.stringify(headers).includes(alice));
});

for (const [name, headers, says] of refused) {
  test(`${name}: refused, and the message says what to do`, async () => {
    await assertRefused(headers(), says);
  });
}

for (const name of ['access_token', 'access%5ftoken', 'beta=true&access_token']) {
  test(`a token in the query (${name}) is refused, alone and beside a good one`, async () => {
    const path = `/v1/messages?${name}=${alice}`;
    await assertRefused([], [/query/, whatToDo], path);
    await assertRefused([['authorization', `Bearer ${alice}`]], [/query/, whatToDo], path);
  });
}

/** What a proxy or an identity-aware gateway would say of a caller; here the caller says it. */
const forgedHeaders: HeaderPairs = [
  ['x-forwarded-user', 'mallory'],
  ['x-forwarded-email', 'mallory@example.com'],
  ['x-forwarded-groups', 'admins'],
  ['x-forwarded-for', '203.0.113.7, 10.0.0.1'],
  ['x-forwarded-host', 'elsewhere.example'],
  ['x-forwarded-access-token', 'forged'],
  ['forwarded', 'for=203.0.113.7'],
  ['x-real-ip', '203.0.113.7'],
  ['x-envoy-external-address', '203.0.113.7'],
  ['x-auth-request-user', 'mallory'],
  ['x-auth-request-email', 'mallory@example.com'],
  ['x-auth-request-groups', 'admins'],
  ['x-request-id', 'chosen-by-the-caller'],
  ['x-skilltape-connection', 'sandbox'],
  ['x-skilltape-path-prefix', '/v1'],
  ['x-skilltape-exchange', '01900000-0000-7000-8000-000000000000'],
  ['x-skilltape-session', 's-chosen-by-the-caller'],
  ['x-skilltape-verdict', 'allow'],
  ['x-skilltape-record', 'off'],
  ['X-Skilltape-Skip', '1'],
];

test('the scheme of a token may be written in lower case (RFC 9110 section 11.1)', async () => {
  assert.equal((await call([['authorization', `bearer ${alice}`]])).status, 200);
});

test('forged identity headers do not stand in for a token', async () => {
  await assertRefused(forgedHeaders, [/carries no token/, whatToDo]);
});

/** What two exchanges with the same content may differ in. */
function comparable(document: ExchangeDocument): unknown {
  const text = JSON.stringify({
    ...document,
    '@timestamp': '',
    event: { ...document.event, duration: 0 },
    http: { ...document.http, request: { ...document.http.request, id: '' } },
  });
  return JSON.parse(text.replaceAll(document.event.id, 'ID').replace(/msg_01Fake\d+/g, 'msg'));
}

test('forged headers beside a good token change nothing in the record', async () => {
  const token: HeaderPairs = [['authorization', `Bearer ${alice}`]];
  const plain = await call(token);
  const forged = await call([...forgedHeaders, ...token]);
  assert.deepEqual([plain.status, forged.status], [200, 200]);
  const [one, other] = [await gateway.document(plain.exchangeId), await gateway.document(forged.exchangeId)];
  assert.deepEqual(comparable(other), comparable(one));
  assert.equal(other.user?.id, 'alice');
  assert.equal(other.skilltape.connection, 'claude');
  assert.equal(other.source.ip, '127.0.0.1');
  assert.match(other.http.request.id, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  assert.notEqual(other.http.request.id, one.http.request.id);
});

/** By these, and by fields of the body, gateways of others are told not to log, not to check, or whom it is for. */
const optOuts: HeaderPairs = [
  ...([
    ['x-no-log', '1'],
    ['x-do-not-log', 'true'],
    ['no-log', 'true'],
    ['dnt', '1'],
    ['sec-gpc', '1'],
    ['cache-control', 'no-store, no-transform'],
    ['cf-aig-collect-log', 'false'],
    ['cf-aig-skip-cache', 'true'],
    ['helicone-omit-request', 'true'],
    ['helicone-omit-response', 'true'],
    ['x-portkey-debug', 'false'],
    ['x-litellm-disable-logging', 'true'],
    ['x-litellm-enable-message-redaction', 'true'],
    ['x-kong-log', 'off'],
    ['x-trace-sampled', '0'],
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'],
    ['x-user', 'mallory'],
    ['x-consumer-username', 'mallory'],
    ['x-goog-authenticated-user-email', 'mallory@example.com'],
    ['x-amzn-oidc-identity', 'mallory'],
    ['x-ms-client-principal-name', 'mallory'],
    ['ssl-client-s-dn', 'CN=mallory'],
    ['x-forwarded-client-cert', 'Subject="CN=mallory"'],
    ['x-spiffe-id', 'spiffe://mallory'],
    ['x-skill', 'payroll'],
    ['x-session-id', 'chosen'],
    ['x-connection', 'sandbox'],
  ] as const),
];

test('headers by which other gateways are told not to log, or who calls, change nothing in the record', async () => {
  const token: HeaderPairs = [['x-api-key', alice]];
  const plain = await call(token);
  const marked = await call([...optOuts, ...token]);
  assert.deepEqual([plain.status, marked.status], [200, 200]);
  const [one, other] = [await gateway.document(plain.exchangeId), await gateway.document(marked.exchangeId)];
  assert.deepEqual(comparable(other), comparable(one));
  await assertRefused(optOuts, [/carries no token/, whatToDo]);
});

test('fields by which other gateways are told not to log do not keep a prompt from the record', async () => {
  const optOut = {
    'no-log': true,
    store: false,
    metadata: { user_id: 'mallory', 'no-log': 'true', tags: ['private'] },
  };
  const fields = { ...JSON.parse(body), ...optOut, messages: [{ role: 'user', content: 'Zwiebelkuchen' }] };
  const answer = await httpsCall(gateway, {
    headers: [
      ['content-type', 'application/json'],
      ['anthropic-version', '2023-06-01'],
      ['x-api-key', alice],
    ],
    body: JSON.stringify(fields),
    path: '/v1/messages',
  });
  const { gen_ai, user } = await gateway.document(answer.exchangeId);
  assert.match(gen_ai.input.text, /Zwiebelkuchen/);
  assert.equal(user?.id, 'alice');
});

test('two exchanges with the same request id of the caller are two, not attempts of one', async () => {
  const headers: HeaderPairs = [
    ['authorization', `Bearer ${alice}`],
    ['x-request-id', '11111111-1111-4111-8111-111111111111'],
  ];
  const [first, second] = [await call(headers), await call(headers)];
  const ids = await Promise.all(
    [first, second].map(async ({ exchangeId }) => (await gateway.document(exchangeId)).http.request.id),
  );
  assert.equal(new Set([...ids, '11111111-1111-4111-8111-111111111111']).size, 3);
});

test('the same session header from two people gives two sessions', async () => {
  const session = ['x-claude-code-session-id', '00000000-0000-4000-8000-000000000000'] as const;
  const ofAlice = await gateway.document((await call([['x-api-key', alice], session])).exchangeId);
  const again = await gateway.document((await call([['x-api-key', alice], session])).exchangeId);
  const ofBob = await gateway.document((await call([['x-api-key', bob], session])).exchangeId);
  assert.equal(ofAlice.skilltape.session.id, again.skilltape.session.id);
  assert.notEqual(ofAlice.skilltape.session.id, ofBob.skilltape.session.id);
  assert.deepEqual([ofAlice.user?.id, ofBob.user?.id], ['alice', 'bob']);
});

test('a person whose group is suspended is refused by name, and recorded', async () => {
  const before = gateway.fake.requestCount();
  const answer = await call([['authorization', `Bearer ${await gateway.token('mallory')}`]]);
  assert.equal(answer.status, 403);
  const { user, skilltape } = await gateway.document(answer.exchangeId);
  assert.equal(user?.id, 'mallory');
  assert.equal(skilltape.verdict.reasons[0]?.rule, 'access/deny_list');
  assert.equal(gateway.fake.requestCount(), before);
});
