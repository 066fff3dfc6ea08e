import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerEnd, type AnswerEndOptions } from '../../../extproc/claude/answer-end.ts';
import { decodeAll, fixtureBytes, streamFixtures, utf8 } from './fixture.ts';

function streamEnd(options: Partial<AnswerEndOptions> = {}): AnswerEnd {
  return new AnswerEnd({
    contentType: 'text/event-stream; charset=utf-8',
    contentLength: null,
    contentEncoding: '',
    ...options,
  });
}

/** How many bytes it takes until the end is told, in chunks of one byte; -1 if it never is. */
function endedAt(end: AnswerEnd, bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; at += 1) if (end.push(bytes.subarray(at, at + 1)) === 'ended') return at + 1;
  return -1;
}

function deliverableAt(bytes: Uint8Array): number {
  for (let length = 0; length <= bytes.length; length += 1) {
    const last = decodeAll([bytes.subarray(0, length)]).at(-1)?.event;
    if (last === 'message_stop' || last === 'error') return length;
  }
  return -1;
}

for (const name of streamFixtures) {
  test(`the end of ${name} is told exactly when its last event can be delivered`, () => {
    const bytes = fixtureBytes(name);
    const expected = deliverableAt(bytes);
    assert.equal(endedAt(streamEnd(), bytes), expected);
    for (let at = 0; at <= bytes.length; at += 1) {
      const end = streamEnd();
      assert.equal(end.push(bytes.subarray(0, at)), expected !== -1 && at >= expected ? 'ended' : 'open');
      assert.equal(end.push(bytes.subarray(at)), expected === -1 ? 'open' : 'ended');
    }
  });
}

test('with LF the end is the last byte, with CRLF the first byte of the last line end', () => {
  const plain = fixtureBytes('b_stream_text.sse');
  assert.equal(endedAt(streamEnd(), plain), plain.length);
  const crlf = fixtureBytes('k_stream_unknowns.sse');
  assert.equal(endedAt(streamEnd(), crlf), crlf.length - 1);
});

test('a closed stream is complete only after message_stop', () => {
  const outcome = (bytes: Uint8Array) => {
    const end = streamEnd();
    end.push(bytes);
    return end.endOfStream();
  };
  assert.equal(outcome(fixtureBytes('e_skills_stream.sse')), 'complete');
  assert.equal(outcome(fixtureBytes('f_midstream_error.sse')), 'error_event');
  assert.equal(outcome(fixtureBytes('f2_truncated.sse')), 'truncated');
  assert.equal(outcome(utf8('')), 'truncated');
  assert.equal(outcome(fixtureBytes('b_stream_text.sse').slice(0, -1)), 'truncated');
});

test('text that speaks of message_stop does not end a stream', () => {
  const texts = [
    'event: content_block_delta\ndata: {"text":"event: message_stop"}\n\n',
    'data: event: message_stop\n\n',
    ': event: message_stop\n\n',
    'event: message_stop_not\ndata: {}\n\n',
    `event: message_stop${' '.repeat(100)}\ndata: {}\n\n`,
    'event: message_stop\n\n',
    'event: other\ndata: {}\n\nevent: message_stop\n\n',
    'event: message_stop\ndata: {}\nevent: other\n\n',
    'Event: message_stop\ndata: {}\n\n',
    'event: message_stop\ndata: {}\n',
  ];
  for (const text of texts) assert.equal(streamEnd().push(utf8(text)), 'open', text);
  assert.equal(streamEnd().push(utf8('\ufeffevent:message_stop\rdata:{}\r\r')), 'ended');
});

test('an answer stays ended, so that what follows its end is held back too', () => {
  const end = streamEnd();
  end.push(fixtureBytes('b_stream_text.sse'));
  assert.equal(end.push(utf8(': more\n')), 'ended');
});

