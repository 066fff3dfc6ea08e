import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway, upstreamKey } from '../environment/gateway.ts';
import type { HeaderPairs } from '../environment/https-call.ts';
import { httpsCall, pairs } from '../environment/https-call.ts';
import { waitUntil } from '../environment/wait.ts';

/** The tables of envoy/README.md and what really happens to headers are compared both ways. */
type Row = { pattern: string; change: string };

const readme = readFileSync(new URL('../../envoy/README.md', import.meta.url), 'utf8');
const toUpstream = rowsUnder('From the caller to the upstream:');
const toCaller = rowsUnder('From the upstream to the caller:');

function rowsUnder(heading: string): Row[] {
  const table = readme.split(heading)[1]?.trimStart().split('\n\n')[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const [, names = '', change = ''] = line.split('|');
      return [...names.matchAll(/`([^`]+)`/g)].map(([, pattern = '']) => ({ pattern, change: change.trim() }));
    });
}

/** Two names for a prefix, so that a rule for a single name is not taken for one. */
function samplesOf({ pattern }: Row): string[] {
  return pattern.endsWith('*') ? ['connection', 'zz-probe'].map((end) => pattern.replace('*', end)) : [pattern];
}

function expected(rows: readonly Row[]): Record<string, string> {
  return Object.fromEntries(rows.flatMap((row) => samplesOf(row).map((name) => [name, row.change])));
}

/** What became of headers on the way; equal ones are left out. The body's framing is told apart by its header. */
function differences(before: HeaderPairs, after: HeaderPairs): Record<string, string> {
  const names = new Set([...before, ...after].map(([name]) => name));
  const changes = [...names].flatMap((name) => {
    const [was, is] = [valuesOf(before, name), valuesOf(after, name)];
    if (was === is) return [];
    return [[name, name === 'transfer-encoding' || is !== '' ? 'replaced' : 'removed']];
  });
  return Object.fromEntries(changes);
}

function valuesOf(headers: HeaderPairs, name: string): string {
  return headers
    .filter(([other]) => other === name)
    .map(([, value]) => value)
    .join('\n');
}

const passing: HeaderPairs = [
  ['content-type', 'application/json; charset=utf-8'],
  ['anthropic-version', '2023-06-01'],
  ['anthropic-beta', 'skills-2025-10-02,files-api-2025-04-14'],
  ['anthropic-dangerous-direct-browser-access', 'true'],
  ['accept', 'application/json'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['user-agent', 'claude-cli/2.1.330 (external, sdk-cli)'],
  ['x-stainless-retry-count', '0'],
  ['x-claude-code-session-id', '00000000-0000-4000-8000-000000000000'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['via', '1.1 proxy'],
  ['x-team', 'one'],
  ['x-team', 'two'],
  ['x-empty', ''],
];

const special: Record<string, string> = {
  te: 'gzip',
  expect: '100-continue',
  connection: 'keep-alive',
  host: 'team.example',
};

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

async function sent(headers: HeaderPairs): Promise<{ before: HeaderPairs; after: HeaderPairs; answer: HeaderPairs }> {
  const body = messagesBody('headers');
  const whole: HeaderPairs = [...headers, ['content-length', String(Buffer.byteLength(body))]];
  const number = gateway.fake.requestCount();
  const answer = await httpsCall(gateway, { headers: whole, body });
  assert.equal(answer.status, 200, answer.body.toString());
  return { before: whole, after: pairs(gateway.fake.requests[number]?.headers ?? []), answer: answer.headers };
}

/** Over HTTP/2 a body needs no length, so what frames it shows. */
async function overHttp2(token: string): Promise<{ requestAfter: HeaderPairs; answer: HeaderPairs }> {
  const session = connect(gateway.url, { ca: gateway.authorityPem });
  try {
    const number = gateway.fake.requestCount();
    const stream = session.request({
      ':method': 'POST',
      ':path': '/v1/messages',
      authorization: `Bearer ${token}`,
      ...Object.fromEntries(passing),
    });
    const headers = new Promise<HeaderPairs>((resolve) => {
      stream.on('response', (fields) => resolve(Object.entries(fields).map(([name, value]) => [name, String(value)])));
    });
    stream.end(messagesBody('headers', { stream: true }));
    stream.resume();
    const answer = await headers;
    await new Promise((resolve) => stream.on('close', resolve));
    return { requestAfter: pairs(gateway.fake.requests[number]?.headers ?? []), answer };
  } finally {
    session.close();
  }
}

test('the headers that change between caller and upstream are exactly those that envoy/README.md lists', async () => {
  const token = await gateway.token();
  const names = toUpstream
    .flatMap(samplesOf)
    .filter((name) => !['authorization', 'x-api-key', 'transfer-encoding'].includes(name));
  const probes: HeaderPairs = names.map((name) => [name, special[name] ?? '1']);
  const byBearer = await sent([...probes, ['authorization', `Bearer ${token}`], ...passing]);
  const byKey = await sent([['host', 'team.example'], ['x-api-key', token], ...passing, ['connection', 'keep-alive']]);
  const { requestAfter } = await overHttp2(token);
  const changes = {
    ...differences(byKey.before, byKey.after),
    ...differences(byBearer.before, byBearer.after),
    ...(valuesOf(requestAfter, 'transfer-encoding') === 'chunked' ? { 'transfer-encoding': 'replaced' } : {}),
  };
  assert.deepEqual(changes, expected(toUpstream));
});

test('`te: trailers` stays, as envoy/README.md says', async () => {
  const { after } = await sent([['te', 'trailers'], ['authorization', `Bearer ${await gateway.token()}`], ...passing]);
  assert.equal(valuesOf(after, 'te'), 'trailers');
});

test('headers that are not listed arrive with the same values, repeats and order', async () => {
  const { before, after } = await sent([
    ...passing,
    ['x-latin1', 'caf\u00e9'],
    ['authorization', `Bearer ${await gateway.token()}`],
  ]);
  const listed = new Set(['host', 'authorization', 'x-api-key', 'connection', 'x-request-id']);
  const rest = (headers: HeaderPairs) =>
    headers.filter(([name]) => !listed.has(name)).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  assert.deepEqual(rest(after), rest(before));
});

test('the headers that change between upstream and caller are exactly those that envoy/README.md lists', async () => {
  const upstream: Record<string, string> = {
    ...Object.fromEntries(
      toCaller
        .flatMap(samplesOf)
        .filter((name) => name !== 'transfer-encoding')
        .map((name) => [name, 'of-upstream']),
    ),
    ...{
      'content-type': 'application/json',
      'content-length': '18',
      'content-language': 'en',
      date: 'Sun, 22 Nov 2026 17:52:26 GMT',
    },
    ...{ 'request-id': 'req_1', 'anthropic-organization-id': 'org_1', 'anthropic-ratelimit-requests-remaining': '7' },
    ...{
      server: 'cloudflare',
      'retry-after': '3',
      'x-should-retry': 'true',
      'set-cookie': 'a=b',
      'x-request-id': 'theirs',
    },
    ...{
      'strict-transport-security': 'max-age=1',
      'cf-ray': '1',
      vary: 'accept-encoding',
      'x-envoy-upstream-service-time': '9',
    },
    connection: 'keep-alive',
  };
  gateway.fake.script({ answer: { kind: 'raw', status: 200, headers: upstream, body: '{"type":"message"}' } });
  const { answer } = await sent([
    ['authorization', `Bearer ${await gateway.token()}`],
    ['connection', 'keep-alive'],
    ...passing,
  ]);
  const http2 = await overHttp2(await gateway.token());
  const changes = {
    ...differences(Object.entries(upstream), answer),
    // The fake streams in chunks; HTTP/2 has frames of its own.
    ...(valuesOf(http2.answer, 'transfer-encoding') === '' ? { 'transfer-encoding': 'replaced' } : {}),
  };
  assert.deepEqual(changes, expected(toCaller));
  assert.match(valuesOf(answer, 'x-skilltape-exchange'), /^[0-9a-f-]{36}$/);
});

test('a credential that replaces the old one by a rename is taken up without a restart', async () => {
  const file = join(gateway.directory, 'sds', 'claude_credential.yaml');
  const rotated = upstreamKey.replace('upstream', 'rotated');
  writeFileSync(`${file}.new`, readFileSync(file, 'utf8').replace(upstreamKey, rotated), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  const authorization = `Bearer ${await gateway.token()}`;
  await waitUntil('the new credential at the upstream', async () => {
    await gateway.post(messagesBody('Hi'), { authorization });
    return valuesOf(pairs(gateway.fake.requests.at(-1)?.headers ?? []), 'x-api-key') === rotated;
  });
});
