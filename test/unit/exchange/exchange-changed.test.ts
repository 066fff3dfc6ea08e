import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { changedAnswerMaxBytes, changedAnswerRemovedHeaders } from '../../../extproc/exchange/changed-answer.ts';
import type { Action, Frame } from '../../../extproc/exchange/frame.ts';
import { answerBody, answerHeaders, requestHeaders } from './frames.ts';
import type { Rig } from './rig.ts';
import { claude, createRig, play, settle } from './rig.ts';

const publicUrl = 'https://gateway.example.org/team';
const rewriting = { ...claude, resultsUrlBase: publicUrl };
const batch = (host: string) => `{"id":"b_1", "results_url":"${host}/v1/messages/batches/b_1/results","é":1}`;
const came = batch('https://api.anthropic.com');
const goes = batch(publicUrl);
const path = '/v1/messages/batches/b_1';
const asked = (at = path, method = 'GET') => requestHeaders({ path: at, method, endOfStream: true });
const plenty = { heldBodyMaxBytes: 2 ** 40 };

function opened(limits = {}): Rig & { exchange: ReturnType<Rig['open']> } {
  const rig = createRig(limits);
  return { ...rig, exchange: rig.open(rewriting) };
}

/** What the caller gets as the body: the chunks themselves where an action does not replace them. */
function passed(frames: readonly Frame[], actions: readonly Action[]): Buffer {
  const pieces = actions.map((action, at) => {
    const frame = frames[at];
    if (action.kind !== 'continue_response_body' || frame?.kind !== 'response_body') return Buffer.alloc(0);
    return Buffer.from(action.body ?? frame.body);
  });
  return Buffer.concat(pieces);
}

test('the changed body goes on with the last chunk, after both forms are on disk', async () => {
  const { log, exchange } = opened();
  await exchange.accept(asked());
  const headers = await exchange.accept(answerHeaders());
  assert.deepEqual(headers.kind === 'continue_response_headers' && headers.removeHeaders, changedAnswerRemovedHeaders);
  const first = await exchange.accept(answerBody(came.slice(0, 30)));
  assert.deepEqual(first, { kind: 'continue_response_body', body: new Uint8Array(0) });
  log.events.length = 0;
  const gate = log.stallSync();
  let isAnswered = false;
  const last = Promise.resolve(exchange.accept(answerBody(came.slice(30), true))).then((action) => {
    isAnswered = true;
    return action;
  });
  await settle();
  assert.deepEqual(log.events, ['append answer_body', 'append answer_changed', 'append answer_trailers', 'sync']);
  assert.equal(isAnswered, false, 'the changed body reached the caller before the disk');
  gate.open();
  const action = await last;
  assert.ok(action.kind === 'continue_response_body');
  assert.equal(Buffer.from(action.body ?? []).toString(), goes);
  assert.equal(Buffer.concat(log.ofKind('answer_body').map(({ bytes }) => bytes)).toString(), came);
  assert.equal(Buffer.from(log.ofKind('answer_changed')[0]?.bytes ?? []).toString(), goes);
  await exchange.abandon('stream_ended', '');
  assert.equal(log.finished[0]?.outcome, 'complete');
});

test('property: however an answer is cut and encoded, the caller gets the same changed body once', async () => {
  const forms = fc.constantFrom<[string, Buffer]>(['identity', Buffer.from(came)], ['gzip', gzipSync(came)]);
  const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(forms, cuts, fc.boolean(), async ([encoding, bytes], at, hasEmptyEnd) => {
      const { exchange, context } = opened();
      const borders = [0, ...at.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
      const chunks = borders.slice(1).map((end, index) => bytes.subarray(borders[index], end));
      const frames: Frame[] = chunks.map((chunk, index) =>
        answerBody(chunk, !hasEmptyEnd && index === chunks.length - 1),
      );
      if (hasEmptyEnd) frames.push(answerBody('', true));
      const headers = [
        ['content-type', 'application/json'],
        ['content-encoding', encoding],
      ] as const;
      await play(exchange, [asked(), answerHeaders({ headers })]);
      assert.equal(passed(frames, await play(exchange, frames)).toString(), goes);
      assert.equal(context.budget.heldBodyBytes, 0);
    }),
  );
});

test('an answer without a link goes on as it came, and has one form in the record', async () => {
  for (const body of ['{"results_url":null}', '']) {
    const { log, exchange } = opened();
    const frames = [asked(), answerHeaders(), answerBody(body), answerBody('', true)];
    assert.equal(passed(frames, await play(exchange, frames)).toString(), body);
    assert.deepEqual(log.ofKind('answer_changed'), []);
    await exchange.abandon('stream_ended', '');
    assert.equal(log.finished[0]?.outcome, 'complete');
  }
});

