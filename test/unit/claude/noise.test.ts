import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointRows } from '../../../extproc/claude/endpoint-table.ts';
import type { JsonValue } from '../../../extproc/claude/json.ts';
import { noiseOf } from '../../../extproc/claude/noise.ts';
import { type MessagesRequest, readMessagesRequest } from '../../../extproc/claude/request.ts';
import { fixtureJson } from './fixture.ts';

const cli = 'claude-cli/2.1.330 (external, cli)';

function requestOf(body: JsonValue): MessagesRequest {
  const read = readMessagesRequest(body);
  assert.ok(read.ok);
  return read.request;
}

function asking(messages: JsonValue, fields: { tools?: JsonValue } = {}): MessagesRequest {
  return requestOf({ model: 'claude-haiku-5-5', max_tokens: 100, messages, ...fields });
}

function endpointNoise(endpointName: string) {
  return noiseOf({ endpointName, requestClass: null, request: null, userAgent: '' });
}

function messageNoise(request: MessagesRequest, options: { requestClass?: string; userAgent?: string } = {}) {
  const { requestClass = null, userAgent = cli } = options;
  return noiseOf({ endpointName: 'messages.create', requestClass, request, userAgent });
}

test('models, token counts and polled states are noise', () => {
  assert.equal(endpointNoise('models.list'), 'models');
  assert.equal(endpointNoise('models.get'), 'models');
  assert.equal(endpointNoise('messages.count_tokens'), 'count_tokens');
  for (const name of [
    'batches.get',
    'batches.list',
    'environments.work.poll',
    'environments.work.heartbeat',
    'environments.work.stats',
    'sessions.get',
    'sessions.list',
    'sessions.threads.list',
    'files.list',
    'skills.list',
    'skills.versions.list',
  ])
    assert.equal(endpointNoise(name), 'polling', name);
});

test('every endpoint that the table treats as housekeeping is marked, and none that carries prompts, content or credentials', () => {
  for (const [, , treatment, operations] of endpointRows) {
    for (const name of Object.values(operations)) {
      if (treatment === 'housekeeping') assert.notEqual(endpointNoise(name), null, name);
      const isContent = treatment === 'prompt' || treatment === 'content' || treatment === 'secrets';
      if (isContent && name !== 'environments.work.poll') assert.equal(endpointNoise(name), null, name);
    }
  }
  for (const name of ['unknown', '', 'organizations.read', '__proto__']) assert.equal(endpointNoise(name), null, name);
});

test('the call by which Claude Code names a session is no prompt', () => {
  const text = '<session>\nMake the quarterly report\n</session>';
  const named: JsonValue[] = [
    [{ role: 'user', content: text }],
    [{ role: 'user', content: [{ type: 'text', text }] }],
    [
      { role: 'user', content: [{ type: 'text', text: `${text}\n` }] },
      { role: 'system', content: 'Name it.' },
    ],
    [{ role: 'user', content: [{ type: 'text', text: `${text}\n\nWrite the title in the language of the session.` }] }],
  ];
  for (const messages of named) {
    assert.equal(messageNoise(asking(messages)), 'title');
    assert.equal(messageNoise(asking(messages), { userAgent: 'Anthropic/JS 1.12.0' }), null);
    assert.equal(messageNoise(asking(messages, { tools: [{ name: 'Bash', input_schema: {} }] })), null);
  }
});

test('a conversation is no title call, even if a user writes its marks', () => {
  const text = '<session>x</session>';
  const talks: JsonValue[] = [
    [],
    [{ role: 'user', content: `${text} what is this?` }],
    [{ role: 'user', content: `${text}\n\nWrite the title in German.\nAnd a summary.` }],
    [{ role: 'assistant', content: text }],
    [
      { role: 'user', content: text },
      { role: 'assistant', content: 'so' },
    ],
    [
      { role: 'user', content: text },
      { role: 'user', content: text },
    ],
    [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: text } }] }],
  ];
  for (const messages of talks) assert.equal(messageNoise(asking(messages)), null, JSON.stringify(messages));
  assert.equal(messageNoise(requestOf(fixtureJson('i_claude_p_request.trimmed.json'))), null);
});

test('where the client names the class of a request, the class decides', () => {
  const title = asking([{ role: 'user', content: '<session>x</session>' }]);
  const talk = asking([{ role: 'user', content: 'hello' }]);
  for (const requestClass of ['main', 'subagent', 'compaction', 'other'])
    assert.equal(messageNoise(title, { requestClass }), null, requestClass);
  for (const requestClass of ['auxiliary', 'side_reply'])
    assert.equal(messageNoise(talk, { requestClass, userAgent: '' }), 'title', requestClass);
});
