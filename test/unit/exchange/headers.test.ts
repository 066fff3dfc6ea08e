import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import {
  callerCredentialHeaders,
  headerValue,
  recordableHeaders,
  splitTarget,
} from '../../../extproc/exchange/headers.ts';
import { alice, answerBody, answerHeaders, question, requestBody, requestHeaders, tokenOf } from './frames.ts';
import { createRig, play } from './rig.ts';

const notRecorded = '[not recorded]';

const secretNames = [
  ...callerCredentialHeaders,
  ...[
    'set-cookie',
    'www-authenticate',
    'authentication-info',
    'x-auth-token',
    'x-amz-security-token',
    'x-goog-api-key',
  ],
  ...['api-key', 'apikey', 'ocp-apim-subscription-key', 'x-functions-key', 'x-my-company-key', 'x-csrf', 'x-pwd'],
  ...[
    'cf-access-jwt-assertion',
    'cf-access-client-secret',
    'x-goog-iap-jwt-assertion',
    'x-amzn-oidc-data',
    'x-password',
  ],
  ...['x-pass', 'x-passphrase', 'x-hmac', 'x-signature', 'x-hub-signature-256', 'x-sig', 'sig', 'x-otp', 'x-pin-code'],
  ...['x-ms-client-principal', 'x-bearer', 'x-saml-response', 'x-session', 'x-forwarded-access-token', 'x-credentials'],
];
for (const name of secretNames) {
  test(`the value of ${name} is not recorded`, () => {
    assert.deepEqual(recordableHeaders([[name, 'hunter2']]), [[name, notRecorded]]);
  });
}

const secretValues = [
  'sk-ant-api03-abcdefgh',
  'Bearer abc',
  'basic dXNlcjpwYXNz',
  'Token abc',
  'prefix sk-ant-oat01-abc suffix',
  `ghp_${'a'.repeat(36)}`,
  `github_pat_${'a'.repeat(22)}`,
  `AKIA${'A'.repeat(16)}`,
  `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.c`,
  `xoxb-${'1'.repeat(12)}`,
  '-----BEGIN PRIVATE KEY-----',
  'https://user:hunter2@example.org/',
];
for (const value of secretValues) {
  test(`the value ${value.slice(0, 24)} is not recorded under any name`, () => {
    assert.deepEqual(recordableHeaders([['x-note', value]]), [['x-note', notRecorded]]);
  });
}

test('URLs are recorded without their query and fragment', () => {
  for (const name of ['referer', 'location', 'content-location', 'x-original-url', 'link', 'x-note']) {
    for (const url of [
      'https://example.org/a?sig=planted',
      '/a?access_token=planted',
      '</a?x=planted>; rel=next',
      '/#planted',
    ]) {
      assert.doesNotMatch(JSON.stringify(recordableHeaders([[name, url]])), /planted/);
    }
  }
  assert.deepEqual(recordableHeaders([['referer', 'https://example.org/a']]), [['referer', 'https://example.org/a']]);
});

test('what an operator needs is recorded as it came, in order and with repeats', () => {
  const headers: HeaderList = [
    [':method', 'POST'],
    ['anthropic-version', '2023-06-01'],
    ['anthropic-beta', 'skills-2025-10-02'],
    ['anthropic-beta', 'files-api-2025-04-14'],
    ['user-agent', 'claude-cli/2.0 (external, cli)'],
    ['x-claude-code-session-id', 'c-1'],
    ['anthropic-organization-id', 'o-1'],
    ['anthropic-ratelimit-input-tokens-remaining', '12000'],
    ['accept', 'text/event-stream, */*'],
    ['content-length', '12'],
    ['x-stainless-timeout', '600'],
    ['date', 'Thu, 15 Jan 2026 10:00:00 GMT'],
    ['x-time-zone', 'Asia/Tokyo'],
  ];
  assert.deepEqual(recordableHeaders(headers), headers);
  assert.equal(headerValue(headers, 'anthropic-beta'), 'skills-2025-10-02');
  assert.equal(headerValue(headers, 'x-none'), undefined);
});

