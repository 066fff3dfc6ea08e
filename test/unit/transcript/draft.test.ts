import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { recordInputOf } from '../../../extproc/transcript/record-input.ts';
import {
  claudeFixture,
  draftOf,
  eventStream,
  exchangeIdOf,
  messageOf,
  messagesRequest,
  readingOf,
  transcriptOf,
} from './example.ts';

test('who, when, where from and how it ended stand under their ECS names', async () => {
  const draft = await draftOf(transcriptOf());
  assert.equal(draft['@timestamp'], '2026-01-15T10:00:00.000Z');
  const { id, outcome, duration } = draft.event;
  assert.deepEqual([id, outcome, duration], [exchangeIdOf(1), 'success', 1_500_000_000]);
  assert.deepEqual(draft.user, {
    id: 'u-ada',
    name: 'Ada Example',
    email: 'ada@example.org',
    roles: ['research'],
    domain: 'https://login.example.org',
  });
  assert.deepEqual([draft.source.ip, draft.url.path], ['192.0.2.7', '/v1/messages']);
  assert.equal(draft.user_agent.original, 'anthropic-sdk/1.0');
  assert.equal(draft.http.response.status_code, 200);
  assert.equal(draft.http.request.body.bytes, transcriptOf().requestBody.length);
});

test('an end before the start (the clock was set back) gives no negative duration', async () => {
  assert.equal((await draftOf({ ...transcriptOf(), finishedMs: 0 })).event.duration, 0);
});

test('input tokens are the whole input, cached tokens with them, as the conventions for Anthropic ask', async () => {
  const { usage } = (await draftOf(transcriptOf())).gen_ai;
  assert.deepEqual(usage, {
    input_tokens: 1_110,
    output_tokens: 5,
    cache_read: { input_tokens: 100 },
    cache_creation: { input_tokens: 1_000 },
    reasoning: { output_tokens: null },
  });
});

test('model, limits, stop reason and the tools that were called stand under their gen_ai names', async () => {
  const answerBody = claudeFixture('c_stream_tool_use.sse');
  const request = messagesRequest('Weather?', { stream: true });
  const { gen_ai: genAi } = await draftOf(transcriptOf({ request, answerBody, answerHeaders: eventStream }));
  assert.equal(genAi.operation.name, 'chat');
  assert.deepEqual(genAi.request, { model: 'claude-sonnet-4-5', max_tokens: 64, stream: true });
  assert.deepEqual(genAi.response.finish_reasons, ['tool_use']);
  assert.ok(genAi.tool.name.length > 0);
  assert.deepEqual(genAi.tool.name, [...new Set(genAi.tool.name)]);
});

test('an endpoint that is no chat is named as we name it, an unknown one never by its path', async () => {
  const counted = await draftOf(transcriptOf({ started: { path: '/v1/messages/count_tokens' } }));
  assert.notEqual(counted.gen_ai.operation.name, 'chat');
  assert.equal((await draftOf(transcriptOf({ started: { path: '/my/secret' } }))).gen_ai.operation.name, 'unknown');
});

test('a hostile answer of odd shapes gives no numbers, names or reasons, and does not throw', async () => {
  const usage = {
    input_tokens: '7',
    output_tokens: -1,
    cache_read_input_tokens: 1e300,
    cache_creation_input_tokens: {},
  };
  const content = [null, 7, 'x', [], { type: 7 }, { type: 'tool_use', name: { a: 1 } }, { type: 'tool_use' }];
  const answer = messageOf('', { id: 1, model: [], stop_reason: {}, usage, content });
  const { gen_ai: genAi } = await draftOf(transcriptOf({ answer }));
  assert.deepEqual(genAi.response, { id: '', model: '', finish_reasons: [] });
  assert.deepEqual(genAi.tool.name, []);
  assert.deepEqual(Object.values(genAi.usage).slice(0, 2), [null, null]);
});

test('a caller without an identity has no user, and an exchange without a verdict is its own session', async () => {
  const draft = await draftOf(transcriptOf({ started: { identity: null }, decided: null }));
  assert.equal(draft.user, null);
  assert.deepEqual(draft.skilltape.session, { id: exchangeIdOf(1), source: 'exchange' });
  assert.equal(draft.gen_ai.conversation.id, exchangeIdOf(1));
  assert.equal(draft.skilltape.verdict.decision, 'none');
});

