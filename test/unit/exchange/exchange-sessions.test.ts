import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { learntAnswerMaxBytes } from '../../../extproc/exchange/answer-learning.ts';
import type { Action, Frame } from '../../../extproc/exchange/frame.ts';
import {
  alice,
  answerBody,
  answerHeaders,
  eventStream,
  question,
  requestBody,
  requestHeaders,
  tokenOf,
} from './frames.ts';
import type { Rig } from './rig.ts';
import { claude, createRig, play } from './rig.ts';

const runsCode = { tools: [{ type: 'code_execution_20260521', name: 'code_execution' }] };
const begins = { thread: { type: 'create' } };
const goesOn = (id: string) => ({ thread: { type: 'continue', previous_message_id: id } });

function request(fields: object, path = '/v1/messages', metadata = tokenOf(alice)): Frame[] {
  const body = JSON.stringify({ ...JSON.parse(question), ...fields });
  return [requestHeaders({ path, metadata }), requestBody(body), requestBody('', true)];
}

function answerText(id: string, container: string | null, more: object = {}): string {
  return JSON.stringify({ type: 'message', id, container: container && { id: container }, content: [], ...more });
}

function sessionIn(actions: readonly Action[]): string | undefined {
  const headers = actions.find(({ kind }) => kind === 'continue_response_headers');
  return headers?.kind === 'continue_response_headers' ? headers.setHeaders['x-skilltape-session'] : undefined;
}

/** The session of a request with that answer. */
async function ask(rig: Rig, frames: readonly Frame[], ...answer: readonly Frame[]): Promise<string | undefined> {
  const exchange = rig.open();
  const session = sessionIn(await play(exchange, [...frames, ...answer]));
  await exchange.abandon('stream_ended', '');
  return session;
}

const ofJson = [['content-type', 'application/json']] as const;
const json = (text: string) => [answerHeaders(), answerBody(text), answerBody('', true)];