test('a name that only looks like one of our exceptions gets none', () => {
  for (const name of [
    'x-claude-code-session-id2',
    'anthropic-ratelimit-token',
    'anthropic-api-key-limit',
    'constructor-token',
  ]) {
    assert.deepEqual(recordableHeaders([[name, 'hunter2']]), [[name, notRecorded]]);
  }
  const key = 'sk-ant-api03-abcdefgh';
  assert.deepEqual(recordableHeaders([['anthropic-ratelimit-tokens-limit', key]]), [
    ['anthropic-ratelimit-tokens-limit', notRecorded],
  ]);
});

const targets: [target: string, path: string, query: Record<string, string>][] = [
  ['/v1/messages', '/v1/messages', {}],
  ['/v1/messages?beta=true', '/v1/messages', { beta: 'true' }],
  ['/v1/files?limit=2&after_id=f_1', '/v1/files', { limit: '2', after_id: 'f_1' }],
  ['/v1/messages?access_token=planted', '/v1/messages', { access_token: notRecorded }],
  ['/v1/messages?api_key=planted&beta=true', '/v1/messages', { api_key: notRecorded, beta: 'true' }],
  ['/v1/messages?planted-0123', '/v1/messages', { [notRecorded]: notRecorded }],
  ['/v1/messages?sk-ant-api03-planted', '/v1/messages', { [notRecorded]: notRecorded }],
  ['/v1/messages?=planted', '/v1/messages', { [notRecorded]: notRecorded }],
  ['/v1/messages?ids[]=a&ids%5B%5D=b', '/v1/messages', { 'ids[]': 'b' }],
  ['/v1/messages?', '/v1/messages', {}],
  ['/v1/messages?a=1?beta=planted', '/v1/messages', { a: notRecorded }],
  ['/v1/messages?%zz=%ff&beta=%00', '/v1/messages', { [notRecorded]: notRecorded, beta: '\0' }],
  ['', '', {}],
];
for (const [target, path, query] of targets) {
  test(`${target || 'no target'} is recorded as its path and what the API defines of its query`, () => {
    const split = splitTarget(target);
    assert.equal(split.path, path);
    assert.deepEqual({ ...split.query }, query);
    assert.doesNotMatch(JSON.stringify(split), /planted/);
  });
}

test('a query key named like a part of every object is a plain key', () => {
  const { query } = splitTarget('/v1/messages?__proto__=x&constructor=y&beta=true');
  assert.equal(Object.getPrototypeOf(query), null);
  assert.equal(query.constructor, notRecorded);
  assert.equal(query.beta, 'true');
});

test('a credential that a caller or an upstream puts into a header or the query is in no byte of any record', async () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9]{16,40}$/).map((text) => `planted${text}`);
  const name = fc.constantFrom(...secretNames);
  await fc.assert(
    fc.asyncProperty(
      secret,
      name,
      name,
      fc.constantFrom('access_token', 'key', 'x-1', ''),
      async (value, asked, answered, key) => {
        const { log, open } = createRig();
        const exchange = open();
        const headers: HeaderList = [
          [asked, value],
          ['x-note', `Bearer ${value}`],
          ['referer', `https://example.org/?t=${value}`],
        ];
        await play(exchange, [
          requestHeaders({ path: `/v1/messages?${key}=${value}&${value}1`, headers, metadata: tokenOf(alice) }),
          requestBody(question),
          { kind: 'request_trailers', headers },
          answerHeaders({
            headers: [
              [answered, value],
              ['location', `/next?s=${value}`],
            ],
          }),
          answerBody('{}'),
          { kind: 'response_trailers', headers },
        ]);
        await exchange.abandon('stream_ended', '');
        assert.equal(log.finished.length, 1);
        for (const payload of log.payloads) assert.equal(payload.includes(value), false, payload.toString());
      },
    ),
    { numRuns: 200 },
  );
});

test('headers are looked through in linear time', () => {
  const long = ['eyJ', '://', 'a@', '/?', 'x', 'Bearer', 'AIza', '-'].map((piece) =>
    piece.repeat(200_000 / piece.length),
  );
  for (const value of long) {
    recordableHeaders([[`x-${value}`, value]]);
    splitTarget(`/${value}?${value}`);
  }
});
