import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageFold } from '../../../extproc/claude/fold.ts';
import { isJsonObject } from '../../../extproc/claude/json.ts';
import { decodeAll, fixtureBytes, foldEvents, sseText, utf8 } from './fixture.ts';

type Data = { [key: string]: unknown; type: string };

function fold(data: Data[]) {
  return foldEvents(decodeAll([utf8(sseText(data))]));
}

const start: Data = { type: 'message_start', message: { id: 'msg_1', type: 'message', content: [], usage: {} } };
const tool: Data = { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', name: 'n', input: {} } };
const json = (text: string): Data => ({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'input_json_delta', partial_json: text },
});
const blockStop: Data = { type: 'content_block_stop', index: 0 };
const stop: Data = { type: 'message_stop' };

test('tool input cut inside strings and escapes is put together again', () => {
  const folded = foldEvents(decodeAll([fixtureBytes('c_stream_tool_use.sse')]));
  const content = folded.message?.content;
  assert.ok(Array.isArray(content));
  const inputs = content.map((block) => (isJsonObject(block) ? block.input : null));
  assert.deepEqual(inputs, [
    undefined,
    { email: 'jane.doe@example.com', opts: { deep: true, tags: ['a"b', 'é'] } },
    {},
  ]);
});

test('a stream that breaks off keeps the prefix that was seen and is not ended', () => {
  const folded = foldEvents(decodeAll([fixtureBytes('f2_truncated.sse')]));
  assert.equal(folded.ended, false);
  assert.equal(folded.error, null);
  assert.deepEqual(folded.message?.content, [{ type: 'text', text: 'partial answ', citations: null }]);
});

test('an error event keeps the prefix, is kept as sent, and ends the stream', () => {
  const bytes = fixtureBytes('f_midstream_error.sse');
  const folded = foldEvents(decodeAll([bytes, utf8(sseText([stop]))]));
  assert.equal(folded.ended, false);
  assert.deepEqual(folded.error, {
    type: 'error',
    error: { type: 'overloaded_error', message: 'Overloaded' },
    request_id: 'req_011CFixtureMidStream',
  });
  assert.deepEqual(folded.message?.content, [{ type: 'text', text: 'partial answ', citations: null }]);
});

test('an error event whose data is no JSON object is still an error', () => {
  const folded = foldEvents([{ event: 'error', data: 'upstream gone' }]);
  assert.deepEqual(folded.error, { type: 'error', unreadable: 'upstream gone' });
});

test('the input of an open tool block is visible: parsed if it is whole, else the text so far', () => {
  const open = fold([start, tool, json('{"path":"/etc'), json('/passw')]);
  assert.deepEqual(open.message?.content, [{ type: 'tool_use', name: 'n', input: '{"path":"/etc/passw' }]);
  assert.deepEqual(open.faults, []);
  const whole = fold([start, tool, json('{"path":'), json('1}')]);
  assert.deepEqual(whole.message?.content, [{ type: 'tool_use', name: 'n', input: { path: 1 } }]);
});

test('a delta after the stop of its block still counts', () => {
  const folded = fold([start, tool, json('[1'), json(']'), blockStop, json(' '), stop]);
  assert.deepEqual(folded.message?.content, [{ type: 'tool_use', name: 'n', input: [1] }]);
  const late = fold([start, tool, json('[1'), blockStop, json(',2]'), stop]);
  assert.deepEqual(late.message?.content, [{ type: 'tool_use', name: 'n', input: [1, 2] }]);
  assert.deepEqual(late.faults, []);
});

test('the input of a closed tool block that is not JSON stays text and is a fault', () => {
  const folded = fold([start, tool, json('{"path":"/etc'), blockStop, stop]);
  assert.deepEqual(folded.message?.content, [{ type: 'tool_use', name: 'n', input: '{"path":"/etc' }]);
  assert.deepEqual(folded.faults, ['the input of a tool is not JSON']);
  assert.equal(folded.ended, true);
});

