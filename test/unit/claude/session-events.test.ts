import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../extproc/claude/json.ts';
import { readSessionEvents, type SessionEvent, type SessionEvents } from '../../../extproc/claude/session-events.ts';
import { flatText } from '../../../extproc/claude/text.ts';
import { fixtureBytes, utf8 } from './fixture.ts';

const eventMaxBytes = 100_000;

function stream(...data: { [key: string]: unknown; type: string }[]): SessionEvents {
  return streamOf(data.map((item) => `event: ${item.type}\ndata: ${JSON.stringify(item)}\n\n`).join(''));
}

function streamOf(text: string): SessionEvents {
  return readSessionEvents(utf8(text), 'text/event-stream', eventMaxBytes);
}

function json(value: unknown): SessionEvents {
  return readSessionEvents(utf8(JSON.stringify(value)), 'application/json', eventMaxBytes);
}

/** As a transcript writes an event. */
function line({ role, type, content, ended }: SessionEvent): string {
  return `${role} ${type}${ended ? '' : ' (open)'}: ${flatText(content).replaceAll('\n', ' / ')}`;
}

function start(id: string, type = 'agent.message') {
  return { type: 'event_start', event: { type, id } };
}

function delta(id: string, text: string, index?: number) {
  return {
    type: 'event_delta',
    event_id: id,
    delta: { type: 'content_delta', ...(index === undefined ? {} : { index }), content: { type: 'text', text } },
  };
}

const message = (id: string, text: string) => ({ type: 'agent.message', id, content: [{ type: 'text', text }] });

test('a session reads as its prompts, answers, tools and states, in order', () => {
  const { events, truncated } = readSessionEvents(
    fixtureBytes('n_session_stream.sse'),
    'text/event-stream; charset=utf-8',
    eventMaxBytes,
  );
  assert.equal(truncated, false);
  assert.deepEqual(events.map(line), [
    'user user.message: Where is order 1234? / [image file_01Order]',
    'system session.status_running: ',
    'system span.model_request_start: ',
    'agent agent.thinking: [thinking omitted]',
    'agent agent.message: I will look. / One moment, please.',
    'agent agent.tool_use: [tool_use bash] / command: grep 1234 orders.csv / evaluated_permission: allow',
    'agent agent.tool_result: [tool_result] / 1234,shipped',
    'agent agent.mcp_tool_use: [mcp_tool_use crm find] / order: 1234',
    'agent agent.mcp_tool_result: [mcp_tool_result] / Jane Doe',
    'agent agent.thread_message_received: [agent.thread_message_received] / from_session_thread_id: sthr_01 / from_agent_name: auditor / Checked.',
    'agent agent.message (open): It was shipped to Jöhn',
    'system span.model_request_end: [block] / is_error: true / model_request_start_id: sevt_03 / input_tokens: 20 / output_tokens: 9 / cache_creation_input_tokens: 0 / cache_read_input_tokens: 0',
    'system session.error: [block] / error: model_overloaded_error / message: Overloaded / retry_status: exhausted',
    'system session.status_idle: [block] / stop_reason: retries_exhausted',
  ]);
  assert.deepEqual(
    events.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map((at) => `sevt_${String(at).padStart(2, '0')}`),
  );
});

test('what a client posts, what a page lists and a bare list are read alike', () => {
  const sent = [
    { type: 'user.message', content: [{ type: 'text', text: 'hello' }] },
    { type: 'user.tool_result', tool_use_id: 'sevt_06', content: [{ type: 'text', text: 'done' }], is_error: true },
    { type: 'user.custom_tool_result', custom_tool_use_id: 'sevt_07', content: [{ type: 'text', text: 'too' }] },
    { type: 'user.tool_confirmation', tool_use_id: 'sevt_06', result: 'deny', deny_message: 'not now' },
    { type: 'user.define_outcome', description: 'a report', rubric: { type: 'text', content: 'short' } },
    { type: 'user.interrupt' },
    { type: 'system.message', content: [{ type: 'text', text: 'be brief' }] },
  ];
  for (const body of [{ events: sent }, { data: sent, has_more: false, next_page: null }, sent]) {
    assert.deepEqual(json(body).events.map(line), [
      'user user.message: hello',
      'user user.tool_result: [tool_result error] / done',
      'user user.custom_tool_result: [tool_result] / too',
      'user user.tool_confirmation: [block] / result: deny / deny_message: not now',
      'user user.define_outcome: [block] / description: a report / content: short',
      'user user.interrupt: ',
      'system system.message: be brief',
    ]);
  }
});

test('calls and results name each other as in messages', () => {
  const { events } = json([
    { type: 'agent.custom_tool_use', id: 'sevt_1', name: 'pay', input: {} },
    { type: 'user.custom_tool_result', custom_tool_use_id: 'sevt_1' },
  ]);
  assert.deepEqual(
    events.map(({ content }) => content),
    [[{ type: 'tool_use', id: 'sevt_1', name: 'pay', input: {} }], [{ type: 'tool_result', tool_use_id: 'sevt_1' }]],
  );
});

