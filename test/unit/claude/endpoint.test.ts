import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endpointOf } from '../../../extproc/claude/endpoint.ts';
import { endpointRows } from '../../../extproc/claude/endpoint-table.ts';

test('the endpoints of the data plane are known by method and path', () => {
  const known: [string, string, string, string][] = [
    ['POST', '/v1/messages', 'messages.create', 'messages'],
    ['POST', '/v1/messages/count_tokens', 'messages.count_tokens', 'count_tokens'],
    ['POST', '/v1/messages/batches', 'batches.create', 'batches'],
    ['GET', '/v1/messages/batches/msgbatch_01Abc/results', 'batches.results', 'batches'],
    ['GET', '/v1/models/claude-opus-5-5', 'models.get', 'models'],
    ['POST', '/v1/files', 'files.upload', 'files'],
    ['GET', '/v1/files/file_011FixtureOutputXlsx/content', 'files.download', 'files'],
    ['POST', '/v1/skills', 'skills.create', 'skills'],
    ['GET', '/v1/skills/skill_01/versions/1759178010641129/content', 'skills.versions.download', 'skills'],
    ['GET', '/v1/sessions/sesn_1/events/stream', 'sessions.events.stream', 'sessions'],
    ['GET', '/v1/environments/env_1/work/poll', 'environments.work.poll', 'other'],
    ['GET', '/v1/environments/env_1/work/work_1', 'environments.work.get', 'other'],
    ['POST', '/v1/oauth/token', 'oauth.token', 'other'],
  ];
  for (const [method, path, name, kind] of known) assert.deepEqual(endpointOf(method, path), { name, kind }, path);
});

test('every row of the table is found, and names are unique', () => {
  const names = new Set<string>();
  for (const [path, kind, operations] of endpointRows) {
    for (const [method, name] of Object.entries(operations)) {
      assert.deepEqual(endpointOf(method, path.replaceAll('*', 'id_1')), { name, kind }, path);
      assert.ok(!names.has(name), name);
      names.add(name);
    }
  }
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
    '/v1/organizations/me',
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
