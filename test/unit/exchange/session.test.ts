import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../extproc/claude/json.ts';
import type { MessagesRequest } from '../../../extproc/claude/request.ts';
import { readMessagesRequest } from '../../../extproc/claude/request.ts';
import { sessionOf } from '../../../extproc/exchange/session.ts';
import { createSessionLinks, sessionLinkKey } from '../../../extproc/exchange/session-links.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';

const identity = { issuer: 'https://idp.example.org', subject: 'alice', name: '', email: '', groups: [] as string[] };
const endpoint = { name: 'messages.create', kind: 'messages' } as const;
const facts = { headers: [['x-claude-code-session-id', 'c-1']] as const, path: '/v1/messages', endpoint };
const unnamed = { ...facts, headers: [] };
const usual = {
  facts,
  request: null,
  identity,
  connection: 'claude',
  exchangeId: 'exchange-1',
  keyedHash: keyedHashWith(new Uint8Array(32).fill(7)),
  links: createSessionLinks(10),
};

test('exchanges of one person on one connection that name the same session share it', () => {
  const session = sessionOf(usual);
  assert.match(session.id, /^s-[0-9a-f]{32}$/);
  assert.equal(session.source, 'claude_code_header');
  const later = { ...identity, name: 'Alice Ames', groups: ['research'] };
  assert.deepEqual(sessionOf({ ...usual, identity: later, exchangeId: 'exchange-2' }), session);
});

test('another person, issuer, connection, name, source or key gives another session', () => {
  const body = { model: 'm', messages: [], metadata: { user_id: JSON.stringify({ session_id: 'c-1' }) } };
  const read = readMessagesRequest(body);
  assert.ok(read.ok);
  const sessions = [
    usual,
    { ...usual, identity: { ...identity, subject: 'bob' } },
    { ...usual, identity: { ...identity, issuer: 'https://other.example.org' } },
    { ...usual, connection: 'sandbox' },
    { ...usual, facts: { ...facts, headers: [['x-claude-code-session-id', 'c-2']] as const } },
    { ...usual, facts: unnamed, request: read.request },
    { ...usual, keyedHash: keyedHashWith(new Uint8Array(32).fill(8)) },
    // Joined without quotes these would be the same text.
    { ...usual, identity: { ...identity, subject: 'alice","claude' }, connection: '' },
  ].map((options) => sessionOf(options).id);
  assert.equal(new Set(sessions).size, sessions.length);
});

test('an exchange that names no session, or has no person, is a session of its own', () => {
  const own = { id: 'exchange-1', source: 'exchange' };
  assert.deepEqual(sessionOf({ ...usual, facts: unnamed }), own);
  assert.deepEqual(sessionOf({ ...usual, identity: null }), own);
  const tooLong = { ...facts, headers: [['x-claude-code-session-id', 'x'.repeat(300)]] as const };
  assert.deepEqual(sessionOf({ ...usual, facts: tooLong }), own);
});

test("the caller's own value is not in the id", () => {
  assert.doesNotMatch(sessionOf(usual).id, /c-1/);
});

function naming(fields: JsonObject): MessagesRequest {
  const read = readMessagesRequest({ model: 'm', messages: [], ...fields });
  assert.ok(read.ok);
  return read.request;
}

const inContainer = { ...usual, facts: unnamed, request: naming({ container: 'container_1' }) };
const inThread = { ...usual, facts: unnamed, request: naming({ thread: { previous_message_id: 'msg_1' } }) };

test('an id that an earlier answer brought leads to the session of that exchange', () => {
  const links = createSessionLinks(10);
  links.remember(sessionLinkKey(usual, 'container', 'container_1'), 'session-a');
  links.remember(sessionLinkKey(usual, 'message', 'msg_1'), 'session-b');
  assert.deepEqual(sessionOf({ ...inContainer, links }), { id: 'session-a', source: 'container' });
  assert.deepEqual(sessionOf({ ...inThread, links }), { id: 'session-b', source: 'thread' });
  const both = naming({ container: 'container_1', thread: { previous_message_id: 'msg_1' } });
  assert.equal(sessionOf({ ...inThread, request: both, links }).id, 'session-a');
});

test('a known message comes before a container that nobody has seen', () => {
  const links = createSessionLinks(10);
  links.remember(sessionLinkKey(usual, 'message', 'msg_1'), 'session-b');
  const request = naming({ container: 'container_new', thread: { previous_message_id: 'msg_1' } });
  assert.deepEqual(sessionOf({ ...inThread, request, links }), { id: 'session-b', source: 'thread' });
});

test('what names a session by itself comes before every link', () => {
  const links = createSessionLinks(10);
  links.remember(sessionLinkKey(usual, 'container', 'container_1'), 'session-a');
  assert.equal(sessionOf({ ...inContainer, facts, links }).source, 'claude_code_header');
});

test('an id that no answer brought names a session by itself', () => {
  for (const unseen of [inContainer, inThread]) {
    const session = sessionOf(unseen);
    assert.match(session.id, /^s-[0-9a-f]{32}$/);
    assert.deepEqual(sessionOf({ ...unseen, exchangeId: 'exchange-2' }), session);
  }
});

test("another person, issuer or connection that names the same id never joins somebody's session", () => {
  const links = createSessionLinks(10);
  links.remember(sessionLinkKey(usual, 'container', 'container_1'), 'session-a');
  links.remember(sessionLinkKey(usual, 'message', 'msg_1'), 'session-a');
  const others = [
    { identity: { ...identity, subject: 'bob' } },
    { identity: { ...identity, issuer: 'https://other.example.org' } },
    { connection: 'sandbox' },
    { identity: { ...identity, subject: 'alice","claude' }, connection: '' },
    { identity: null },
  ];
  for (const other of others) {
    for (const named of [inContainer, inThread]) {
      assert.notEqual(sessionOf({ ...named, ...other, links }).id, 'session-a', JSON.stringify(other));
    }
  }
});

test('a container named as the message of a thread, or the other way round, leads nowhere', () => {
  const links = createSessionLinks(10);
  links.remember(sessionLinkKey(usual, 'container', 'msg_1'), 'session-a');
  links.remember(sessionLinkKey(usual, 'message', 'container_1'), 'session-a');
  for (const named of [inContainer, inThread]) assert.notEqual(sessionOf({ ...named, links }).id, 'session-a');
});

test('the calls of a managed session share it, and another kind of endpoint with such a path does not', () => {
  const kind = 'sessions' as const;
  const call = (path: string) => sessionOf({ ...usual, facts: { ...unnamed, path, endpoint: { kind } } });
  const session = call('/v1/sessions/sess_1/events');
  assert.equal(session.source, 'managed_session');
  for (const path of ['/v1/sessions/sess_1', '/v1/sessions/sess_1/threads/t_1/stream']) {
    assert.deepEqual(call(path), session);
  }
  assert.notEqual(call('/v1/sessions/sess_2/events').id, session.id);
  assert.equal(call('/v1/sessions').source, 'exchange');
  const elsewhere = { ...unnamed, path: '/v1/sessions/sess_1/events' };
  assert.equal(sessionOf({ ...usual, facts: elsewhere }).source, 'exchange');
});
