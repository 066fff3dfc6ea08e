import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Dispatcher, request as httpRequest } from 'undici';
import type { FakeClaude } from '../claude.ts';
import { ROUTE_NAMES } from './routes.ts';
import { ask, withFake } from './with-fake.ts';

const KEYS = [
  ...['model', 'messages', 'role', 'content', 'type', 'text', 'container', 'skills', 'skill_id', 'thread', 'system'],
  ...['previous_message_id', 'requests', 'custom_id', 'params', 'agent', 'id', 'environment_id', 'events', 'tools'],
  ...['initial_events', 'resources', 'metadata', 'prompt', 'config', 'name', '__proto__', 'constructor', 'toString'],
];
const WORDS = [
  ...['user', 'assistant', 'text', 'server_tool_use', 'create', 'continue', 'user.message', 'system.message', 'a'],
  ...['agent_011Fake0000000000000001', 'env_011Fake0000000000000001', '[fake: answer skills]', '[fake: agent ask]'],
  ...['\ud800', '\u0000', '__proto__', 'agent_with_overrides'],
];
const IDS = [
  'agent_011Fake0000000000000001',
  'env_011Fake0000000000000001',
  'sesn_011Fake0000000000000001',
  'xlsx',
  '%ff',
];

const { value: anyJson } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, 0, -1, 1e308, ...WORDS),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 5 }).map((entries) => {
      return Object.fromEntries(entries);
    }),
  ),
}));

async function send(fake: FakeClaude, method: string, path: string, body: string | Buffer | null, type: string) {
  const response = await httpRequest(`${fake.url}${path}`, {
    method: method as Dispatcher.HttpMethod,
    headers: {
      'x-api-key': 'k',
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'message-threads-2026-08-12,skills-2025-10-02',
      'content-type': type,
    },
    body,
  });
  const isStream = response.headers['content-type']?.includes('event-stream') ?? false;
  if (isStream && path.includes('/stream')) response.body.on('error', () => undefined).destroy();
  else await response.body.dump();
  return response.statusCode;
}

test('no body, path or query makes the fake fail: every route answers, and goes on answering', async () => {
  await withFake({}, async (fake) => {
    const json = 'application/json';
    await send(fake, 'POST', '/v1/agents', JSON.stringify({ name: 'a', model: 'm' }), json);
    await send(fake, 'POST', '/v1/environments', JSON.stringify({ name: 'a' }), json);
    const session = { agent: 'agent_011Fake0000000000000001', environment_id: 'env_011Fake0000000000000001' };
    assert.equal(await send(fake, 'POST', '/v1/sessions', JSON.stringify(session), json), 200);
    const arbitrary = fc.record({
      route: fc.constantFrom(...ROUTE_NAMES.filter((name) => !name.startsWith('DELETE'))),
      ids: fc.array(fc.constantFrom(...IDS), { minLength: 3, maxLength: 3 }),
      body: fc.oneof(
        anyJson.map((value) => JSON.stringify(value)),
        fc.string(),
      ),
      type: fc.constantFrom(json, 'multipart/form-data; boundary=a', 'multipart/form-data', ''),
      query: fc.constantFrom('', '?limit=0', '?page=x', '?after_id=__proto__', '?limit=5&order=desc', '?version=1'),
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ route, ids, body, type, query }) => {
        const [method = '', pattern = ''] = route.split(' ');
        let next = 0;
        const path = pattern.replace(/\{[a-z_]+\}/g, () => ids[next++] ?? '');
        const status = await send(fake, method, `${path}${query}`, method === 'GET' ? null : body, type);
        assert.ok(status === 200 || (status >= 400 && status < 500), `${route} ${status}`);
      }),
      { numRuns: 400 },
    );
  });
});

test('a body nested 100,000 levels deep is refused, in every place that would write it out again', async () => {
  await withFake({}, async (fake) => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    for (const path of ['/v1/messages', '/v1/messages/batches', '/v1/agents', '/v1/environments', '/v1/sessions']) {
      const body = `{"name":"a","model":"m","messages":[{"role":"user","content":${deep}}],"requests":${deep}}`;
      assert.equal(await send(fake, 'POST', path, body, 'application/json'), 400);
    }
    assert.equal(await send(fake, 'POST', '/v1/messages', JSON.stringify(ask('hello')), 'application/json'), 200);
  });
});
