import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessInput, requestFacts } from '../../../extproc/exchange/facts.ts';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import { Intake } from '../../../extproc/exchange/intake.ts';
import { accessInput as accessSchema } from '../../../extproc/policy/input.ts';
import { requestHeaders } from './frames.ts';
import { claude, createRig, nowMs } from './rig.ts';

function factsOf(options: Parameters<typeof requestHeaders>[0] & { source?: string; prefix?: string } = {}) {
  const frame = { ...requestHeaders(options), attributes: { 'source.address': options.source ?? '192.0.2.7:1' } };
  return requestFacts(frame, claude, options.prefix ?? '');
}

test('the access input is what policies are promised, with facts of the headers', () => {
  const headers: HeaderList = [
    ['content-length', '86'],
    ['anthropic-version', '2023-06-01'],
    ['anthropic-beta', 'skills-2025-10-02'],
    ['x-gateway-tags', 'project=apollo'],
  ];
  const input = accessInput(factsOf({ path: '/v1/messages?beta=true', headers }), claude, nowMs, ['Europe/Berlin']);
  assert.deepEqual(accessSchema.parse(input), input);
  assert.deepEqual(input.request, {
    ...{ method: 'POST', path: '/v1/messages', endpoint: 'messages.create', endpoint_kind: 'messages' },
    ...{ endpoint_treatment: 'prompt', body_form: 'messages', list_filtered: false },
    ...{ content_type: 'application/json', content_encoding: 'identity', content_length: 86 },
    ...{ betas: ['skills-2025-10-02'], anthropic_version: '2023-06-01' },
    tags: { project: 'apollo' },
  });
  assert.deepEqual([input.clock.UTC?.hour, input.clock['Europe/Berlin']?.hour], [10, 11]);
  assert.equal(input.identity?.subject, 'alice');
  assert.equal(input.time, '2026-01-15T10:00:00.000Z');
  assert.deepEqual(input.source, { address: '192.0.2.7' });
});

test('a request without a token or length is said to be one', () => {
  const input = accessInput(factsOf({ metadata: {} }), claude, nowMs);
  assert.equal(input.identity, null);
  assert.equal(input.authentication.failure, 'missing');
  assert.equal(input.request.content_length, null);
});

test('a length that is no number of bytes is not believed', () => {
  for (const length of ['x', '-1', '1.5', '1e999', '', '0x10', ' 7 ', '99999999999999999999']) {
    const input = accessInput(factsOf({ headers: [['content-length', length]] }), claude, nowMs);
    assert.doesNotThrow(() => accessSchema.parse(input), length);
  }
});

test('headers that are missing altogether make an unknown endpoint, not a fault', () => {
  const frame = { ...requestHeaders(), headers: [], metadata: {}, attributes: {} };
  const facts = requestFacts(frame, claude, '');
  assert.deepEqual([facts.method, facts.path, facts.endpoint.kind, facts.sourceAddress], ['', '', 'unknown', '']);
});

test('betas of headers that are repeated are all seen, and two versions are none', () => {
  const beta = (value: string) => ['anthropic-beta', value] as const;
  const version = (value: string) => ['anthropic-version', value] as const;
  const headers = [beta('a, b'), version('2023-06-01'), beta('c'), beta('a'), version('2026-10-21')];
  const { betas, anthropic_version } = accessInput(factsOf({ headers }), claude, nowMs).request;
  assert.deepEqual([betas, anthropic_version], [['a', 'b', 'c'], '']);
});

test('a content type that comes twice is seen as a list, as the upstream may take either', () => {
  const repeated = factsOf({ headers: [['content-type', 'text/plain']] });
  assert.equal(repeated.contentType, 'application/json, text/plain');
});

test("the route's own prefix is taken off, and only as a whole segment", () => {
  const paths: [prefix: string, path: string, seen: string][] = [
    ['/sandbox', '/sandbox/v1/messages', '/v1/messages'],
    ['/sandbox', '/sandboxed/v1/messages', '/sandboxed/v1/messages'],
    ['/sandbox', '/v1/messages', '/v1/messages'],
    ['/sandbox', '/sandbox', '/sandbox'],
    ['/sandbox', '/sandbox/sandbox/v1/messages', '/sandbox/v1/messages'],
    ['', '/v1/messages', '/v1/messages'],
    ['', '//v1/messages', '//v1/messages'],
  ];
  for (const [prefix, path, seen] of paths) assert.equal(factsOf({ prefix, path }).path, seen);
});

test('the source address loses its port and brackets', () => {
  for (const [source, address] of [
    ['192.0.2.7:40000', '192.0.2.7'],
    ['[2001:db8::1]:40000', '2001:db8::1'],
    ['192.0.2.7', '192.0.2.7'],
  ] as const) {
    assert.equal(factsOf({ source }).sourceAddress, address);
  }
});

test('the started record has who, where from and what, and no credential', () => {
  const path = '/v1/messages?beta=true&access_token=planted';
  const headers: HeaderList = [
    ['authorization', 'Bearer planted'],
    ['user-agent', 'curl'],
  ];
  const started = new Intake(requestHeaders({ path, headers }), createRig().context, claude, '').started(
    ...([{ linkTo: () => 'earlier' }, 'x', 'sha256:00'] as const),
  );
  assert.doesNotMatch(JSON.stringify(started), /planted/);
  assert.deepEqual({ ...started.query }, { beta: 'true', access_token: '[not recorded]' });
  assert.deepEqual(started.headers, [
    [':method', 'POST'],
    ['content-type', 'application/json'],
    ['x-request-id', 'r-1'],
    ['authorization', '[not recorded]'],
    ['user-agent', 'curl'],
  ]);
  const { connection, method, path: recorded, sourceAddress, envoyRequestId, attemptOf } = started;
  assert.deepEqual(
    [connection, method, recorded, sourceAddress, envoyRequestId, attemptOf],
    ['claude', 'POST', '/v1/messages', '192.0.2.7', 'r-1', 'earlier'],
  );
  assert.equal(started.authenticationFailure, 'failed', 'a token in the query is no login');
});
