import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { request as http1Request } from 'node:https';
import { after, before, test } from 'node:test';
import { Agent, fetch as undiciFetch } from 'undici';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { httpsCall, pairs } from '../environment/https-call.ts';

let gateway: TestGateway;
let bearer: readonly [string, string];
before(async () => {
  gateway = await startTestGateway();
  bearer = ['authorization', `Bearer ${await gateway.token()}`];
});
after(() => gateway.stop());

const json = ['content-type', 'application/json'] as const;

async function assertComplete(exchangeId: string, answer: Buffer): Promise<void> {
  const { skilltape, user } = await gateway.document(exchangeId);
  assert.equal(skilltape.outcome, 'complete');
  assert.equal(user?.id, 'alice');
  assert.deepEqual(skilltape.answer, JSON.parse(answer.toString()));
}

test('a client in the manner of the Python SDK 2.x is served: bearer token, new dialect, its own headers', async () => {
  const answer = await httpsCall(gateway, {
    headers: [
      ...([
        ['accept-encoding', 'gzip, deflate'],
        ['accept', 'application/json'],
        ['connection', 'keep-alive'],
      ] as const),
      ...([
        ['user-agent', 'Anthropic/Python 2.12.0'],
        ['x-stainless-lang', 'python'],
        ['x-stainless-async', 'false'],
      ] as const),
      ...([['anthropic-version', '2026-10-21'], ['x-stainless-read-timeout', '600'], bearer, json] as const),
    ],
    body: messagesBody('Hi from Python'),
  });
  assert.equal(answer.status, 200);
  await assertComplete(answer.exchangeId, answer.body);
  const { user_agent } = await gateway.document(answer.exchangeId);
  assert.equal(user_agent.original, 'Anthropic/Python 2.12.0');
});

test('a fetch over HTTP/2 is served', async () => {
  const dispatcher = new Agent({ allowH2: true, connect: { ca: gateway.authorityPem } });
  try {
    const response = await undiciFetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: [[...bearer], [...json], ['anthropic-version', '2026-10-21']],
      body: messagesBody('Hi over HTTP/2'),
      dispatcher,
    });
    assert.equal(response.status, 200);
    const body = Buffer.from(await response.arrayBuffer());
    await assertComplete(response.headers.get('x-skilltape-exchange') ?? '', body);
  } finally {
    await dispatcher.destroy();
  }
});

test('many streams at once on one HTTP/2 connection each get their own answer', async () => {
  const session = connect(gateway.url, { ca: gateway.authorityPem });
  const ask = async (text: string) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/v1/messages',
      ...Object.fromEntries([bearer, json]),
      'anthropic-version': '2026-10-21',
    });
    let exchangeId = '';
    stream.on('response', (headers) => {
      exchangeId = String(headers['x-skilltape-exchange']);
    });
    stream.end(messagesBody(text));
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    return { exchangeId, body: Buffer.concat(parts) };
  };
  try {
    const texts = Array.from({ length: 20 }, (_, number) => `question number ${number} of twenty`);
    const answers = await Promise.all(texts.map(ask));
    for (const [number, { exchangeId, body }] of answers.entries()) {
      assert.ok(body.includes(`question number ${number} of`));
      await assertComplete(exchangeId, body);
    }
  } finally {
    session.close();
  }
});

test('an upload in chunks without content-length is served, and its trailers change nothing', async () => {
  const answer = await new Promise<{ exchangeId: string; body: Buffer }>((resolve, reject) => {
    const { port } = new URL(gateway.url);
    const headers = Object.fromEntries([bearer, json, ['anthropic-version', '2023-06-01'], ['trailer', 'x-api-key']]);
    const call = http1Request({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: gateway.authorityPem,
      agent: false,
      method: 'POST',
      path: '/v1/messages',
      headers,
    });
    call.on('error', reject);
    call.on('response', async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      resolve({ exchangeId: String(response.headers['x-skilltape-exchange']), body: Buffer.concat(parts) });
    });
    call.addTrailers({ 'x-api-key': 'sk-ant-api03-in-a-trailer' });
    const body = messagesBody('Hi in pieces');
    for (let at = 0; at < body.length; at += 9) call.write(body.slice(at, at + 9));
    call.end();
  });
  await assertComplete(answer.exchangeId, answer.body);
});

