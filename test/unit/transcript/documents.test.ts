import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { usualMasking } from '../../../extproc/policy/masking-decision.ts';
import { Recollection } from '../../../extproc/ship/recollection.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import { draftDocuments } from '../../../extproc/transcript/documents.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { MapMemory } from '../ship/map-memory.ts';
import {
  ada,
  claudeFixture,
  draftOf,
  draftsOf,
  eventStream,
  exchangeIdOf,
  keyedHash,
  messageOf,
  messagesRequest,
  readingOf,
  transcriptOf,
} from './example.ts';

/** Drafts one exchange after the other, each recalling those before it. */
class Recorder {
  readonly #memory = new MapMemory();

  async record(transcript: Transcript): Promise<ExchangeDocument[]> {
    const recollection = new Recollection(this.#memory, keyedHash);
    const recall = recollection.recallFor(transcript);
    const decision = { keep: 'full', retention_class: 'standard', masking: usualMasking } as const;
    const documents: ExchangeDocument[] = [];
    for (const drafted of draftDocuments(transcript, await readingOf(transcript), { keyedHash, recall, decision })) {
      recollection.add(transcript, drafted);
      documents.push(drafted.draft);
    }
    recollection.write();
    return documents;
  }

  async own(transcript: Transcript): Promise<ExchangeDocument> {
    const [own] = await this.record(transcript);
    assert.ok(own !== undefined);
    return own;
  }
}

const eve = { identity: { ...ada, subject: 'u-eve', email: 'eve@example.org' } };
const json = [['content-type', 'application/json']] as const;

function batchOf(id: number, prompts: string[], more: object = {}): Transcript {
  const requests = prompts.map((prompt, at) => ({
    custom_id: `c${at}`,
    params: messagesRequest(prompt, { system: 'be brief', ...more }),
  }));
  return transcriptOf({
    id: exchangeIdOf(id),
    request: { requests },
    answer: { id: 'msgbatch_1', type: 'message_batch', processing_status: 'in_progress' },
    started: { path: '/v1/messages/batches' },
    decided: { session: { id: `session-${id}`, source: 'exchange' } },
  });
}

function resultsOf(id: number, lines: object[], started: Parameters<typeof transcriptOf>[0] = {}): Transcript {
  return transcriptOf({
    id: exchangeIdOf(id),
    requestBody: new Uint8Array(),
    answerBody: Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
    answerHeaders: [['content-type', 'application/x-jsonl']],
    decided: { session: { id: `session-${id}`, source: 'exchange' } },
    started: { method: 'GET', path: '/v1/messages/batches/msgbatch_1/results', ...started.started },
  });
}

const succeeded = (customId: string, text: string) => ({
  custom_id: customId,
  result: { type: 'succeeded', message: messageOf(text, { id: `msg_${customId}` }) },
});

test('each prompt of a batch is a document of its own, found by its text, under the exchange of the batch', async () => {
  const [own, ...prompts] = await new Recorder().record(batchOf(1, ['first question', 'second question']));
  assert.deepEqual(own?.skilltape.batch, { id: 'msgbatch_1', custom_id: '', size: 2 });
  assert.deepEqual(own?.skilltape.new_messages, []);
  assert.deepEqual(
    prompts.map(({ event, skilltape }) => [event.id, event.action, skilltape.batch?.custom_id]),
    [
      [`${exchangeIdOf(1)}.1`, 'batch_request', 'c0'],
      [`${exchangeIdOf(1)}.2`, 'batch_request', 'c1'],
    ],
  );
  assert.deepEqual(
    prompts.map(({ skilltape }) => skilltape.new_messages),
    [[{ role: 'user', content: 'first question' }], [{ role: 'user', content: 'second question' }]],
  );
  assert.deepEqual(
    prompts.map(({ skilltape }) => skilltape.system),
    ['be brief', null],
    'a system prompt that all share is new once',
  );
  assert.deepEqual(
    prompts.map(({ http }) => http.request.body.bytes),
    [0, 0],
    'sizes are not summed twice',
  );
});

test('the prompts of a batch that was denied are counted in its own document, by which they are shown with it', async () => {
  const denied = { ...batchOf(1, ['first question', 'second question']), answer: null, answerBody: new Uint8Array() };
  const [own, ...prompts] = await new Recorder().record(denied);
  assert.deepEqual(own?.skilltape.batch, { id: '', custom_id: '', size: 2 });
  assert.deepEqual(
    prompts.map(({ event }) => event.id),
    [`${exchangeIdOf(1)}.1`, `${exchangeIdOf(1)}.2`],
  );
});

test('the encodings of a batch, and its sizes without them, stand in its own document alone', async () => {
  const plain = batchOf(1, ['first question']);
  const requestBody = gzipSync(plain.requestBody);
  const started = { ...plain.started, headers: [...plain.started.headers, ['content-encoding', 'gzip'] as const] };
  const [own, prompt] = await new Recorder().record({
    ...plain,
    requestBody,
    requestBytes: requestBody.length,
    started,
  });
  assert.deepEqual(own?.skilltape.body.request, { codings: ['gzip'], decoded_bytes: plain.requestBody.length });
  assert.deepEqual(prompt?.skilltape.new_messages, [{ role: 'user', content: 'first question' }]);
  assert.deepEqual(prompt?.skilltape.body.request, { codings: [], decoded_bytes: null });
});

test('each answer of a batch is linked to its prompt, in its session, with its own tokens', async () => {
  const recorder = new Recorder();
  await recorder.record(batchOf(1, ['a', 'b']));
  const errored = { custom_id: 'c1', result: { type: 'errored', error: { type: 'error', error: { type: 'x' } } } };
  const [own, first, second] = await recorder.record(resultsOf(2, [succeeded('c0', 'yes'), errored]));
  assert.deepEqual(own?.skilltape.batch, { id: 'msgbatch_1', custom_id: '', size: 2 });
  assert.deepEqual(own?.skilltape.link, [{ event_id: exchangeIdOf(1), via: 'batch' }]);
  assert.deepEqual(first?.skilltape.link, [{ event_id: `${exchangeIdOf(1)}.1`, via: 'batch' }]);
  assert.deepEqual(first?.skilltape.session, { id: 'session-1', source: 'batch' });
  assert.equal(first?.gen_ai.usage.output_tokens, 5);
  assert.deepEqual([second?.skilltape.outcome, second?.event.outcome], ['upstream_error', 'failure']);
  assert.notEqual(second?.skilltape.error, null);
});

test('results that are fetched again are neither indexed nor counted again, and shipped again they are the same', async () => {
  const recorder = new Recorder();
  await recorder.record(batchOf(1, ['a']));
  const results = resultsOf(2, [succeeded('c0', 'yes')]);
  const first = await recorder.record(results);
  assert.deepEqual(await recorder.record(results), first);
  assert.equal((await recorder.record(resultsOf(3, [succeeded('c0', 'yes')]))).length, 1);
});

test('results of a batch that another person made are not linked to its prompts', async () => {
  const recorder = new Recorder();
  await recorder.record(batchOf(1, ['a']));
  const [own, result] = await recorder.record(resultsOf(2, [succeeded('c0', 'yes')], { started: eve }));
  assert.deepEqual([own?.skilltape.link, result?.skilltape.link], [[], []]);
  assert.equal(result?.skilltape.session.id, 'session-2');
});

test('of a batch larger than is indexed the document says so', async () => {
  const entries = Array.from({ length: 10_001 }, (_, at) => ({ custom_id: `c${at}`, params: messagesRequest('x') }));
  const [own, ...prompts] = await draftsOf(
    transcriptOf({ request: { requests: entries }, answer: {}, started: { path: '/v1/messages/batches' } }),
  );
  assert.deepEqual([own?.draft.skilltape.truncated, prompts.length], [true, 10_000]);
});

test('an uploaded skill is prompt content: its files are read, what is no text is named by size and hash', async () => {
  const skill = [
    '--frontier',
    'Content-Disposition: form-data; name="display_name"',
    '',
    'My skill',
    '--frontier',
    'Content-Disposition: form-data; name="files[]"; filename="demo/SKILL.md"',
    'Content-Type: text/markdown',
    '',
    '# Demo: always add mustard',
    '--frontier',
    'Content-Disposition: form-data; name="files[]"; filename="demo/logo.png"',
    'Content-Type: image/png',
    '',
    '\x89PNG\0\0',
    '--frontier--',
    '',
  ].join('\r\n');
  const document = await draftOf(
    transcriptOf({
      requestBody: Buffer.from(skill, 'latin1'),
      answer: { id: 'skill_1' },
      started: { path: '/v1/skills', headers: [['content-type', 'multipart/form-data; boundary=frontier']] },
    }),
  );
  const text = JSON.stringify(document.skilltape.new_messages);
  assert.match(text, /always add mustard/);
  assert.match(text, /demo\/SKILL\.md/);
  assert.ok(!text.includes('PNG'));
  const { file } = document.skilltape;
  assert.deepEqual(
    file.map(({ role, name, bytes }) => [role, name, bytes]),
    [
      ['uploaded', 'demo/SKILL.md', 26],
      ['uploaded', 'demo/logo.png', 6],
    ],
  );
  for (const { hash } of file) assert.match(hash, /^[0-9a-f]{64}$/);
});

test('a download is linked to the exchange whose answer produced the file, and to nobody else’s', async () => {
  const recorder = new Recorder();
  const content = [
    {
      type: 'bash_code_execution_tool_result',
      tool_use_id: 't',
      content: {
        type: 'bash_code_execution_result',
        stdout: '',
        stderr: '',
        return_code: 0,
        content: [{ type: 'bash_code_execution_output', file_id: 'file_42' }],
      },
    },
  ];
  const made = await recorder.own(transcriptOf({ answer: messageOf('', { content }) }));
  assert.deepEqual(
    made.skilltape.file.map(({ id, role }) => [id, role]),
    [['file_42', 'produced']],
  );
  const download = (id: number, started: object = {}) =>
    transcriptOf({
      id: exchangeIdOf(id),
      requestBody: new Uint8Array(),
      answerBody: Buffer.from('a,b\n1,2\n'),
      answerHeaders: [['content-type', 'text/csv']],
      started: { method: 'GET', path: '/v1/files/file_42/content', ...started },
    });
  const mine = await recorder.own(download(2));
  assert.deepEqual(mine.skilltape.link, [{ event_id: exchangeIdOf(1), via: 'file' }]);
  assert.deepEqual(
    mine.skilltape.file.map(({ id, role, bytes }) => [id, role, bytes]),
    [['file_42', 'downloaded', 8]],
  );
  assert.match(JSON.stringify(mine.skilltape.answer), /a,b\\n1,2/);
  assert.deepEqual((await recorder.own(download(3, eve))).skilltape.link, []);
  assert.deepEqual((await recorder.own(download(4, { connection: 'sandbox' }))).skilltape.link, []);
});

test('an upload that a later prompt names is linked to that prompt', async () => {
  const recorder = new Recorder();
  const body =
    '--frontier\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--frontier--\r\n';
  const headers = [['content-type', 'multipart/form-data; boundary=frontier']] as const;
  await recorder.own(
    transcriptOf({
      requestBody: Buffer.from(body),
      answer: { id: 'file_7', type: 'file' },
      started: { path: '/v1/files', headers },
    }),
  );
  const prompt = await recorder.own(
    transcriptOf({ id: exchangeIdOf(2), request: messagesRequest([{ type: 'container_upload', file_id: 'file_7' }]) }),
  );
  assert.deepEqual(prompt.skilltape.link, [{ event_id: exchangeIdOf(1), via: 'file' }]);
});

test('the same request sent again is linked to the first, and Envoy’s second attempt to its first', async () => {
  const recorder = new Recorder();
  await recorder.own(transcriptOf());
  const again = await recorder.own(transcriptOf({ id: exchangeIdOf(2), started: { attemptOf: exchangeIdOf(1) } }));
  assert.deepEqual(again.skilltape.link, [
    { event_id: exchangeIdOf(1), via: 'attempt' },
    { event_id: exchangeIdOf(1), via: 'repeat' },
  ]);
  assert.deepEqual((await recorder.own(transcriptOf({ id: exchangeIdOf(3), started: eve }))).skilltape.link, []);
});

test('a prompt that Claude was too busy for and its retries are one prompt in the index, linked', async () => {
  const recorder = new Recorder();
  const busy = (id: number, session = 's-1') =>
    transcriptOf({
      id: exchangeIdOf(id),
      answerBody: claudeFixture('j_error_529.json'),
      answerStatus: 529,
      decided: { session: { id: session, source: 'claude_code_header' } },
      finished: { outcome: 'upstream_error', status: 529 },
    });
  assert.equal((await recorder.own(busy(1))).skilltape.new_messages.length, 1);
  const again = await recorder.own(busy(2));
  assert.deepEqual(again.skilltape.new_messages, []);
  assert.deepEqual(again.skilltape.link, [{ event_id: exchangeIdOf(1), via: 'repeat' }]);
  assert.equal((await recorder.own(busy(3, 's-2'))).skilltape.new_messages.length, 1, 'another session asks anew');
  const session = { id: 's-1', source: 'claude_code_header' };
  const answered = await recorder.own(transcriptOf({ id: exchangeIdOf(4), decided: { session } }));
  assert.deepEqual(answered.skilltape.new_messages, []);
  const asked = await recorder.own(transcriptOf({ id: exchangeIdOf(5), decided: { session } }));
  assert.equal(asked.skilltape.new_messages.length, 1, 'asked once more after an answer came');
});

test('a prompt that policy denied is found each time that it was sent', async () => {
  const recorder = new Recorder();
  for (const id of [1, 2]) {
    const denied = transcriptOf({
      id: exchangeIdOf(id),
      decided: { verdict: 'deny' },
      finished: { outcome: 'denied', status: 403, localReply: '{"type":"error","error":{}}' },
    });
    assert.equal((await recorder.own(denied)).skilltape.new_messages.length, 1);
  }
});

test('counting tokens before a prompt is sent is noise, and does not make history of what it counted', async () => {
  const recorder = new Recorder();
  const messages = [
    { role: 'user', content: 'one' },
    { role: 'assistant', content: 'two' },
    { role: 'user', content: 'three' },
  ];
  const request = { ...messagesRequest(''), messages };
  const counted = transcriptOf({
    request,
    answer: { input_tokens: 9 },
    started: { path: '/v1/messages/count_tokens' },
  });
  assert.equal((await recorder.own(counted)).skilltape.noise, 'count_tokens');
  const asked = await recorder.own(transcriptOf({ id: exchangeIdOf(2), request }));
  assert.deepEqual([asked.skilltape.noise, asked.skilltape.new_messages.length], [null, 3]);
});

test('tools are kept when they are new, and named when a resent conversation brings them again', async () => {
  const recorder = new Recorder();
  const tools = [{ name: 'bash', description: 'runs commands', input_schema: { type: 'object' } }];
  const first = await recorder.own(transcriptOf({ request: messagesRequest('a', { tools }) }));
  const second = await recorder.own(transcriptOf({ id: exchangeIdOf(2), request: messagesRequest('b', { tools }) }));
  assert.deepEqual([first.skilltape.tools, second.skilltape.tools], [tools, null]);
});

test('events of a managed session are prompts and answers, each indexed once however often it is streamed', async () => {
  const recorder = new Recorder();
  const prompt = { type: 'user.message', content: [{ type: 'text', text: 'plan a trip' }] };
  const path = '/v1/sessions/sess_1/events';
  const sent = await recorder.own(
    transcriptOf({
      request: { events: [prompt] },
      answer: { data: [{ id: 'ev_1', ...prompt }] },
      started: { path },
    }),
  );
  assert.match(JSON.stringify(sent.skilltape.new_messages), /plan a trip/);
  const answer = { id: 'ev_2', type: 'agent.message', content: [{ type: 'text', text: 'go north' }] };
  const stream = [{ id: 'ev_1', ...prompt }, answer]
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('');
  const streamed = (id: number) =>
    transcriptOf({
      id: exchangeIdOf(id),
      requestBody: new Uint8Array(),
      answerBody: Buffer.from(stream),
      answerHeaders: eventStream,
      started: { method: 'GET', path: `${path}/stream` },
    });
  const text = JSON.stringify((await recorder.own(streamed(2))).skilltape.answer);
  assert.match(text, /go north/);
  assert.ok(!text.includes('plan a trip'), 'what was sent before is not indexed a second time');
  assert.ok(!JSON.stringify((await recorder.own(streamed(3))).skilltape.answer).includes('go north'));
});

test('what a session begins with is a prompt beside its settings, and is not indexed again when it is streamed', async () => {
  const recorder = new Recorder();
  const prompt = { type: 'user.message', content: [{ type: 'text', text: 'plan a trip' }] };
  const created = await recorder.own(
    transcriptOf({
      request: { agent: 'agent_1', title: 'Trips', initial_events: [prompt] },
      answer: { id: 'sesn_1', type: 'session' },
      started: { path: '/v1/sessions' },
    }),
  );
  assert.deepEqual(created.skilltape.new_messages, [
    { role: 'user', content: { agent: 'agent_1', title: 'Trips' } },
    { role: 'user', content: [{ type: 'user.message', content: prompt.content }] },
  ]);
  const streamed = (id: number, session: string) =>
    transcriptOf({
      id: exchangeIdOf(id),
      requestBody: new Uint8Array(),
      answerBody: Buffer.from(`event: user.message\ndata: ${JSON.stringify({ id: `ev_${id}`, ...prompt })}\n\n`),
      answerHeaders: eventStream,
      started: { method: 'GET', path: `/v1/sessions/${session}/events/stream` },
    });
  const own = await recorder.own(streamed(2, 'sesn_1'));
  assert.ok(!JSON.stringify(own.skilltape.answer).includes('plan a trip'));
  const other = await recorder.own(streamed(3, 'sesn_2'));
  assert.ok(
    JSON.stringify(other.skilltape.answer).includes('plan a trip'),
    'the same words in another session are new',
  );
});

test('of an endpoint whose bodies carry credentials nothing is read', async () => {
  const document = await draftOf(
    transcriptOf({
      request: { grant_type: 'SAID', refresh_token: 'SAID' },
      answer: { access_token: 'SAID' },
      started: { path: '/v1/oauth/token' },
    }),
  );
  assert.ok(!JSON.stringify(document).includes('SAID'));
  assert.equal(document.skilltape.endpoint.treatment, 'secrets');
});

test('Claude Code’s headers give prompt, agent and class of a request', async () => {
  const headers = [
    ['user-agent', 'claude-cli/2.1.330 (external, cli)'],
    ['x-claude-code-prompt-id', 'p-1'],
    ['x-claude-code-agent-id', 'a-2'],
    ['x-claude-code-agent-type', 'Explore'],
    ['x-claude-code-parent-agent-id', 'a-1'],
    ['x-claude-code-request-class', 'subagent'],
  ] as const;
  const { gen_ai: genAi, skilltape } = await draftOf(transcriptOf({ started: { headers } }));
  assert.deepEqual(genAi.agent, { id: 'a-2', name: 'Explore' });
  assert.deepEqual(skilltape.agent, { parent_id: 'a-1', prompt_id: 'p-1', request_class: 'subagent' });
});

test('skills that Claude Code offers are named once, where their list is new, and are no use', async () => {
  const recorder = new Recorder();
  const listing =
    'The following skills are available for use with the Skill tool:\n\n- quarterly-report: writes it\n- pdf: reads it\n';
  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'system', content: [{ type: 'text', text: listing }] },
  ];
  const first = await recorder.own(transcriptOf({ request: { ...messagesRequest(''), messages } }));
  assert.deepEqual(first.skilltape.skill_offered, ['quarterly-report', 'pdf']);
  assert.deepEqual(first.skilltape.skill, []);
  const answered = { role: 'assistant', content: [{ type: 'text', text: 'A strip that records.' }] };
  const resent = [...messages, answered, { role: 'user', content: 'more' }];
  const second = transcriptOf({ id: exchangeIdOf(2), request: { ...messagesRequest(''), messages: resent } });
  assert.deepEqual((await recorder.own(second)).skilltape.skill_offered, []);
});

test('skills of a container are named with the version that the answer resolved', async () => {
  const document = await draftOf(
    transcriptOf({
      requestBody: claudeFixture('e_skills_request.json'),
      answerBody: claudeFixture('e_skills_response.json'),
      answerHeaders: json,
    }),
  );
  assert.ok(document.skilltape.skill.some(({ source }) => source === 'container'));
  assert.ok(document.skilltape.file.some(({ role }) => role === 'produced'));
});