test('a request that cannot be read still leaves a document with its answer', async () => {
  const { skilltape, gen_ai: genAi } = await draftOf(transcriptOf({ requestBody: Buffer.from('{"model":') }));
  assert.deepEqual([skilltape.decoded, skilltape.new_messages, genAi.request.model], [false, [], '']);
  assert.notEqual(skilltape.answer, null);
});

test('with metadata only, no text of request, answer or error is in the document', async () => {
  const draft = await draftOf(
    transcriptOf({ request: messagesRequest('SAID', { system: 'SAID' }), answer: messageOf('SAID') }),
    { keep: 'metadata' },
  );
  assert.ok(!JSON.stringify(draft).includes('SAID'));
  assert.equal(draft.skilltape.keep, 'metadata');
});

test('base64 of images is named by type and size and not kept', async () => {
  const data = Buffer.alloc(3_000, 'x').toString('base64');
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
  const text = JSON.stringify(
    (await draftOf(transcriptOf({ request: messagesRequest([image]) }))).skilltape.new_messages,
  );
  assert.ok(!text.includes(data.slice(0, 40)));
  assert.match(text, /3000/);
});

test('an encoded stream without message_stop is corrected in document and policy input alike', async () => {
  const answerHeaders = [...eventStream, ['content-encoding', 'gzip']] as const;
  const transcript = transcriptOf({ answerBody: gzipSync(claudeFixture('f2_truncated.sse')), answerHeaders });
  const draft = await draftOf(transcript);
  assert.deepEqual([draft.skilltape.outcome, draft.event.outcome], ['upstream_aborted', 'failure']);
  assert.equal(recordInputOf(transcript, await readingOf(transcript))?.answer?.outcome, 'upstream_aborted');
});

test('the policy input of record is what was judged, with the answer; none when nothing was judged', async () => {
  const judged = { version: 1, body: { bytes: 9, status: 'parsed', fault: '' }, claude: { model: 'm' } };
  const transcript = transcriptOf({ decided: { input: judged, verdict: 'hold' } });
  const input = recordInputOf(transcript, await readingOf(transcript));
  assert.deepEqual([input?.body.bytes, input?.claude?.model, input?.verdict.decision], [9, 'm', 'hold']);
  assert.deepEqual([input?.answer?.stop_reason, input?.answer?.input_tokens], ['end_turn', 1_110]);
  assert.deepEqual(input?.claude?.models, ['m']);
  assert.deepEqual([input?.body.decoded_bytes, input?.body.codings], [9, []], 'as the first version did not say');
  assert.deepEqual([input?.findings, input?.findings_complete], [[], false], 'nor what was found');
  const found = { findings: [{ type: 'PEM', place: 'file', count: 2 }], findings_complete: true };
  const searched = transcriptOf({ decided: { input: { ...judged, ...found } } });
  assert.deepEqual(recordInputOf(searched, await readingOf(searched))?.findings, found.findings);
  const named = { ...judged, claude: { model: 'm', mcp_server_names: ['git'] } };
  const withServer = transcriptOf({ decided: { input: named } });
  const { mcp_server_hosts: hosts, mcp_toolsets: toolsets } =
    recordInputOf(withServer, await readingOf(withServer))?.claude ?? assert.fail('no facts');
  const open = { server: 'git', host: '', open: true, on: [], off: [] };
  assert.deepEqual([hosts, toolsets], [[''], [open]], 'what is not known of a server counts as open');
  const encoded = { ...judged, body: { ...judged.body, decoded_bytes: 20, codings: ['br'] } };
  const later = transcriptOf({ decided: { input: encoded } });
  assert.deepEqual(recordInputOf(later, await readingOf(later))?.body, encoded.body);
  const access = transcriptOf({ decided: { stage: 'access', verdict: 'deny' } });
  assert.equal(recordInputOf(access, await readingOf(access))?.body.status, 'empty');
  const refused = transcriptOf({ decided: null });
  assert.equal(recordInputOf(refused, await readingOf(refused)), null);
});