test('a client that waits for 100 Continue hears it and is served', async () => {
  const { port } = new URL(gateway.url);
  const body = messagesBody('May I go on?');
  const headers = Object.fromEntries([
    bearer,
    json,
    ['anthropic-version', '2023-06-01'],
    ['expect', '100-continue'],
    ['content-length', String(body.length)],
  ]);
  const options = {
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    ca: gateway.authorityPem,
    agent: false,
    method: 'POST',
    path: '/v1/messages',
    headers,
  };
  const status = await new Promise((resolve, reject) => {
    const call = http1Request(options, (response) => response.resume().on('end', () => resolve(response.statusCode)));
    call.on('error', reject);
    // The body goes only after the gateway said so: without it this test does not end.
    call.on('continue', () => call.end(body));
    call.flushHeaders();
  });
  assert.equal(status, 200);
});

test('one connection carries request after request', async () => {
  const { Agent: HttpsAgent } = await import('node:https');
  const agent = new HttpsAgent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const text of ['first', 'second', 'third']) {
      const headers = [bearer, json, ['anthropic-version', '2023-06-01']] as const;
      const answer = await httpsCall(gateway, { headers, body: messagesBody(text), agent });
      await assertComplete(answer.exchangeId, answer.body);
    }
  } finally {
    agent.destroy();
  }
});

test('GET /v1/models passes with its query', async () => {
  const headers = [bearer, ['anthropic-version', '2023-06-01']] as const;
  const number = gateway.fake.requestCount();
  const answer = await httpsCall(gateway, { method: 'GET', path: '/v1/models?limit=5&beta=true', headers });
  assert.equal(answer.status, 200);
  assert.equal(gateway.fake.requests[number]?.path, '/v1/models?limit=5&beta=true');
  assert.ok(!pairs(gateway.fake.requests[number]?.headers ?? []).some(([name]) => name === 'content-length'));
  const { gen_ai, skilltape } = await gateway.document(answer.exchangeId);
  assert.equal(gen_ai.operation.name, 'models.list');
  assert.deepEqual(skilltape.answer, JSON.parse(answer.body.toString()));
});

const strays = [
  ...['HEAD', 'OPTIONS', 'GET', 'PUT', 'PATCH', 'DELETE', 'TRACE'].map((method) => [method, '/v1/messages']),
  ['HEAD', '/v1/models'],
  ['GET', '/'],
  ['GET', '/favicon.ico'],
  ['POST', '/v1/complete/unknown'],
  ['POST', '/v1/unknown'],
  ['GET', '/api/claude_code/settings'],
  ['PUT', '/v1/messages/batches'],
] as [string, string][];

for (const [method, path] of strays) {
  test(`${method} ${path} is refused in Claude's envelope, recorded, and does not go upstream`, async () => {
    const before = gateway.fake.requestCount();
    const answer = await httpsCall(gateway, { method, path, headers: [bearer, json] });
    assert.equal(answer.status, 403);
    if (method !== 'HEAD') {
      const { type, error, request_id } = JSON.parse(answer.body.toString());
      assert.deepEqual([type, error.type, request_id], ['error', 'permission_error', answer.exchangeId]);
      assert.match(error.message, /endpoint/);
    }
    const { skilltape, http, url } = await gateway.document(answer.exchangeId);
    assert.equal(skilltape.outcome, 'denied');
    assert.equal(skilltape.verdict.reasons[0]?.rule, 'access/endpoint_known');
    assert.deepEqual([http.request.method, url.path], [method, path]);
    assert.equal(gateway.fake.requestCount(), before);
  });
}

test('an upgrade to another protocol is refused and does not go upstream', async () => {
  const before = gateway.fake.requestCount();
  const answer = await httpsCall(gateway, {
    method: 'GET',
    headers: [bearer, ['connection', 'upgrade'], ['upgrade', 'websocket']],
  });
  assert.equal(answer.status, 403);
  assert.equal(gateway.fake.requestCount(), before);
});
