import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '../bench/statistics.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { http2Status } from '../environment/http2-call.ts';
import type { HttpsAnswer } from '../environment/https-call.ts';
import { httpsCall } from '../environment/https-call.ts';

let gateway: TestGateway;
let token: string;
before(async () => {
  gateway = await startTestGateway();
  token = await gateway.token();
});
after(() => gateway.stop());

function post(path: string, credential = token): Promise<HttpsAnswer> {
  const headers = [
    ['authorization', `Bearer ${credential}`],
    ['content-type', 'application/json'],
    ['anthropic-version', '2023-06-01'],
  ] as const;
  return httpsCall(gateway, { path, headers, body: messagesBody('Which way?') });
}

/** The paths that reached the upstream since `number` requests had. */
function upstreamPaths(number: number): string[] {
  return gateway.fake.requests.slice(number).map(({ path }) => path);
}

/** Spellings of a known path: the record and the upstream see the one path that was judged. */
const served: [path: string, connection: string][] = [
  ['/v1/messages', 'claude'],
  ['//v1/messages', 'claude'],
  ['/v1//messages', 'claude'],
  ['/v1/./messages', 'claude'],
  ['/v1/files/../messages', 'claude'],
  ['/%76%31/messages', 'claude'],
  ['/v1/%6Dessages', 'claude'],
  ['/v1/%2e/messages', 'claude'],
  ['/v1\\messages', 'claude'],
  ['/sandbox/../v1/messages', 'claude'],
  ['/sandbox/%2e%2e/v1/messages', 'claude'],
  ['https://elsewhere.example/v1/messages', 'claude'],
  ['https://elsewhere.example/sandbox/../v1//messages', 'claude'],
  ['/v1/files/%2e%2e/messages', 'claude'],
  ['/../v1/messages', 'claude'],
  ['/v1/..;/v1/messages', 'claude'],
  ['/sandbox/v1/messages', 'sandbox'],
  ['/sandbox//v1/messages', 'sandbox'],
  ['/./sandbox/v1/messages', 'sandbox'],
  ['/x/../sandbox/v1/messages', 'sandbox'],
  ['/s%61ndbox/v1/messages', 'sandbox'],
];

for (const [path, connection] of served) {
  test(`${path} goes upstream as /v1/messages and is recorded on ${connection}`, async () => {
    const number = gateway.fake.requestCount();
    const answer = await post(path);
    assert.equal(answer.status, 200, answer.body.toString());
    assert.deepEqual(upstreamPaths(number), ['/v1/messages']);
    const { url, skilltape, gen_ai } = await gateway.document(answer.exchangeId);
    assert.equal(url.path, '/v1/messages');
    assert.equal(skilltape.connection, connection);
    assert.equal(gen_ai.operation.name, 'chat');
  });

  test(`${path} is no way round the token and no way round a deny`, async () => {
    const number = gateway.fake.requestCount();
    assert.equal((await post(path, 'none')).status, 401);
    assert.equal((await post(path, await gateway.token('mallory'))).status, 403);
    assert.deepEqual(upstreamPaths(number), []);
  });
}

const refused = [
  '/v1/messages;x',
  '/v1/messages;x=/../count_tokens',
  '/v1/messages;/../count_tokens',
  '/;x/v1/messages',
  '/sandbox;x/v1/messages',
  '/V1/MESSAGES',
  '/v1/Messages',
  '/v1/messages/',
  '/v1/messages%20',
  '/v1/messages%3fbeta=true',
  '/v1/messages%252e',
  '/%2576%2531/messages',
  '/v1/messages.',
  '/v1/messages%C2%AD',
  '/sandbox',
  '/sandbox/',
  '/SANDBOX/v1/messages',
  '/sandbox/sandbox/v1/messages',
  '/sandboxv1/messages',
  '/claude/v1/messages',
];

