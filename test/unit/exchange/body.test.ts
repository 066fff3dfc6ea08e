import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BodyFacts, bodyFacts, requestInput } from '../../../extproc/exchange/body.ts';
import { accessInput, requestFacts } from '../../../extproc/exchange/facts.ts';
import { notCounted } from '../../../extproc/exchange/totals.ts';
import { type RequestInput, requestInput as requestSchema } from '../../../extproc/policy/input.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import { question, requestHeaders } from './frames.ts';
import { claude, nowMs } from './rig.ts';

type Target = { path?: string; method?: string; type?: string };

function factsOf({ path = '/v1/messages', method = 'POST', type = 'application/json' }: Target) {
  const { headers, ...frame } = requestHeaders({ path, method });
  const rest = headers.filter(([name]) => name !== 'content-type');
  return requestFacts({ ...frame, headers: [...rest, ['content-type', type]] }, claude, '');
}

const placeOf = (target: Target) => ({ ...factsOf(target), decoding: decodingLimits });

function read(body: unknown, target: Target = {}): BodyFacts {
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
  return bodyFacts(placeOf(target), bytes);
}

function faultOf(body: unknown, target: Target = {}): string {
  const result = read(body, target);
  assert.notEqual(result.fault, '');
  return result.fault;
}

/** The document that policy judges, which must be one of its schema and hold nothing that was planted. */
function inputOf(body: unknown, target: Target = {}): RequestInput {
  const result = read(body, target);
  assert.equal(result.fault, '');
  const input = requestInput(accessInput(factsOf(target), claude, nowMs), result, {
    bytes: 7,
    codings: [],
    totals: notCounted,
  });
  assert.deepEqual(requestSchema.parse(input), input);
  assert.doesNotMatch(JSON.stringify(input), /planted/);
  return input;
}

test('a messages request is read into facts without its text', () => {
  const input = inputOf({
    ...{ model: 'claude-opus-5-5', max_tokens: 9, stream: true, system: 'planted' },
    tools: [{ name: 'lookup', input_schema: {} }],
    messages: [
      { role: 'user', content: 'planted' },
      { role: 'assistant', content: 'planted' },
      { role: 'user', content: 'planted ä' },
    ],
  });
  assert.deepEqual(input.body, { bytes: 7, decoded_bytes: 250, codings: [], status: 'parsed', fault: '' });
  const { message_count, new_message_count, text_bytes, tool_names, has_system, stream } = input.claude ?? {};
  assert.deepEqual(
    [message_count, new_message_count, text_bytes, tool_names, has_system, stream],
    [3, 1, 31, ['lookup'], true, true],
  );
  assert.deepEqual([input.batch, input.agent, input.events, input.upload], [null, null, null, null]);
});

test('a legacy completion is judged like a message', () => {
  const body = { model: 'claude-2', prompt: 'planted', max_tokens_to_sample: 5 };
  const { claude: facts } = inputOf(body, { path: '/v1/complete' });
  assert.deepEqual([facts?.model, facts?.max_tokens, facts?.text_bytes], ['claude-2', 5, 7]);
});

test('a body that Claude could read in another way than policy is malformed, at every endpoint that takes JSON', () => {
  const bodies = [
    '{"model":"a","model":"b","messages":[]}',
    '{"model":"a","messages":[]}{}',
    '\ufeff{"model":"a","messages":[]}',
    `${'['.repeat(100_000)}`,
    'planted',
  ];
  const paths = ['/v1/messages', '/v1/messages/batches', '/v1/agents', '/v1/sessions/s/events', '/v1/agents/a/archive'];
  for (const path of [...paths, '/v1/memory_stores/m/memories', '/v1/organizations/users']) {
    for (const body of bodies) assert.doesNotMatch(faultOf(body, { path }), /planted/, path);
    assert.notEqual(bodyFacts(placeOf({ path }), Buffer.of(0x22, 0xff, 0x22)).fault, '');
  }
  for (const body of ['{"model":"a","messages":{}}', '{"model":["a"],"messages":[]}', '"text"', 'null']) faultOf(body);
});

test('a body with more values than the limit is refused with the limit', () => {
  const entry = '{"custom_id":"a","params":{"model":"m","messages":[]}},';
  const body = `{"requests":[${entry.repeat(100_000)}{}]}`;
  for (const path of ['/v1/messages/batches', '/v1/messages', '/v1/agents']) {
    assert.match(faultOf(body, { path }), /^too many values \(.*; at most 500000 commas and opening brackets\)$/);
  }
});