test('the exchange that began a container or a thread and those that name its ids are one session', async () => {
  const rig = createRig();
  const first = await ask(rig, request({ ...runsCode, ...begins }), ...json(answerText('msg_1', 'container_1')));
  assert.match(first ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(await ask(rig, request(goesOn('msg_1')), ...json(answerText('msg_2', null))), first);
  assert.equal(await ask(rig, request(goesOn('msg_2')), ...json(answerText('msg_3', null))), first);
  assert.equal(await ask(rig, request({ container: 'container_1' }), ...json('{}')), first);
  const sources = rig.log.ofKind('decided').map(({ decided }) => decided.session?.source);
  assert.deepEqual(sources, ['exchange', 'thread', 'thread', 'container']);
});

test('the ids are known before the end of the answer is let through', async () => {
  const event = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  const start = event({ type: 'message_start', message: { id: 'msg_1', type: 'message', content: [] } } as never);
  const length = answerText('msg_1', null).length;
  const endings: Frame[][] = [
    // No end of the stream in either: the chunk itself completes the answer for its reader.
    [answerHeaders({ headers: eventStream }), answerBody(start), answerBody(event({ type: 'message_stop' }))],
    [
      answerHeaders({ headers: [...ofJson, ['content-length', String(length)]] }),
      answerBody(answerText('msg_1', null)),
    ],
    // An encoded one completes when it ends.
    [
      answerHeaders({ headers: [...eventStream, ['content-encoding', 'gzip']] }),
      answerBody(gzipSync(start + event({ type: 'message_stop' })), true),
    ],
  ];
  for (const ending of endings) {
    const rig = createRig();
    const open = rig.open();
    const first = sessionIn(await play(open, [...request(begins), ...ending]));
    assert.equal(await ask(rig, request(goesOn('msg_1')), ...json('{}')), first);
  }
});

test('another person or connection that names the same ids has another session', async () => {
  const rig = createRig();
  const first = await ask(rig, request({ ...runsCode, ...begins }), ...json(answerText('msg_1', 'container_1')));
  const bob = tokenOf({ ...alice, sub: 'bob' });
  for (const fields of [{ container: 'container_1' }, goesOn('msg_1')]) {
    assert.notEqual(await ask(rig, request(fields, '/v1/messages', bob), ...json('{}')), first);
    const elsewhere = rig.open({ ...claude, name: 'elsewhere' });
    assert.notEqual(sessionIn(await play(elsewhere, [...request(fields), ...json('{}')])), first);
  }
});

test('only message requests of which something can be learnt keep a copy, and give its memory back', async () => {
  const held = async (fields: object, path?: string) => {
    const rig = createRig();
    const exchange = rig.open();
    const actions = await play(exchange, request(fields, path));
    const last = actions.at(-1);
    assert.ok(last?.kind === 'release');
    for await (const _ of last.body);
    await play(exchange, json('{"type":"message","id":"msg_1"}').slice(0, 2));
    const bytes = rig.context.budget.heldBodyBytes;
    await exchange.abandon('stream_ended', '');
    assert.equal(rig.context.budget.heldBodyBytes, 0);
    return bytes;
  };
  assert.equal(await held({}), 0);
  assert.equal(await held({ tools: [{ name: 'code_execution' }] }), 0);
  assert.equal(await held(begins, '/v1/messages/count_tokens'), 0);
  assert.equal(await held(begins), '{"type":"message","id":"msg_1"}'.length);
});

test('an answer that is too large, or for which no memory is left, passes and brings no link', async () => {
  const large = 'x'.repeat(learntAnswerMaxBytes / 2);
  const cases: [Rig, Frame[]][] = [
    [createRig({ heldBodyMaxBytes: 2 ** 40 }), [answerBody(large), answerBody(`${large}x`)]],
    [createRig({ heldBodyMaxBytes: 5000 }), [answerBody('x'.repeat(2501))]],
  ];
  for (const [rig, chunks] of cases) {
    const exchange = rig.open();
    const actions = await play(exchange, [...request(begins), answerHeaders(), ...chunks, answerBody('', true)]);
    assert.ok(actions.slice(4).every(({ kind }) => kind === 'continue_response_body'));
    assert.equal(rig.context.budget.heldBodyBytes <= question.length * 2, true);
    await exchange.abandon('stream_ended', '');
    assert.equal(rig.log.finished[0]?.outcome, 'complete');
  }
});

test('an answer that cannot be decoded or read passes and brings no link', async () => {
  const gzip = answerHeaders({
    headers: [
      ['content-type', 'application/json'],
      ['content-encoding', 'gzip'],
    ],
  });
  const unreadable: Frame[][] = [
    [gzip, answerBody('no gzip', true)],
    [answerHeaders(), answerBody('{', true)],
    [answerHeaders({ endOfStream: true })],
    [answerHeaders({ status: 529 }), answerBody(answerText('msg_1', null), true)],
  ];
  for (const answer of unreadable) {
    const rig = createRig();
    const first = await ask(rig, request(begins), ...answer);
    assert.ok(first);
    assert.notEqual(await ask(rig, request(goesOn('msg_1')), ...json('{}')), first);
  }
});

test('a managed agent stream that the upstream closes is complete, and a message stream without its end is not', async () => {
  const event = 'event: agent.message\ndata: {}\n\n';
  const outcomes: [path: string, method: string, outcome: string][] = [
    ['/v1/sessions/sess_1/events/stream', 'GET', 'complete'],
    ['/v1/sessions/sess_1/threads/t_1/stream', 'GET', 'complete'],
    ['/v1/messages', 'POST', 'upstream_aborted'],
  ];
  for (const [path, method, outcome] of outcomes) {
    const { log, open } = createRig();
    const asked = method === 'GET' ? [requestHeaders({ path, method, endOfStream: true })] : request({});
    const exchange = open();
    await play(exchange, [...asked, answerHeaders({ headers: eventStream }), answerBody(event), answerBody('', true)]);
    await exchange.abandon('stream_ended', '');
    assert.equal(log.finished[0]?.outcome, outcome, path);
  }
});
