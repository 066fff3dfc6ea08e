import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { HttpsAnswer } from '../environment/https-call.ts';
import { httpsCall } from '../environment/https-call.ts';
import { sharedWorkspace } from '../environment/policy-edits.ts';
import { claudeError } from '../environment/traffic.ts';

let gateway: TestGateway;
let token: string;
before(async () => {
  gateway = await startTestGateway({ keepBodies: true, ...sharedWorkspace });
  token = await gateway.token();
});
after(() => gateway.stop());

const json = 'application/json';
const boundary = '----formdata-0123456789';
const multipart = `multipart/form-data; boundary=${boundary}`;

type Sent = { method?: string; path: string; body?: string | Uint8Array; type?: string };

function call({ method = 'POST', path, body, type = json }: Sent): Promise<HttpsAnswer> {
  const headers: [string, string][] = [
    ['authorization', `Bearer ${token}`],
    ['anthropic-version', '2023-06-01'],
  ];
  if (type !== '') headers.push(['content-type', type]);
  return httpsCall(gateway, { method, path, headers, ...(body === undefined ? {} : { body }) });
}

/** Refused with this status, a record of the outcome, and nothing upstream; returns the message and the record. */
async function refused(sent: Sent, status: number, outcome: 'denied' | 'refused') {
  const before = gateway.fake.requestCount();
  const answer = await call(sent);
  assert.equal(answer.status, status, answer.body.toString());
  const contentType = answer.headers.find(([name]) => name === 'content-type')?.[1];
  const message = claudeError(answer.body, contentType, ['permission_error', 'invalid_request_error']);
  const { skilltape } = await gateway.document(answer.exchangeId);
  assert.equal(skilltape.outcome, outcome);
  assert.equal(gateway.fake.requestCount(), before, 'it went upstream');
  return { message, rules: skilltape.verdict.reasons.map(({ rule }) => rule) };
}

/** Let through: the upstream got the same method, path and bytes. What it answered is not looked at. */
async function passed(sent: Sent): Promise<void> {
  const before = gateway.fake.requestCount();
  const answer = await call(sent);
  const arrival = gateway.fake.requests[before];
  assert.ok(arrival, answer.body.toString());
  assert.equal(gateway.fake.requestCount(), before + 1);
  assert.deepEqual([arrival.method, arrival.path], [sent.method ?? 'POST', sent.path]);
  assert.ok(Buffer.from(sent.body ?? '').equals(arrival.body ?? Buffer.alloc(0)), 'other bytes went upstream');
}

const withCredentials: [method: string, path: string][] = [
  ['POST', '/v1/oauth/token'],
  ['GET', '/v1/organizations/me'],
  ['POST', '/v1/organizations/api_keys/apikey_1'],
  ['POST', '/v1/vaults'],
  ['GET', '/v1/vaults/vlt_1/credentials'],
  ['POST', '/v1/vaults/vlt_1/credentials/cred_1'],
  ['POST', '/v1/tunnels/tnl_1/reveal_token'],
  ['POST', '/v1/tunnels/tnl_1/rotate_token'],
  ['POST', '/v1/sessions/sesn_1/resources/res_1'],
  ['GET', '/v1/environments/env_1/work/poll'],
  ['POST', '/v1/user_profiles/up_1/enrollment_url'],
  ['GET', '/api/oauth/profile'],
  ['POST', '/api/eval/sdk-1'],
];

test('endpoints that carry credentials are closed, each with a record', async () => {
  for (const [method, path] of withCredentials) {
    const body = method === 'POST' ? '{"token":"planted-secret"}' : undefined;
    const { rules, message } = await refused({ method, path, ...(body && { body }) }, 403, 'denied');
    assert.deepEqual(rules, ['access/endpoint_secrets'], path);
    assert.match(message, /carries credentials/, path);
  }
});

test('paths that are not known or not understood are refused', async () => {
  const paths = [
    '/v1/unknown',
    '/v1/files/file_1/unknown',
    '/v1/code/sessions',
    '/api/event_logging/v2/batch',
    '/api/x',
  ];
  for (const path of paths) {
    const { rules } = await refused({ path, body: '{}' }, 403, 'denied');
    assert.deepEqual(rules, ['access/endpoint_known'], path);
  }
});

const question = { model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };

function batchOf(...models: string[]): string {
  const requests = models.map((model, at) => ({ custom_id: `c-${at}`, params: { ...question, model } }));
  return JSON.stringify({ requests });
}