test('other answers are never held: other endpoints, results, errors, other types and connections', async () => {
  const json = [['content-type', 'application/json']] as const;
  const untouched: [Frame, Frame][] = [
    [asked(`${path}/results`), answerHeaders()],
    [asked('/v1/models'), answerHeaders()],
    [asked('/v1/files/b_1'), answerHeaders()],
    [asked(path, 'HEAD'), answerHeaders()],
    [asked(), answerHeaders({ status: 404 })],
    [asked(), answerHeaders({ status: 304, headers: json })],
    [asked(), answerHeaders({ headers: [['content-type', 'application/x-jsonl']] })],
    [asked(), answerHeaders({ headers: [['content-type', 'text/plain; x=/json']] })],
    [asked(), answerHeaders({ headers: [] })],
  ];
  for (const [request, headers] of untouched) {
    const { exchange } = opened();
    const [, head, body] = await play(exchange, [request, headers, answerBody(came, true)]);
    assert.ok(head?.kind === 'continue_response_headers');
    assert.equal(head.removeHeaders, undefined);
    assert.deepEqual(body, { kind: 'continue_response_body' });
  }
  const plain = createRig().open(claude);
  const [, , body] = await play(plain, [asked(), answerHeaders(), answerBody(came, true)]);
  assert.deepEqual(body, { kind: 'continue_response_body' });
});

test('an answer of headers alone keeps them', async () => {
  const { exchange } = opened();
  const [, head] = await play(exchange, [asked(), answerHeaders({ status: 204, endOfStream: true })]);
  assert.ok(head?.kind === 'continue_response_headers');
  assert.equal(head.removeHeaders, undefined);
});

test('every form of JSON that a client reads is changed', async () => {
  for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/problem+json', 'text/json']) {
    const { exchange } = opened();
    const frames = [asked(), answerHeaders({ headers: [['content-type', type]] }), answerBody(came, true)];
    assert.equal(passed(frames, await play(exchange, frames)).toString(), goes, type);
  }
});

test('an answer that cannot be held or read is cut, gives its memory back, and the record says why', async () => {
  const half = 'x'.repeat(changedAnswerMaxBytes / 2);
  const gzip = answerHeaders({
    headers: [
      ['content-type', 'application/json'],
      ['content-encoding', 'gzip'],
    ],
  });
  const cases: [Frame[], RegExp, object?][] = [
    [[answerHeaders(), answerBody(half), answerBody(`${half}x`)], /more than 8388608 bytes/],
    [[answerHeaders(), answerBody(came)], /memory/, { heldBodyMaxBytes: came.length - 1 }],
    [[answerHeaders(), answerBody(came.slice(0, 40), true)], /no JSON/],
    [[gzip, answerBody(came, true)], /decoded/],
    [[gzip, answerBody(gzipSync(' '.repeat(changedAnswerMaxBytes + 1)), true)], /decoded/],
    [[answerHeaders(), answerBody(came), { kind: 'response_trailers', headers: [] }], /trailers/],
  ];
  for (const [frames, reason, limits = plenty] of cases) {
    const { exchange, log, context } = opened(limits);
    const action = (await play(exchange, [asked(), ...frames])).at(-1);
    assert.ok(action?.kind === 'cut', String(reason));
    assert.match(action.reason, reason);
    await exchange.abandon('cut', action.reason);
    assert.deepEqual([log.finished[0]?.outcome, log.finished[0]?.detail], ['cut', action.reason]);
    assert.deepEqual(log.ofKind('answer_changed'), []);
    assert.equal(context.budget.heldBodyBytes, 0);
  }
});

test('a changed body that cannot be recorded is cut', async () => {
  const { exchange, log } = opened();
  log.failsAppend = (kind) => kind === 'answer_changed';
  const actions = await play(exchange, [asked(), answerHeaders(), answerBody(came, true)]);
  assert.equal(actions.at(-1)?.kind, 'cut');
});

test('what Envoy answers itself, and the end of a stream inside an answer, leave nothing held', async () => {
  const { exchange, context, log } = opened();
  await play(exchange, [asked(), answerHeaders(), answerBody(came)]);
  assert.equal(context.budget.heldBodyBytes, came.length + 1);
  await exchange.abandon('stream_ended', '');
  assert.equal(context.budget.heldBodyBytes, 0);
  assert.equal(log.finished[0]?.outcome, 'aborted');
});