test('unknown events, blocks and deltas lose nothing that is known', () => {
  const folded = foldEvents(decodeAll([fixtureBytes('k_stream_unknowns.sse')]));
  assert.deepEqual(folded.message?.content, [
    { type: 'hologram', payload: 'zz' },
    { type: 'text', text: 'ok', citations: null },
  ]);
  assert.equal(folded.unknownEvents, 1);
  assert.deepEqual(folded.faults, []);
});

test('message_stop without a message is no end, and nothing counts before message_start', () => {
  const folded = fold([stop, tool]);
  assert.deepEqual(folded, { message: null, ended: false, error: null, unknownEvents: 0, faults: [] });
});

test('what an SDK would refuse is a fault, and the rest of the answer is still recorded', () => {
  const text: Data = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'kept' } };
  const events = decodeAll([
    utf8(sseText([start, start, text])),
    utf8('event: content_block_delta\ndata: {broken\n\n'),
    utf8(sseText([{ type: 'content_block_delta', index: 9, delta: { type: 'text_delta', text: 'x' } }, stop, text])),
  ]);
  const folded = foldEvents(events);
  assert.deepEqual(folded.faults, [
    'a second message_start',
    'the data of an event is not a JSON object',
    'a delta for no block',
    'an event after message_stop',
  ]);
  assert.equal(folded.ended, true);
  assert.deepEqual(folded.message?.content, [{ type: 'text', text: 'kept' }]);
});

test('faults are counted up to a bound', () => {
  const fault: Data = { type: 'content_block_stop', index: 5 };
  assert.equal(fold([start, ...Array.from({ length: 100 }, () => fault)]).faults.length, 16);
});

test('hostile fields change no prototype and break nothing', () => {
  const data = [
    '{"type":"message_start","message":{"__proto__":{"ended":true},"content":[null,7,{"type":"text","__proto__":{"x":1}}],"usage":7}}',
    '{"type":"content_block_delta","index":-1,"delta":{"type":"text_delta","text":"x"}}',
    '{"type":"content_block_delta","index":"0","delta":{"type":"text_delta","text":"x"}}',
    '{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":{"a":1}}}',
    '{"type":"content_block_delta","index":2,"delta":null}',
    '{"type":"content_block_start","index":3}',
    '{"type":"message_delta","usage":{"output_tokens":{"__proto__":1}}}',
    '{"type":"message_delta","delta":[]}',
    '{"type":"constructor"}',
    `{"type":"content_block_start","content_block":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    '[]',
  ];
  const folded = foldEvents(data.map((text) => ({ event: 'x', data: text })));
  assert.equal(folded.ended, false);
  assert.equal(({} as { x?: unknown }).x, undefined);
  assert.equal(Object.getPrototypeOf(folded.message), Object.prototype);
  assert.equal(JSON.stringify(folded.message?.content), '[{},{},{"type":"text","__proto__":{"x":1}},{}]');
});

test('a result taken early does not change later, and the fold goes on', () => {
  const events = decodeAll([fixtureBytes('d_stream_thinking.sse')]);
  const early = new MessageFold();
  const results = events.map((event) => {
    early.accept(event);
    const result = early.result();
    return { result, text: JSON.stringify(result) };
  });
  for (const { result, text } of results) assert.equal(JSON.stringify(result), text);
  assert.deepEqual(results.at(-1)?.result, foldEvents(events));
});

test('a block of 300 000 deltas is folded', () => {
  const fold = new MessageFold();
  for (const data of [start, tool]) fold.accept({ event: data.type, data: JSON.stringify(data) });
  const piece = JSON.stringify(json('1,'));
  fold.accept({ event: 'content_block_delta', data: JSON.stringify(json('[')) });
  for (let at = 0; at < 300_000; at += 1) fold.accept({ event: 'content_block_delta', data: piece });
  fold.accept({ event: 'content_block_delta', data: JSON.stringify(json('1]')) });
  fold.accept({ event: 'content_block_stop', data: JSON.stringify(blockStop) });
  const [block] = (fold.result().message?.content ?? []) as { input: number[] }[];
  assert.equal(block?.input.length, 300_001);
});
