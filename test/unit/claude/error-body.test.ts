import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { errorEnvelope } from '../../../extproc/claude/error-body.ts';
import { fixtureJson } from './fixture.ts';

test('an error body has the form of the recorded ones', () => {
  const body = errorEnvelope({
    type: 'rate_limit_error',
    message: 'This request would exceed your rate limit.',
    errorCode: 'ramp_limit_exceeded',
    requestId: 'req_011CFixture429',
  });
  assert.deepEqual(JSON.parse(body), fixtureJson('j_error_429.json'));
  const plain = errorEnvelope({ type: 'overloaded_error', message: 'Overloaded', requestId: 'req_011CFixture529' });
  assert.deepEqual(JSON.parse(plain), fixtureJson('j_error_529.json'));
});

test('nothing in a message can break out of its string', () => {
  const message = '"}}\u2028\u0000\ud800</script>{"type":"';
  assert.equal(JSON.parse(errorEnvelope({ type: 'api_error', message, requestId: '"' })).error.message, message);
});

test('the official SDK reads type and message of a denial', async () => {
  const body = errorEnvelope({
    type: 'permission_error',
    message: 'Denied by policy',
    errorCode: 'dlp_request_denied',
    requestId: 'req_1',
  });
  const client = new Anthropic({
    apiKey: 'k',
    maxRetries: 0,
    fetch: async () => new Response(body, { status: 403, headers: { 'content-type': 'application/json' } }),
  });
  const call = client.messages.create({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] });
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof Anthropic.PermissionDeniedError);
    assert.equal(error.type, 'permission_error');
    assert.match(error.message, /Denied by policy/);
    return true;
  });
});
