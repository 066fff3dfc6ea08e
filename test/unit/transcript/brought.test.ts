import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idsMadeByMessage } from '../../../extproc/claude/owned-ids.ts';
import { thingsBrought } from '../../../extproc/transcript/brought.ts';
import { claudeFixture, eventStream, messageOf, messagesRequest, readingOf, transcriptOf } from './example.ts';

type Overrides = Parameters<typeof transcriptOf>[0];

async function broughtBy(overrides: Overrides) {
  const transcript = transcriptOf(overrides);
  return thingsBrought(transcript, await readingOf(transcript));
}

const file = JSON.stringify({ type: 'file', id: 'file_1', filename: 'a.txt' });
const started = (method: string, path: string) => ({ started: { method, path } });

test('the record says the same of what an answer made as was learnt while it passed, whole and streamed', async () => {
  const made = idsMadeByMessage(JSON.parse(claudeFixture('e_skills_response.json').toString()));
  assert.ok(made.length > 1);
  assert.deepEqual(await broughtBy({ answerBody: claudeFixture('e_skills_response.json') }), made);
  const streamed = { answerBody: claudeFixture('e_skills_stream.sse'), answerHeaders: eventStream };
  assert.deepEqual(await broughtBy(streamed), made);
});

test('what broke off is brought too, and what nobody or no success brought is not', async () => {
  const upload = { ...started('POST', '/v1/files'), requestBody: Buffer.alloc(0), answerBody: Buffer.from(file) };
  const expected = [{ kind: 'file', id: 'file_1' }];
  assert.deepEqual(await broughtBy(upload), expected);
  assert.deepEqual(await broughtBy({ ...upload, finished: { outcome: 'client_aborted', status: null } }), expected);
  assert.deepEqual(await broughtBy({ ...upload, answerStatus: 409 }), []);
  assert.deepEqual(await broughtBy({ ...upload, started: { ...upload.started, identity: null } }), []);
  assert.deepEqual(await broughtBy({ ...upload, ...started('GET', '/v1/files/file_1') }), [], 'a look makes nothing');
});

test('a container or file that the request named is not made by its answer, and a thread brings its message', async () => {
  const container = { id: 'container_1', skills: [] };
  const answer = messageOf('Done', { container });
  const made = [{ kind: 'container', id: 'container_1' }];
  assert.deepEqual(await broughtBy({ answer }), made);
  assert.deepEqual(await broughtBy({ answer, request: messagesRequest('Go on', { container: 'container_1' }) }), []);
  const thread = { type: 'create' };
  assert.deepEqual(await broughtBy({ request: messagesRequest('One', { thread }) }), [
    { kind: 'message', id: 'msg_1' },
  ]);
});

test('a message that later prompts can be compared with is brought as such, and no other is', async () => {
  const diagnostics = { previous_message_id: null };
  const both = [
    { kind: 'message', id: 'msg_1' },
    { kind: 'compared_message', id: 'msg_1' },
  ];
  assert.deepEqual(await broughtBy({ request: messagesRequest('One', { diagnostics }) }), both.slice(1));
  assert.deepEqual(await broughtBy({ request: messagesRequest('One', { diagnostics, thread: {} }) }), both);
  assert.deepEqual(await broughtBy({ request: messagesRequest('One') }), []);
});
