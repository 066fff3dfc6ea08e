import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, readAnswer } from '../../../extproc/claude/answer.ts';
import { fixtureBytes, fixtureJson, utf8 } from './fixture.ts';

function read(contentType: string, body: Uint8Array, status = 200, maxEventBytes = 1_000_000): Answer {
  return readAnswer({ endpoint: 'messages.create', contentType, status, body, maxEventBytes });
}

function readFor(endpoint: string, contentType: string, body: Uint8Array, status = 200): Answer {
  return readAnswer({ endpoint, contentType, status, body, maxEventBytes: 1_000_000 });
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

test('the events of a session are read where a session is streamed or listed, and nowhere else', () => {
  const bytes = fixtureBytes('n_session_stream.sse');
  for (const endpoint of ['sessions.events.stream', 'sessions.threads.stream']) {
    const answer = readFor(endpoint, 'text/event-stream', bytes);
    assert.ok(answer.kind === 'session_events' && answer.events.length === 14 && !answer.truncated, endpoint);
  }
  assert.equal(readFor('messages.create', 'text/event-stream', bytes).kind, 'opaque');
  const page = utf8('{"data":[{"type":"user.message","id":"e","content":[]}],"next_page":null}');
  for (const endpoint of ['sessions.events.list', 'sessions.threads.events.list']) {
    const answer = readFor(endpoint, 'application/json', page);
    assert.ok(answer.kind === 'session_events' && answer.events.length === 1, endpoint);
  }
  assert.equal(readFor('files.list', 'application/json', page).kind, 'json');
  const error = fixtureBytes('j_error_429.json');
  assert.equal(readFor('sessions.events.list', 'application/json', error, 429).kind, 'json');
  assert.equal(readFor('sessions.events.list', 'application/json', page, 500).kind, 'json');
});

test('the results of a batch are read whatever type they come under', () => {
  const bytes = fixtureBytes('m_batch_results.jsonl');
  for (const type of [
    'application/x-jsonl',
    'application/binary',
    'application/octet-stream',
    'application/json',
    '',
  ]) {
    const answer = readFor('batches.results', type, bytes);
    assert.ok(answer.kind === 'batch_results' && answer.results.length === 4 && answer.faults.length === 0, type);
  }
  assert.equal(readFor('files.download', 'application/x-jsonl', bytes).kind, 'opaque');
  const cut = readFor('batches.results', 'application/x-jsonl', bytes.subarray(0, bytes.length - 5));
  assert.ok(cut.kind === 'batch_results' && cut.results.length === 3);
  assert.deepEqual(cut.faults, ['line 4: no result of a batch']);
});

test('an error in the place of results is an error, and a batch without results has none', () => {
  const error = fixtureBytes('j_error_401.json');
  assert.equal(readFor('batches.results', 'application/json', error, 401).kind, 'json');
  assert.equal(readFor('batches.results', 'application/json', error).kind, 'json');
  assert.equal(readFor('batches.results', 'application/x-jsonl', utf8('<html>')).kind, 'opaque');
  const none = readFor('batches.results', 'application/x-jsonl', utf8('\n'));
  assert.deepEqual(none, { kind: 'batch_results', results: [], faults: [] });
});

test('one result under the type of JSON is still a result', () => {
  const [line = ''] = new TextDecoder().decode(fixtureBytes('m_batch_results.jsonl')).split('\n');
  assert.equal(readFor('batches.results', 'application/json', utf8(line)).kind, 'batch_results');
});

test('a legacy completion is JSON, streamed or not', () => {
  const events = [
    'event: completion\ndata: {"type":"completion","completion":" Hel","stop_reason":null,"model":"m"}',
    'event: ping\ndata: {}',
    'event: completion\ndata: {"type":"completion","completion":"lo","stop_reason":"stop_sequence","model":"m"}',
  ];
  const readStream = (...frames: string[]) =>
    readFor('complete.create', 'text/event-stream', utf8(frames.map((frame) => `${frame}\n\n`).join('')));
  const value = { type: 'completion', completion: ' Hello', stop_reason: 'stop_sequence', model: 'm' };
  assert.deepEqual(readStream(...events), { kind: 'json', value });
  assert.deepEqual(readFor('complete.create', 'application/json', utf8(JSON.stringify(value))), {
    kind: 'json',
    value,
  });
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Busy' } };
  const failed = `event: error\ndata: ${JSON.stringify(error)}`;
  assert.deepEqual(readStream(...events, failed), { kind: 'json', value: { ...value, error } });
  assert.deepEqual(readStream(failed), { kind: 'json', value: error });
  assert.equal(readStream('event: x\ndata: {}').kind, 'opaque');
});
