import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endpointNames, endpointOf } from '../../../extproc/claude/endpoint.ts';
import { endpointRows } from '../../../extproc/claude/endpoint-table.ts';

test('the endpoints of the data plane are known by method and path, with their treatment', () => {
  const known: [string, string, string, string, string][] = [
    ['POST', '/v1/messages', 'messages.create', 'messages', 'prompt'],
    ['POST', '/v1/messages/count_tokens', 'messages.count_tokens', 'count_tokens', 'housekeeping'],
    ['POST', '/v1/messages/batches', 'batches.create', 'batches', 'prompt'],
    ['GET', '/v1/messages/batches', 'batches.list', 'batches', 'housekeeping'],
    ['GET', '/v1/messages/batches/msgbatch_01Abc/results', 'batches.results', 'batches', 'prompt'],
    ['GET', '/v1/models/claude-opus-5-5', 'models.get', 'models', 'housekeeping'],
    ['POST', '/v1/files', 'files.upload', 'files', 'content'],
    ['GET', '/v1/files/file_011FixtureOutputXlsx/content', 'files.download', 'files', 'content'],
    ['POST', '/v1/skills', 'skills.create', 'skills', 'content'],
    [
      ...['GET', '/v1/skills/skill_01/versions/1759178010641129/content', 'skills.versions.download'],
      ...['skills', 'content'],
    ] as [string, string, string, string, string],
    ['GET', '/v1/sessions/sesn_1/events/stream', 'sessions.events.stream', 'sessions', 'prompt'],
    ['POST', '/v1/sessions', 'sessions.create', 'sessions', 'settings'],
    ['POST', '/v1/agents', 'agents.create', 'agents', 'settings'],
    ['GET', '/v1/environments/env_1/work/stats', 'environments.work.stats', 'environments', 'housekeeping'],
    ['GET', '/v1/environments/env_1/work/work_1', 'environments.work.get', 'environments', 'housekeeping'],
  ];
  for (const [method, path, name, kind, treatment] of known) {
    assert.deepEqual(endpointOf(method, path), { name, kind, treatment }, path);
  }
});

test('what carries credentials is named as such', () => {
  const dangerous: [string, string, string][] = [
    ['POST', '/v1/oauth/token', 'oauth.token'],
    ['POST', '/v1/vaults/vlt_1/credentials', 'vaults.credentials.create'],
    ['POST', '/v1/tunnels/tnl_1/reveal_token', 'tunnels.reveal_token'],
    ['POST', '/v1/sessions/sesn_1/resources/res_1', 'sessions.resources.update'],
    ['GET', '/v1/environments/env_1/work/poll', 'environments.work.poll'],
    ['GET', '/v1/organizations', 'organizations.read'],
    ['GET', '/v1/organizations/me', 'organizations.read'],
    ['POST', '/v1/organizations/api_keys/apikey_1', 'organizations.write'],
    ['DELETE', '/v1/organizations/workspaces/a/members/b', 'organizations.write'],
    ['POST', '/api/oauth/claude_cli/create_api_key', 'oauth.claude_code.write'],
    ['POST', '/api/eval/sdk-abc', 'claude_code.eval.write'],
  ];
  for (const [method, path, name] of dangerous) {
    assert.deepEqual([endpointOf(method, path).name, endpointOf(method, path).treatment], [name, 'secrets'], path);
  }
});

test("the services of Claude Code's own have names, and nothing is known of their bodies", () => {
  const paths: [string, string, string][] = [
    ['POST', '/v1/code/sessions', 'claude_code.remote.write'],
    ['GET', '/api/claude_cli/bootstrap', 'claude_code.cli.read'],
    ['GET', '/api/claude_code_penguin_mode', 'claude_code.mode.read'],
    ['GET', '/api/claude_code/organizations/metrics_enabled', 'claude_code.settings.read'],
    ['GET', '/api/directory/server-urls', 'claude_code.directory.read'],
    ['POST', '/api/event_logging/v2/batch', 'claude_code.event_logging.write'],
  ];
  for (const [method, path, name] of paths) {
    assert.deepEqual(endpointOf(method, path), { name, kind: 'claude_code', treatment: 'unknown' }, path);
  }
});

test('every row of the table is found, and names are unique', () => {
  const names = new Set<string>();
  for (const [path, kind, treatment, operations] of endpointRows) {
    for (const [method, name] of Object.entries(operations)) {
      assert.deepEqual(endpointOf(method, path.replaceAll('*', 'id_1')), { name, kind, treatment }, path);
      assert.ok(!names.has(name), name);
      names.add(name);
    }
  }
  for (const name of names) assert.ok(endpointNames.includes(name), name);
  assert.equal(new Set(endpointNames).size, endpointNames.length);
});

test('whatever is not exactly a known shape is unknown', () => {
  const paths = [
    '',
    '/',
    'v1/messages',
    '/v1/messages/',
    '//v1/messages',
    '/v1//messages',
    '/V1/messages',
    '/v1/Messages',
    '/v1/messages?beta=true',
    '/v1/messages#x',
    '/v1/messages;a=b',
    '/v1/%6dessages',
    '/v1/messages%2f',
    '/v1/messages\u0000',
    '/v1/messages ',
    '/v1/./messages',
    '/v1/files/../messages',
    '/v1/files/..',
    '/v1/files/.',
    '/v1/files/%2e%2e/content',
    '/v1/files//content',
    '/v1/files/a%2Fb',
    '/v1/files/a\\b',
    '/v1/files/*',
    '/v1/files/é',
    '/team-a/v1/messages',
    '/v1/organizations/',
    '/v1/organizations//me',
    '/v1/organizations/a%2fb',
    '/v1/organizations/../messages',
    '/v1/organizations_x',
    '/api',
    '/api/other',
    '/api/claude_code_x',
    '/v1/messages/batches/a/b',
    '/v1/__proto__',
    `/v1/files/${'a'.repeat(2000)}`,
    `/${'/'.repeat(100_000)}`,
  ];
  for (const path of paths) {
    for (const method of ['POST', 'GET']) assert.equal(endpointOf(method, path).kind, 'unknown', path);
  }
  for (const method of ['post', 'GET', 'PUT', 'HEAD', 'OPTIONS', '', 'constructor', '__proto__']) {
    assert.equal(endpointOf(method, '/v1/messages').kind, 'unknown', method);
  }
});

test('one changed character makes a known path unknown, or another identifier', () => {
  fc.assert(
    fc.property(fc.nat(11), fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }), (at, char) => {
      const path = '/v1/messages';
      const changed = path.slice(0, at) + char + path.slice(at + 1);
      assert.equal(endpointOf('POST', changed).kind, changed === path ? 'messages' : 'unknown');
    }),
  );
});
