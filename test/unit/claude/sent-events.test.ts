import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSentEvents } from '../../../extproc/claude/sent-events.ts';

const message = { type: 'user.message', content: [{ type: 'text', text: 'Hi' }] };

test('events that are sent, and those that a session begins with, are read', () => {
  assert.deepEqual(readSentEvents('sessions.events.send', { events: [message] }), { ok: true, events: [message] });
  assert.deepEqual(readSentEvents('sessions.create', { initial_events: [message] }), { ok: true, events: [message] });
  assert.deepEqual(readSentEvents('sessions.create', { agent: 'a' }), { ok: true, events: null });
  assert.deepEqual(readSentEvents('agents.create', { events: 7 }), { ok: true, events: null });
});

test('events of a form that cannot be judged are a fault that names the field', () => {
  const send = (value: Parameters<typeof readSentEvents>[1]) => readSentEvents('sessions.events.send', value);
  assert.deepEqual(send({}), { ok: false, fault: 'events must be an array' });
  assert.deepEqual(send([]), { ok: false, fault: 'events must be an array' });
  assert.deepEqual(send({ events: [message, 'planted'] }), { ok: false, fault: 'events[1] must be an object' });
  assert.deepEqual(send({ events: [{ content: [] }] }), { ok: false, fault: 'events[0].type must be a string' });
  const created = readSentEvents('deployments.create', { initial_events: {} });
  assert.deepEqual(created, { ok: false, fault: 'initial_events must be an array' });
});