for (const path of refused) {
  test(`${path} is refused and recorded, and does not go upstream`, async () => {
    const number = gateway.fake.requestCount();
    const answer = await post(path);
    assert.equal(answer.status, 403, answer.body.toString());
    const { skilltape } = await gateway.document(answer.exchangeId);
    assert.equal(skilltape.outcome, 'denied');
    assert.equal(skilltape.verdict.reasons[0]?.rule, 'access/endpoint_known');
    assert.deepEqual(upstreamPaths(number), []);
  });
}

/** Envoy itself refuses these before it has a route. */
const malformed = [
  '/v1%2fmessages',
  '/v1%2Fmessages',
  '/v1%5cmessages',
  '/sandbox/..%2fv1/messages',
  '/sandbox/%2e%2e%2fv1/messages',
  '/sandbox/..%5cv1/messages',
  '/v1/messages%00',
  '/v1/messages#x',
  '/../../v1%2f..',
];

for (const path of malformed) {
  test(`${path} is refused as malformed in Claude's envelope, and does not go upstream`, async () => {
    const number = gateway.fake.requestCount();
    const answer = await post(path);
    assert.equal(answer.status, 400, answer.body.toString());
    const { type, error } = JSON.parse(answer.body.toString());
    assert.deepEqual([type, error.type], ['error', 'invalid_request_error']);
    assert.deepEqual(upstreamPaths(number), []);
  });
}

test('the query goes upstream as it came, and only what the API defines of it is recorded', async () => {
  const number = gateway.fake.requestCount();
  const path = '/sandbox/v1/messages?beta=true&x=%2f..%2f&x=a+b&&y';
  const answer = await post(path);
  assert.equal(answer.status, 200);
  assert.deepEqual(upstreamPaths(number), [path.slice('/sandbox'.length)]);
  assert.equal((await gateway.document(answer.exchangeId)).url.path, '/v1/messages');
});

/** Headers by which other servers take another path or method than the one that was asked for. */
const overrides = [
  ...[['x-http-method-override', 'DELETE'] as const, ['x-http-method', 'DELETE'] as const],
  ...[['x-method-override', 'DELETE'] as const, ['x-original-url', '/v1/organizations/users'] as const],
  ...[['x-rewrite-url', '/v1/organizations/users'] as const, ['x-original-path', '/sandbox/v1/messages'] as const],
  ...[['x-envoy-original-path', '/sandbox/v1/messages'] as const, ['x-forwarded-prefix', '/sandbox'] as const],
  ...[['x-forwarded-path', '/sandbox/v1/messages'] as const, ['x-skilltape-path-prefix', '/v1'] as const],
];

test('headers that ask for another method or path change neither route nor verdict', async () => {
  for (const [name, value] of overrides) {
    const number = gateway.fake.requestCount();
    const usual = [['authorization', `Bearer ${token}`] as const, ['anthropic-version', '2023-06-01'] as const];
    const headers = [...usual, [name, value] as const];
    const answer = await httpsCall(gateway, { path: '/v1/models', method: 'GET', headers, body: '' });
    assert.equal(answer.status, 200, `${name} ${answer.body}`);
    assert.deepEqual(
      gateway.fake.requests.slice(number).map(({ method, path }) => [method, path]),
      [['GET', '/v1/models']],
      name,
    );
    const { http, url, skilltape } = await gateway.document(answer.exchangeId);
    assert.deepEqual([http.request.method, url.path, skilltape.connection], ['GET', '/v1/models', 'claude'], name);
  }
});

/** What an HTTP/2 caller may put into the pseudo-headers; over HTTP/1.1 there is no place for most of it. */
const pseudoHeaders: [name: string, fields: Record<string, string>, path: string | null][] = [
  ['another authority', { ':authority': 'elsewhere.example' }, '/v1/messages'],
  ['an authority of the upstream', { ':authority': 'api.anthropic.com' }, '/v1/messages'],
  ['an authority with a user', { ':authority': 'root@localhost' }, null],
  ['a path with dots', { ':path': '/sandbox/../v1/messages' }, '/v1/messages'],
  ['a path with an encoded slash', { ':path': '/sandbox/..%2fv1/messages' }, null],
  ['an absolute path', { ':path': 'https://elsewhere.example/v1/messages' }, null],
  ['a path that is an authority', { ':path': '//elsewhere.example/v1/messages' }, null],
  ['the scheme http', { ':scheme': 'http' }, '/v1/messages'],
  ['another scheme', { ':scheme': 'file' }, '/v1/messages'],
];

