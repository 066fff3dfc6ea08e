import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAnswerIds } from '../../../extproc/claude/answer-ids.ts';
import { isJsonObject } from '../../../extproc/claude/json.ts';
import { idsMadeByMessage } from '../../../extproc/claude/owned-ids.ts';
import { fixtureBytes, fixtureJson, sseText, utf8 } from './fixture.ts';

const none = { messageId: null, containerId: null, managedSessionId: null, made: [] };

function idsIn(
  body: Uint8Array | string,
  contentType = 'application/json',
  status = 200,
  endpoint = 'messages.create',
) {
  const bytes = typeof body === 'string' ? utf8(body) : body;
  return readAnswerIds({ endpoint, contentType, status, body: bytes, maxEventBytes: 1_000_000 });
}

function stream(container: unknown, id: unknown = 'msg_1'): string {
  return sseText([
    { type: 'message_start', message: { id, type: 'message', content: [], container: null, usage: {} } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '"message_delta"' } },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', container }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ]);
}

test('the skills answer gives the same ids whole and streamed', () => {
  const whole = fixtureJson('e_skills_response.json');
  assert.ok(isJsonObject(whole) && isJsonObject(whole.container));
  const ids = { ...none, messageId: whole.id, containerId: whole.container.id, made: idsMadeByMessage(whole) };
  assert.ok(typeof ids.messageId === 'string' && typeof ids.containerId === 'string');
  assert.deepEqual(new Set(ids.made.map(({ kind }) => kind)), new Set(['container', 'file']));
  assert.deepEqual(idsIn(fixtureBytes('e_skills_response.json')), ids);
  assert.deepEqual(idsIn(fixtureBytes('e_skills_stream.sse'), 'text/event-stream; charset=utf-8'), ids);
});

test('an answer without a container has its own id alone', () => {
  assert.deepEqual(idsIn(stream(null), 'text/event-stream'), { ...none, messageId: 'msg_1' });
  assert.deepEqual(idsIn('{"type":"message","id":"msg_1"}'), { ...none, messageId: 'msg_1' });
});

test('a new session of managed agents has an id of its own', () => {
  assert.deepEqual(idsIn('{"type":"session","id":"sesn_1"}'), { ...none, managedSessionId: 'sesn_1' });
  assert.deepEqual(idsIn('{"type":"session","id":7}'), none);
});

test('a stream that was cut gives what had come', () => {
  const whole = stream({ id: 'container_1' });
  const cut = whole.slice(0, whole.indexOf('event: message_delta'));
  const made = [{ kind: 'container', id: 'container_1' }];
  const expected = { ...none, messageId: 'msg_1', containerId: 'container_1', made };
  assert.deepEqual(idsIn(whole, 'text/event-stream'), expected);
  assert.deepEqual(idsIn(cut, 'text/event-stream'), { ...none, messageId: 'msg_1' });
});

test('what is no message, no success or no id gives none', () => {
  const message = '{"type":"message","id":"msg_1"}';
  assert.deepEqual(idsIn(message, 'application/json', 400), none);
  assert.deepEqual(idsIn(message.replace('"message"', '"batch"')), none);
  for (const body of ['', '[]', 'null', '{', '{"type":"message"}', '{"type":"message","__proto__":{"id":"msg_1"}}']) {
    assert.deepEqual(idsIn(body), none, body);
  }
  for (const id of ['7', '""', 'null', '{}', `"${'x'.repeat(257)}"`]) {
    assert.deepEqual(idsIn(`{"type":"message","id":${id},"container":{"id":${id}}}`), none, id.slice(0, 10));
  }
  for (const body of ['', 'data: {}\n\n', 'event: message_start\ndata: {"type":"message_start"}\n\n', stream([], 7)]) {
    assert.deepEqual(idsIn(body, 'text/event-stream'), none);
  }
});

test('what an endpoint makes is found in its answer alone', () => {
  const made = (endpoint: string, body: string) => idsIn(body, 'application/json', 200, endpoint).made;
  assert.deepEqual(made('files.upload', '{"type":"file","id":"file_1"}'), [{ kind: 'file', id: 'file_1' }]);
  assert.deepEqual(made('files.get', '{"type":"file","id":"file_1"}'), []);
  assert.deepEqual(idsIn('{"type":"file","id":"file_1"}', 'application/json', 409, 'files.upload').made, []);
});

test('the results of a batch bring the files of each, and a container', () => {
  const output = { type: 'code_execution_output', file_id: 'file_1' };
  const content = [
    { type: 'code_execution_tool_result', content: { type: 'code_execution_result', content: [output] } },
  ];
  const message = { type: 'message', id: 'msg_1', container: { id: 'container_1' }, content };
  const lines = [
    { custom_id: 'a', result: { type: 'succeeded', message } },
    { custom_id: 'b', result: { type: 'expired' } },
  ];
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  assert.deepEqual(idsIn(body, 'application/x-jsonl', 200, 'batches.results').made, [
    { kind: 'container', id: 'container_1' },
    { kind: 'file', id: 'file_1' },
  ]);
});