test('a batch of which one entry uses a denied model is denied as a whole', async () => {
  const path = '/v1/messages/batches';
  const allowed = ['claude-opus-5-5', 'claude-haiku-5-5'];
  const denied = await refused({ path, body: batchOf(...allowed, 'claude-mythos-1') }, 403, 'denied');
  assert.deepEqual(denied.rules, ['request/model_denied']);
  const unknown = await refused({ path, body: batchOf(...allowed, 'gpt-x', ...allowed) }, 403, 'denied');
  assert.deepEqual(unknown.rules, ['request/model_known']);
  await passed({ path, body: batchOf(...allowed, ...allowed) });
});

test('a batch that cannot be judged is refused with the entry and the limit that it passes', async () => {
  const path = '/v1/messages/batches';
  const twice = batchOf('claude-opus-5-5', 'claude-opus-5-5').replace('c-1', 'c-0');
  const same = await refused({ path, body: twice }, 400, 'refused');
  assert.match(same.message, /requests\[1\]\.custom_id repeats/);
  const models = Array.from({ length: 65 }, (_, at) => `claude-opus-${at}`);
  const varied = await refused({ path, body: batchOf(...models) }, 400, 'refused');
  assert.match(varied.message, /at most 64 different kinds/);
  const { message } = await refused({ path, body: JSON.stringify({ requests: [] }) }, 400, 'refused');
  assert.match(message, /requests must not be empty/);
});

test('a denied or unknown model is not reached by way of a fallback or a tool, in a batch neither', async () => {
  const ways: ((model: unknown) => object)[] = [
    (model) => ({ fallbacks: [{ model: 'claude-haiku-5-5' }, { model }] }),
    (model) => ({ tools: [advisorOf(model)] }),
    (model) => ({ messages: [{ role: 'system', content: [additionOf(model)] }, ...question.messages] }),
    (model) => ({
      messages: [{ role: 'assistant', content: [{ type: 'compaction', tool_changes: [additionOf(model)] }] }],
    }),
  ];
  const refusedWith = async (params: object, status: number, outcome: 'denied' | 'refused', rules: string[]) => {
    const batch = { requests: [question, params].map((each, at) => ({ custom_id: `c-${at}`, params: each })) };
    const sent: [string, object][] = [
      ['/v1/messages', params],
      ['/v1/messages/batches', batch],
    ];
    for (const [path, body] of sent) {
      const denial = await refused({ path, body: JSON.stringify(body) }, status, outcome);
      if (outcome === 'denied') assert.deepEqual(denial.rules, rules, JSON.stringify(body));
    }
  };
  for (const way of ways) {
    await refusedWith({ ...question, ...way('claude-mythos-1') }, 403, 'denied', ['request/model_denied']);
    await refusedWith({ ...question, ...way({ id: 'claude-mythos-1' }) }, 400, 'refused', []);
    await passed({ path: '/v1/messages', body: JSON.stringify({ ...question, ...way('claude-sonnet-5-5') }) });
  }
  await refusedWith({ ...question, fallbacks: [{ model: 'gpt-x' }] }, 403, 'denied', ['request/model_known']);
  await refusedWith({ ...question, fallbacks: 'default' }, 403, 'denied', ['request/model_known']);
});

function advisorOf(model: unknown): object {
  return { type: 'advisor_20260301', name: 'advisor', model };
}

function additionOf(model: unknown): object {
  return { type: 'tool_addition', tool: { type: 'tool_definition', definition: advisorOf(model) } };
}

test('a denied model is not reached by way of an agent', async () => {
  const definition = { name: 'a', model: 'claude-mythos-1' };
  const bodies: [string, unknown][] = [
    ['/v1/agents', definition],
    ['/v1/agents/agent_1', { model: { id: 'claude-mythos-1' } }],
    ['/v1/agents', { name: 'a', model: 'claude-opus-5-5', multiagent: { advisor: { model: 'claude-mythos-1' } } }],
    ['/v1/agents', { name: 'a', model: 'claude-opus-5-5', tools: [advisorOf('claude-mythos-1')] }],
    ['/v1/sessions', { environment_id: 'e', agent: { type: 'agent_with_overrides', id: 'x', ...definition } }],
    ['/v1/dreams', { model: 'claude-mythos-1', inputs: [] }],
  ];
  for (const [path, body] of bodies) {
    const { rules } = await refused({ path, body: JSON.stringify(body) }, 403, 'denied');
    assert.deepEqual(rules, ['request/model_denied'], path);
  }
});