test('a message takes the place of its preview, where it comes', () => {
  const { events } = stream(
    start('a'),
    delta('a', 'one '),
    start('b'),
    delta('b', 'other'),
    delta('a', 'two'),
    message('a', 'whole'),
    delta('a', 'late'),
    start('a'),
  );
  assert.deepEqual(events.map(line), ['agent agent.message (open): other', 'agent agent.message: whole']);
});

test('deltas that do not fit are skipped, and those without a start are kept', () => {
  const { events } = stream(
    start('a'),
    delta('a', 'x', 1),
    delta('a', 'y', -1),
    delta('a', 'z', 0.5),
    delta('a', 'good', 0),
    { type: 'event_delta', event_id: 'a', delta: { content: { type: 'redacted' }, index: 0 } },
    { type: 'event_delta', event_id: 'a' },
    delta('joined late', 'kept'),
  );
  assert.deepEqual(events.map(line), ['agent agent.message (open): good', 'agent agent.message (open): kept']);
});

test('a preview that starts again begins anew', () => {
  const { events } = stream(start('a'), delta('a', 'first'), start('a'), delta('a', 'second'));
  assert.deepEqual(events.map(line), ['agent agent.message (open): second']);
});

test('unknown events, errors and what is no JSON are kept with their strings', () => {
  const { events } = streamOf(
    [
      'event: workflow_run.dreamt\ndata: {"type":"workflow_run.dreamt","id":"e","dream":{"of":"sheep"}}',
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}',
      'event: agent.message\ndata: {"broken',
      'event: named.only\ndata: {"text":"hi"}',
      'event: ping\ndata: {"type":"ping"}',
      'data: {"type":"agent.message"}',
      '',
    ].join('\n\n'),
  );
  assert.deepEqual(events.map(line), [
    'system workflow_run.dreamt: [block] / of: sheep',
    'system error: [block] / error: overloaded_error / message: Busy',
    'system agent.message: {"broken',
    'system named.only: [block] / hi',
  ]);
  assert.deepEqual(json({ data: ['text', 7] }).events.map(line), ['system : text', 'system : 7']);
});

test('events are bounded in number and size, and what came before is kept', () => {
  const many = Array.from({ length: 10_001 }, (_, at) => message(`m${at}`, 'x'));
  const shape = ({ events, truncated }: SessionEvents) => [events.length, truncated];
  assert.deepEqual(shape(json(many)), [10_000, true]);
  assert.deepEqual(shape(json(many.slice(1))), [10_000, false]);
  assert.deepEqual(shape(stream(...many)), [10_000, true]);
  assert.deepEqual(shape(stream(...many.map(({ id }) => start(id)))), [10_000, true]);
  const large = stream(message('a', 'kept'), message('b', 'x'.repeat(eventMaxBytes)), message('c', 'lost'));
  assert.deepEqual([large.events.map(line), large.truncated], [['agent agent.message: kept'], true]);
});

test('a body without events has none', () => {
  for (const text of ['', '{', '{}', 'null', '7', '{"data":{}}']) {
    const read = readSessionEvents(utf8(text), 'application/json', eventMaxBytes);
    assert.deepEqual(read, { events: [], truncated: false }, text);
  }
});

test('names of the prototype are plain data', () => {
  const hostile = '{"type":"agent.tool_use","id":"__proto__","__proto__":{"polluted":1},"input":{"__proto__":2}}';
  const { events } = streamOf(
    `event: x\ndata: ${hostile}\n\nevent: x\ndata: ${JSON.stringify(start('__proto__'))}\n\n`,
  );
  assert.equal(
    JSON.stringify(events[0]?.content),
    '[{"type":"tool_use","id":"__proto__","__proto__":{"polluted":1},"input":{"__proto__":2}}]',
  );
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('any events are read without a throw, and their text can be shown', () => {
  const type = fc.constantFrom('event_start', 'event_delta', 'agent.message', 'user.message', 'agent.tool_use', 'x');
  const id = fc.constantFrom('a', 'b', '');
  const event = fc.record(
    {
      type,
      id,
      event_id: id,
      event: fc.oneof(fc.record({ id, type }), fc.jsonValue()),
      delta: fc.oneof(
        fc.record({ index: fc.nat(3), content: fc.record({ type: fc.constant('text'), text: fc.string() }) }),
        fc.jsonValue(),
      ),
      content: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (list) => {
      const read = json(list).events;
      assert.ok(read.length <= list.length);
      for (const { content } of read) assert.equal(typeof flatText(content as JsonValue), 'string');
    }),
  );
});
