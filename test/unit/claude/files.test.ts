import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesProduced, filesReferenced } from '../../../extproc/claude/files.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../extproc/claude/json.ts';
import { readMessagesRequest, type Turn } from '../../../extproc/claude/request.ts';
import { fixtureJson } from './fixture.ts';

function messageOf(name: string): JsonObject {
  const message = fixtureJson(name);
  assert.ok(isJsonObject(message));
  return message;
}

function turnsOf(name: string): Turn[] {
  const read = readMessagesRequest(fixtureJson(name));
  assert.ok(read.ok);
  return read.request.messages;
}

function user(content: JsonValue): Turn[] {
  return [{ role: 'user', content }];
}

test('the files that code wrote are known by the ids in its results', () => {
  assert.deepEqual(filesProduced(messageOf('e_skills_response.json')), ['file_011FixtureOutputXlsx']);
  const output = (type: string, id: string) => ({
    type: `${type}_tool_result`,
    content: { type: `${type}_result`, content: [{ type: `${type}_output`, file_id: id }] },
  });
  const content = [
    output('code_execution', 'file_1'),
    output('bash_code_execution', 'file_2'),
    output('bash_code_execution', 'file_1'),
    { type: 'container_upload', file_id: 'file_3' },
  ];
  assert.deepEqual(filesProduced({ content }), ['file_1', 'file_2', 'file_3']);
});

test('the files that a turn hands over are known by its blocks, also inside documents and results', () => {
  assert.deepEqual(filesReferenced(turnsOf('e_skills_request.json')), ['file_011FixtureInputCsv']);
  const file = (id: string) => ({ type: 'file', file_id: id });
  const content = [
    { type: 'image', source: file('file_1') },
    { type: 'tool_result', content: [{ type: 'document', source: file('file_2') }] },
    { type: 'document', source: { type: 'content', content: [{ type: 'image', source: file('file_3') }] } },
    { type: 'document', source: file('file_1') },
    { type: 'tool_use', input: { source: file('file_4') } },
    { type: 'text', text: 'file_5', file_id: 'file_5' },
  ];
  assert.deepEqual(filesReferenced(user(content)), ['file_1', 'file_2', 'file_3']);
  assert.deepEqual(filesReferenced(user('file_1')), []);
});

test('what is no id is passed over, and ids are bounded in number and length', () => {
  const uploads = (ids: JsonValue[]) => ids.map((file_id) => ({ type: 'container_upload', file_id }));
  const wrong = uploads([null, 7, {}, '', 'a b', 'x\n', 'é', 'x'.repeat(257)]);
  assert.deepEqual(filesProduced({ content: wrong }), []);
  assert.deepEqual(filesReferenced(user(wrong)), []);
  const many = uploads(Array.from({ length: 1000 }, (_, at) => `file_${at}`));
  assert.equal(filesProduced({ content: many }).length, 256);
  assert.equal(filesReferenced(user(many)).length, 256);
  for (const content of [null, 'x', 7, {}, [[]], [null], [{ content: {} }]] as JsonValue[]) {
    assert.deepEqual([filesProduced({ content }), filesReferenced(user(content))], [[], []]);
  }
  assert.deepEqual(filesProduced(null), []);
});
