import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessagesRequest } from '../../../extproc/claude/request.ts';
import { sessionOf } from '../../../extproc/exchange/session.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';

const identity = { issuer: 'https://idp.example.org', subject: 'alice', name: '', email: '', groups: [] as string[] };
const usual = {
  headers: [['x-claude-code-session-id', 'c-1']] as const,
  request: null,
  identity,
  connection: 'claude',
  exchangeId: 'exchange-1',
  keyedHash: keyedHashWith(new Uint8Array(32).fill(7)),
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
    { ...usual, headers: [['x-claude-code-session-id', 'c-2']] as const },
    { ...usual, headers: [], request: read.request },
    { ...usual, keyedHash: keyedHashWith(new Uint8Array(32).fill(8)) },
    // Joined without quotes these would be the same text.
    { ...usual, identity: { ...identity, subject: 'alice","claude' }, connection: '' },
  ].map((options) => sessionOf(options).id);
  assert.equal(new Set(sessions).size, sessions.length);
});

test('an exchange that names no session, or has no person, is a session of its own', () => {
  const own = { id: 'exchange-1', source: 'exchange' };
  assert.deepEqual(sessionOf({ ...usual, headers: [] }), own);
  assert.deepEqual(sessionOf({ ...usual, identity: null }), own);
  assert.deepEqual(sessionOf({ ...usual, headers: [['x-claude-code-session-id', 'x'.repeat(300)]] }), own);
});

test("the caller's own value is not in the id", () => {
  assert.doesNotMatch(sessionOf(usual).id, /c-1/);
});
