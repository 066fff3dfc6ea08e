import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type JsonObject } from '../../../extproc/claude/json.ts';
import { type MessagesRequest, readMessagesRequest } from '../../../extproc/claude/request.ts';
import { bringsSessionIds, type SessionSource, sessionSources } from '../../../extproc/claude/session.ts';
import { fixtureJson } from './fixture.ts';

const session = '00000000-0000-4000-8000-000000000000';

function request(fields: JsonObject = {}): MessagesRequest {
  const result = readMessagesRequest({ model: 'm', messages: [], ...fields });
  assert.ok(result.ok);
  return result.request;
}

/** The best source of a message request. */
function sessionSource(
  header: (name: string) => string | undefined,
  read: MessagesRequest | null,
): SessionSource | null {
  return sessionSources({ header, request: read, path: '/v1/messages', endpointKind: 'messages' })[0] ?? null;
}

function ofUserId(userId: string) {
  return sessionSource(() => undefined, request({ metadata: { user_id: userId } }));
}

const withHeader = (value: string) => (name: string) => (name === 'x-claude-code-session-id' ? value : undefined);

test('the header of Claude Code comes first, then the user id, the container, the thread', () => {
  const fields: JsonObject = {
    metadata: { user_id: JSON.stringify({ session_id: 'from-user-id' }) },
    container: { id: 'container_1' },
    thread: { type: 'continue', previous_message_id: 'msg_1' },
  };
  const read = (without: string[]) => {
    const kept = Object.fromEntries(Object.entries(fields).filter(([key]) => !without.includes(key)));
    return sessionSource(() => undefined, request(kept));
  };
  assert.deepEqual(sessionSource(withHeader(session), request(fields)), {
    source: 'claude_code_header',
    value: session,
  });
  assert.deepEqual(read([]), { source: 'metadata_user_id', value: 'from-user-id' });
  assert.deepEqual(read(['metadata']), { source: 'container', value: 'container_1' });
  assert.deepEqual(read(['metadata', 'container']), { source: 'thread', value: 'msg_1' });
  assert.equal(read(['metadata', 'container', 'thread']), null);
  assert.equal(
    sessionSource(() => undefined, null),
    null,
  );
});

test('both shapes of the user id of Claude Code name the session', () => {
  const body = fixtureJson('i_claude_p_request.trimmed.json');
  assert.ok(isJsonObject(body) && isJsonObject(body.metadata));
  assert.deepEqual(ofUserId(String(body.metadata.user_id)), { source: 'metadata_user_id', value: session });
  const old = `user_${'0a'.repeat(32)}_account__session_${session}`;
  assert.deepEqual(ofUserId(old), { source: 'metadata_user_id', value: session });
  const withAccount = `user_${'0a'.repeat(32)}_account_${session}_session_${session}`;
  assert.deepEqual(ofUserId(withAccount), { source: 'metadata_user_id', value: session });
});

test('any other user id is a user, not a session', () => {
  const others = [
    'user_7f3a9c',
    '',
    session,
    '{"session_id":7}',
    '{"device_id":"x"}',
    '["session_id"]',
    '{"session_id"',
    '{"__proto__":{"session_id":"x"}}',
    `user_x_account__session_${session}`,
    `user_0a_account__session_${session}x`,
  ];
  for (const userId of others) assert.equal(ofUserId(userId), null, userId);
});

test('a value that is too long or not printable is passed over', () => {
  for (const value of ['', 'a b', 'a\u0000b', 'a\nb', 'é', 'x'.repeat(257)]) {
    assert.equal(sessionSource(withHeader(value), request()), null);
    assert.equal(ofUserId(JSON.stringify({ session_id: value })), null);
  }
  const fallback = sessionSource(withHeader('a\nb'), request({ container: 'container_1' }));
  assert.deepEqual(fallback, { source: 'container', value: 'container_1' });
  assert.equal(sessionSource(withHeader('x'.repeat(256)), null)?.value.length, 256);
});

test('all sources are given, in their order', () => {
  const fields = {
    container: 'container_1',
    thread: { previous_message_id: 'msg_1' },
    metadata: { user_id: 'a user' },
  };
  const said = { header: withHeader(session), request: request(fields), endpointKind: 'sessions' } as const;
  const sources = sessionSources({ ...said, path: '/v1/sessions/sess_1/events' });
  assert.deepEqual(
    sources.map(({ source, value }) => [source, value]),
    [
      ['claude_code_header', session],
      ['managed_session', 'sess_1'],
      ['container', 'container_1'],
      ['thread', 'msg_1'],
    ],
  );
});

test('an answer may bring an id where code runs, a container is named or a thread begins', () => {
  const brings: [JsonObject, boolean][] = [
    [{}, false],
    [{ tools: [{ name: 'code_execution' }] }, false],
    [{ tools: [{ type: 'code_execution_20260521', name: 'code_execution' }] }, true],
    [{ container: 'container_1' }, true],
    [{ container: { skills: [{ type: 'anthropic', skill_id: 'xlsx' }] } }, true],
    [{ thread: { type: 'create' } }, true],
    [{ thread: { type: 'continue', previous_message_id: 'msg_1' } }, true],
    [{ thread: null, container: null }, false],
    [{ metadata: { user_id: JSON.stringify({ session_id: 'x' }) } }, false],
  ];
  for (const [fields, expected] of brings) {
    assert.equal(bringsSessionIds(request(fields)), expected, JSON.stringify(fields));
  }
});

test('hostile user ids are refused at once', () => {
  const padded = JSON.stringify({ session_id: 'x', pad: 'x'.repeat(3000) });
  const hostile = [padded, '{'.repeat(1_000_000), `user_${'0'.repeat(1_000_000)}`, `user_${'0_account_'.repeat(200)}`];
  for (const userId of hostile) assert.equal(ofUserId(userId), null);
});