test('a batch is judged by each kind of request in it', () => {
  const params = { model: 'claude-opus-5-5', messages: [{ role: 'user', content: 'planted' }] };
  const requests = [params, params, { ...params, model: 'claude-haiku-5-5' }];
  const body = { requests: requests.map((each, at) => ({ custom_id: `planted-${at}`, params: each })) };
  const input = inputOf(body, { path: '/v1/messages/batches' });
  assert.equal(input.claude, null);
  assert.equal(input.batch?.size, 3);
  assert.deepEqual(
    input.batch?.requests.map(({ model, count }) => [model, count]),
    [
      ['claude-opus-5-5', 2],
      ['claude-haiku-5-5', 1],
    ],
  );
  assert.equal(faultOf(JSON.parse(question), { path: '/v1/messages/batches' }), 'requests must be an array');
});

test('the definition of an agent is judged by what it names', () => {
  const agent = { model: 'm', system: 'planted', tools: [{ name: 't', description: 'planted' }] };
  const facts = {
    models: ['m'],
    tool_names: ['t'],
    tool_types: ['custom'],
    mcp_server_names: [],
    mcp_server_hosts: [],
    mcp_toolsets: [],
    skills: [],
  };
  assert.deepEqual(inputOf({ name: 'planted', ...agent }, { path: '/v1/agents' }).agent, facts);
  const created = inputOf(
    { agent, environment_id: 'e', initial_events: [{ type: 'user.message', content: 'planted' }] },
    { path: '/v1/sessions' },
  );
  assert.deepEqual(created.agent, facts);
  assert.deepEqual([created.events?.count, created.events?.types], [1, ['user.message']]);
  assert.equal(faultOf({ model: 7 }, { path: '/v1/agents' }).startsWith('model must be'), true);
});

test('events that are sent to a session are judged by their types and size', () => {
  const message = { type: 'user.message', content: [{ type: 'text', text: 'planted' }] };
  const events = [message, message, { type: 'user.tool_confirmation', tool_use_id: 'planted', result: 'allow' }];
  const input = inputOf({ events }, { path: '/v1/sessions/s/events' });
  assert.deepEqual([input.events?.count, input.events?.types], [3, ['user.message', 'user.tool_confirmation']]);
  assert.ok((input.events?.text_bytes ?? 0) >= 14);
  assert.equal(input.body.status, 'parsed');
  assert.equal(faultOf({}, { path: '/v1/sessions/s/events' }), 'events must be an array');
});

test('other JSON is read for its form alone', () => {
  const input = inputOf({ content: 'planted', path: '/planted' }, { path: '/v1/memory_stores/m/memories' });
  assert.equal(input.body.status, 'parsed');
  assert.deepEqual([input.claude, input.agent, input.events], [null, null, null]);
});

test('an upload is judged by the names, types and sizes of its parts', () => {
  const type = 'multipart/form-data; boundary=----b';
  const part = (disposition: string, content: string) =>
    `------b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
  const body = `${part('name="files[]"; filename="demo/SKILL.MD"', 'planted')}------b--\r\n`;
  for (const path of ['/v1/skills', '/v1/skills/s/versions', '/v1/files']) {
    const input = inputOf(body, { path, type });
    assert.equal(input.body.status, 'parsed');
    assert.deepEqual(input.upload, {
      ...{ bytes: 7, count: 1, extensions: ['md'], content_types: [''], truncated: false },
      parts: [{ field: 'files[]', filename: 'demo/SKILL.MD', content_type: '', bytes: 7 }],
    });
    assert.equal(faultOf(body.slice(0, -8), { path, type }), 'it is not whole, or not plain multipart/form-data');
    assert.equal(faultOf('{}', { path }), 'its content-type names no plain boundary');
  }
});

test('no body is empty, and one that no endpoint takes is not read', () => {
  assert.equal(read('').status, 'empty');
  for (const target of [{ path: '/v1/unknown' }, { path: '/v1/models', method: 'GET' }]) {
    const input = inputOf(question, target);
    assert.deepEqual(input.body, { bytes: 7, decoded_bytes: 86, codings: [], status: 'unread', fault: '' });
    assert.equal(input.claude, null);
  }
});

test('a body that names more than policy can be told is refused before policy is asked, and keeps no name', () => {
  const tools = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `planted_${at}` }));
  const body = (count: number) => ({ model: 'm', messages: [], tools: tools(count) });
  assert.match(faultOf(body(5_000)), /^it names more models, tools, skills or other things than 65536 bytes can list$/);
  assert.deepEqual(read(body(5_000)).facts, {});
  assert.equal(read(body(1_000)).facts.claude?.tool_names.length, 1_000);
});

test('what is read of a messages request has no text of it left', () => {
  const body = { model: 'm', system: 'planted', messages: [{ role: 'user', content: 'planted' }], tools: [] };
  assert.doesNotMatch(JSON.stringify(read({ ...body, container: 'c_1' })), /planted/);
  assert.equal(read({ ...body, container: 'c_1' }).request?.containerId, 'c_1');
});