function part(disposition: string, content: string): string {
  return `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: text/plain\r\n\r\n${content}\r\n`;
}

const form = `${part('name="files[]"; filename="demo/SKILL.md"', '# Demo')}--${boundary}--\r\n`;
const uploads = ['/v1/files', '/v1/skills', '/v1/skills/skill_1/versions'];

test('an upload that is cut, or that two parsers could read differently, is refused', async () => {
  const twice = form.replace('Content-Type: text/plain', 'Content-Disposition: form-data; name="x"; filename="x.exe"');
  for (const path of uploads) {
    for (const body of [form.slice(0, -10), `preamble\r\n${form}`, `${form}${form}`, twice]) {
      const { message } = await refused({ path, type: multipart, body }, 400, 'refused');
      assert.match(message, /cannot judge this request body/);
    }
  }
});

test('a body of another type than its endpoint takes is refused', async () => {
  for (const path of uploads) {
    const { rules } = await refused({ path, body: '{}' }, 415, 'denied');
    assert.deepEqual(rules, ['access/content_type']);
  }
  for (const path of ['/v1/messages', '/v1/messages/batches', '/v1/agents', '/v1/sessions/sesn_1/events']) {
    const { rules } = await refused({ path, type: multipart, body: form }, 415, 'denied');
    assert.deepEqual(rules, ['access/content_type']);
  }
  const untyped = await refused({ path: '/v1/agents', type: '', body: JSON.stringify(question) }, 415, 'denied');
  assert.deepEqual(untyped.rules, ['access/content_type']);
});

test('a body where none belongs, and JSON that is none, are refused', async () => {
  const stray = await refused({ method: 'DELETE', path: '/v1/files/file_1', body: '{}' }, 400, 'denied');
  assert.deepEqual(stray.rules, ['request/body_parsed']);
  for (const path of ['/v1/agents', '/v1/sessions/sesn_1/events', '/v1/memory_stores/memstore_1/memories']) {
    for (const body of ['{', '{"a":1,"a":2}', '{}{}']) await refused({ path, body }, 400, 'refused');
  }
  await refused({ path: '/v1/sessions/sesn_1/events', body: '{"events":{}}' }, 400, 'refused');
});

test('every kind of request that is allowed goes upstream as the same bytes', async () => {
  const message = { type: 'user.message', content: [{ type: 'text', text: 'Hi' }] };
  const definition = { name: 'a', model: 'claude-opus-5-5', tools: [{ type: 'agent_toolset_20260401' }] };
  const spaced = (value: unknown) => `\n ${JSON.stringify(value, null, 3)}\t\r\n`;
  const binary = Buffer.concat([
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="\u00e9.bin"\r\n\r\n`),
    Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 256)),
    Buffer.from(`\r\n--${boundary}--`),
  ]);
  const sent: Sent[] = [
    { path: '/v1/messages', body: spaced(question) },
    { path: '/v1/messages/count_tokens', body: spaced(question) },
    { path: '/v1/messages/batches', body: spaced(JSON.parse(batchOf('claude-opus-5-5'))) },
    { path: '/v1/files', type: multipart, body: binary },
    { path: '/v1/skills', type: multipart, body: form },
    { path: '/v1/skills/skill_1/versions', type: multipart, body: form },
    { path: '/v1/agents', body: spaced(definition) },
    { path: '/v1/sessions', body: spaced({ agent: 'agent_1', environment_id: 'env_1', initial_events: [message] }) },
    { path: '/v1/sessions/sesn_1/events', body: spaced({ events: [message] }) },
    { path: '/v1/memory_stores/memstore_1/memories', body: spaced({ path: '/a', content: 'c' }) },
    { path: '/v1/environments', body: spaced({ name: 'e' }) },
    { path: '/v1/agents/agent_1/archive', type: '' },
    { path: '/v1/complete', body: spaced({ model: 'claude-3-x', prompt: 'p', max_tokens_to_sample: 5 }) },
    ...['/v1/files', '/v1/files/file_1/content', '/v1/models', '/v1/skills', '/v1/messages/batches/b_1/results'].map(
      (path) => ({ method: 'GET', path, type: '' }),
    ),
    ...['/v1/sessions/sesn_1/threads', '/v1/environments/env_1/work/stats'].map((path) => ({
      ...{ method: 'GET', type: '' },
      path,
    })),
    { method: 'DELETE', path: '/v1/files/file_1', type: '' },
  ];
  for (const each of sent) await passed(each);
});
