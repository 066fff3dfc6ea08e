import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, readAnswer } from '../../../extproc/claude/answer.ts';
import { fixtureBytes, fixtureJson, utf8 } from './fixture.ts';

function read(contentType: string, body: Uint8Array, status = 200, maxEventBytes = 1_000_000): Answer {
  return readAnswer({ contentType, status, body, maxEventBytes });
}

test('a whole JSON message is an ended message', () => {
  const answer = read('application/json; charset=utf-8', fixtureBytes('a_plain_response.json'));
  const message = fixtureJson('a_plain_response.json');
  assert.deepEqual(answer, { kind: 'message', message, ended: true, error: null, faults: [] });
});

test('a stream is read as the same message', () => {
  const answer = read('Text/Event-Stream', fixtureBytes('e_skills_stream.sse'));
  const message = fixtureJson('e_skills_response.json');
  assert.deepEqual(answer, { kind: 'message', message, ended: true, error: null, faults: [] });
});

test('a truncated or failed stream is a message that has not ended', () => {
  const truncated = read('text/event-stream', fixtureBytes('f2_truncated.sse'));
  assert.ok(truncated.kind === 'message' && !truncated.ended && truncated.error === null && truncated.message !== null);
  const failed = read('text/event-stream', fixtureBytes('f_midstream_error.sse'));
  assert.ok(failed.kind === 'message' && !failed.ended && failed.error !== null);
  const onlyError = read('text/event-stream', utf8('event: error\ndata: {"type":"error"}\n\n'));
  assert.deepEqual(onlyError, {
    kind: 'message',
    message: null,
    ended: false,
    error: { type: 'error' },
    faults: [],
  });
});

test('other JSON is a value: counts, errors, and a message under an error status', () => {
  assert.deepEqual(read('application/json', fixtureBytes('g_count_tokens_response.json')), {
    kind: 'json',
    value: { input_tokens: 14 },
  });
  const error = read('application/json', fixtureBytes('j_error_429.json'), 429);
  assert.deepEqual(error, { kind: 'json', value: fixtureJson('j_error_429.json') });
  assert.equal(read('application/json', fixtureBytes('a_plain_response.json'), 500).kind, 'json');
});

test('truncated JSON, downloads and streams of another grammar are opaque', () => {
  const json = fixtureBytes('a_plain_response.json');
  assert.deepEqual(read('application/json', json.subarray(0, 100)), { kind: 'opaque', bytes: 100 });
  assert.deepEqual(read('application/octet-stream', json), { kind: 'opaque', bytes: json.length });
  assert.deepEqual(read('', utf8('')), { kind: 'opaque', bytes: 0 });
  const session = utf8('event: agent.message\ndata: {"type":"agent.message"}\n\n');
  assert.deepEqual(read('text/event-stream', session), { kind: 'opaque', bytes: session.length });
});

test('the content type alone chooses the parser', () => {
  assert.equal(read('application/json', fixtureBytes('b_stream_text.sse')).kind, 'opaque');
  assert.equal(read('text/event-stream', fixtureBytes('a_plain_response.json')).kind, 'opaque');
});

test('an event over the bound leaves a prefix that says so', () => {
  const answer = read('text/event-stream', fixtureBytes('e_skills_stream.sse'), 200, 700);
  const whole = read('text/event-stream', fixtureBytes('e_skills_stream.sse'), 200, 400);
  assert.equal(whole.kind, 'opaque', 'not even the first event fits');
  assert.ok(answer.kind === 'message');
  const big = `event: content_block_start\ndata: ${'x'.repeat(2000)}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`;
  const start = 'event: message_start\ndata: {"type":"message_start","message":{"content":[]}}\n\n';
  const cut = read('text/event-stream', utf8(start + big), 200, 1000);
  assert.deepEqual(cut, {
    kind: 'message',
    message: { content: [] },
    ended: false,
    error: null,
    faults: ['an event larger than 1000 bytes'],
  });
});