test('a body of known length ends with its last byte, and is truncated before', () => {
  const json = (length: number | null) =>
    new AnswerEnd({ contentType: 'application/json', contentLength: length, contentEncoding: 'identity' });
  assert.equal(endedAt(json(5), utf8('12345')), 5);
  const short = json(6);
  assert.equal(short.push(utf8('12345')), 'open');
  assert.equal(short.endOfStream(), 'truncated');
  assert.equal(short.push(utf8('6')), 'ended');
  assert.equal(short.endOfStream(), 'complete');
  assert.equal(json(0).endOfStream(), 'complete');
});

test('a body of unknown length is open until the stream ends, which completes it', () => {
  const end = new AnswerEnd({ contentType: 'application/json', contentLength: null, contentEncoding: '' });
  assert.equal(end.push(fixtureBytes('a_plain_response.json')), 'open');
  assert.equal(end.endOfStream(), 'complete');
});

test('an event stream of known length ends with its last byte, but is complete only by its message_stop', () => {
  const bytes = fixtureBytes('f2_truncated.sse');
  const end = streamEnd({ contentLength: bytes.length });
  assert.equal(endedAt(end, bytes), bytes.length);
  assert.equal(end.endOfStream(), 'truncated');
});

test('an encoded body is opaque, and an encoded event stream is never called complete', () => {
  for (const contentEncoding of ['gzip', 'BR', 'gzip, identity'])
    assert.equal(streamEnd({ contentEncoding }).opaque, true);
  for (const contentEncoding of ['', ' ', 'Identity']) assert.equal(streamEnd({ contentEncoding }).opaque, false);
  const end = streamEnd({ contentEncoding: 'gzip' });
  assert.equal(end.push(fixtureBytes('b_stream_text.sse')), 'open');
  assert.equal(end.endOfStream(), 'truncated');
});

test('the stream of a session has no message_stop and ends with its connection', () => {
  const end = streamEnd({ grammar: 'open' });
  assert.equal(end.push(utf8('event: agent.message\ndata: {}\n\n')), 'open');
  assert.equal(end.endOfStream(), 'complete');
});

const completion = (fields: object) =>
  `event: completion\r\ndata: ${JSON.stringify({ type: 'completion', ...fields })}\r\n\r\n`;

test('the stream of a legacy completion ends with the event that says why it stopped, and with no other', () => {
  const going = [
    completion({ completion: ' It said "stop_reason": "x" and', stop_reason: null }),
    completion({ completion: '"stop_reason":"', stop_reason: null, stop: '"stop_reason":"' }),
    'event: ping\ndata: {"stop_reason":"x"}\n\n',
    'data: {"stop_reason":"x"}\n\n',
    'event: completion\n\n',
  ].join('');
  for (const last of [
    completion({ completion: '', stop_reason: 'stop_sequence', stop: '\n\nHuman:' }),
    'event: completion\ndata: {"completion": " end", "stop_reason": "max_tokens"}\n\n',
  ]) {
    const bytes = utf8(going + last);
    // With CRLF the end of the blank line is seen at its first byte.
    assert.equal(endedAt(streamEnd({ grammar: 'completion' }), bytes), bytes.length - (last.endsWith('\r\n') ? 1 : 0));
    const end = streamEnd({ grammar: 'completion' });
    assert.deepEqual([end.push(utf8(going)), end.endOfStream()], ['open', 'truncated']);
    assert.deepEqual([end.push(utf8(last)), end.endOfStream()], ['ended', 'complete']);
  }
  const failed = streamEnd({ grammar: 'completion' });
  assert.equal(failed.push(utf8(`${going}event: error\ndata: {}\n\n`)), 'ended');
  assert.equal(failed.endOfStream(), 'error_event');
  assert.equal(streamEnd({ grammar: 'completion' }).push(utf8('event: message_stop\ndata: {}\n\n')), 'open');
});

test('a line without end takes no memory and is no end', () => {
  const end = streamEnd();
  const chunk = new Uint8Array(1_000_000).fill(0x61);
  for (let at = 0; at < 50; at += 1) assert.equal(end.push(chunk), 'open');
  assert.equal(end.push(utf8('\n\nevent: message_stop\ndata: {}\n\n')), 'ended');
});