for (const [name, fields, upstreamPath] of pseudoHeaders) {
  test(`over HTTP/2, ${name}: ${upstreamPath === null ? 'refused' : 'the plain path'}`, async () => {
    const number = gateway.fake.requestCount();
    const usual = {
      ':method': 'POST',
      ':path': '/v1/messages',
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
    };
    const headers = { ...usual, authorization: `Bearer ${token}`, ...fields };
    const status = await http2Status(gateway, headers, messagesBody('Which way?'));
    assert.deepEqual(upstreamPaths(number), upstreamPath === null ? [] : [upstreamPath], `${status}`);
    if (upstreamPath === null) assert.ok(status === null || status >= 400, `${status}`);
    else assert.equal(status, 200);
    assert.ok(gateway.fake.requests.slice(number).every(({ headers: sent }) => !sent.includes('elsewhere.example')));
  });
}

/** What somebody puts between, before or behind the parts of a path, or in the place of a letter. */
const tricks = [
  ...[
    '/',
    '/./',
    '//',
    '/../',
    '/%2e/',
    '/%2E%2e/',
    '/%2f',
    '%2F',
    '/.%2e/',
    '/..;/',
    ';x=1/',
    '/;/',
    '/x/../',
    '/x/%2e%2e/',
  ],
  ...[
    '\\',
    '/%5c',
    '%5C..',
    '/%252e%252e/',
    '%00',
    '%20',
    '%09',
    '%0d%0a',
    '?',
    '?/../',
    '#',
    '/*',
    '/~',
    '%c0%af',
    '%uff0f',
    '/%EF%BC%8F',
  ],
];
const starts = [
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  '/sandbox',
  '/Sandbox',
  '/%73andbox',
  '/claude',
  '/v1/..',
  'http://x.example',
  'HTTPS://x.example:443',
  '//x.example',
];
const parts = ['v1', 'v1', 'v%31', 'V1', '%76%31'];
const ends = [
  'messages',
  'messages',
  'Messages',
  'm%65ssages',
  'messages/',
  'messages/.',
  'messages/%2e',
  'messages;x',
  'messages%2f',
  'messages.',
];

test('paths that are put together by chance go upstream as the plain one, or not at all', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const one = (of: readonly string[]) => of[Math.floor(random() * of.length)] ?? '';
  const seen = { served: 0, refused: 0 };
  for (let round = 0; round < 100; round += 1) {
    const between = () => (random() < 0.75 ? '/' : one(tricks));
    // The plain one first, so that something is served whatever chance gives.
    const path = round === 0 ? '/v1/messages' : `${one(starts)}${between()}${one(parts)}${between()}${one(ends)}`;
    const number = gateway.fake.requestCount();
    const answer = await post(path).catch(() => null);
    const upstream = upstreamPaths(number);
    const isServed = answer?.status === 200;
    seen[isServed ? 'served' : 'refused'] += 1;
    assert.ok(
      answer === null || isServed || (answer.status >= 400 && answer.status < 500),
      `${path}: ${answer?.status}`,
    );
    assert.deepEqual(
      upstream.map((each) => each.replace(/\?.*$/s, '')),
      isServed ? ['/v1/messages'] : [],
      path,
    );
    if (answer?.exchangeId) {
      const { url, skilltape } = await gateway.document(answer.exchangeId);
      if (isServed) assert.equal(url.path, '/v1/messages', path);
      assert.equal(skilltape.outcome, isServed ? 'complete' : 'denied', path);
    }
    if (isServed) assert.equal((await post(path, 'none')).status, 401, path);
  }
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.served > 0 && seen.refused > 0);
});
