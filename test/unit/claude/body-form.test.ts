import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyFormOf } from '../../../extproc/claude/body-form.ts';
import { endpointOf } from '../../../extproc/claude/endpoint.ts';

test('each endpoint takes one form of body', () => {
  const forms: [string, string, string, string][] = [
    ['POST', '/v1/messages', 'application/json', 'messages'],
    ['POST', '/v1/messages/count_tokens', 'application/json', 'messages'],
    ['POST', '/v1/messages/cache_touch', 'application/json', 'messages'],
    ['POST', '/v1/complete', 'application/json', 'completion'],
    ['POST', '/v1/messages/batches', 'application/json', 'batch'],
    ['POST', '/v1/files', 'application/json', 'upload'],
    ['POST', '/v1/skills', 'multipart/form-data', 'upload'],
    ['POST', '/v1/skills/skill_1/versions', 'multipart/form-data', 'upload'],
    ['POST', '/v1/agents', 'multipart/form-data', 'json'],
    ['POST', '/v1/agents/agent_1/archive', '', 'json'],
    ['GET', '/v1/files', '', 'none'],
    ['DELETE', '/v1/files/file_1', 'application/json', 'none'],
    ['POST', '/v1/organizations/plugins', 'multipart/form-data', 'upload'],
    ['POST', '/v1/organizations/users', 'application/json', 'json'],
    ['POST', '/v1/organizations/users', 'text/plain', 'json'],
    ['GET', '/v1/organizations/users', 'multipart/form-data', 'none'],
    ['POST', '/v1/unknown', 'application/json', 'none'],
  ];
  for (const [method, path, mediaType, form] of forms) {
    assert.equal(bodyFormOf(endpointOf(method, path), method, mediaType), form, `${method} ${path}`);
  }
});
