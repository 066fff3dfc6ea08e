import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Action, Frame } from '../../../extproc/exchange/frame.ts';
import { closeInterrupted } from '../../../extproc/exchange/interrupted.ts';
import type { ExchangeRecord } from '../../../extproc/exchange/record.ts';
import {
  answerBody,
  answerHeaders,
  eventDelta,
  eventStop,
  eventStream,
  question,
  requestBody,
  requestHeaders,
  wholeRequest,
} from './frames.ts';
import { allow, createRig, deny, Gate, play, settle } from './rig.ts';

const soonMs = 1;

function detailsOf(action: Action | undefined): string {
  assert.ok(action?.kind === 'local_reply', `not answered by us: ${action?.kind}`);
  assert.equal(action.reply.status, 503);
  return action.reply.details;
}

test('a disk that does not sync refuses the request in time, and its late sync releases nothing', async () => {
  const { log, open, context } = createRig({ decisionTimeoutMs: soonMs });
  const exchange = open();
  const gate = log.stallSync();
  const actions = await play(exchange, wholeRequest);
  assert.equal(detailsOf(actions.at(-1)), 'skilltape_refused_decision_timeout');
  assert.equal(context.budget.heldBodyBytes, 0);
  gate.open();
  await settle();
  assert.deepEqual(await exchange.accept(requestBody('', true)), { kind: 'wait' });
  await exchange.abandon('stream_ended', '');
  assert.deepEqual(
    log.finished.map(({ outcome, detail }) => [outcome, detail]),
    [['refused', 'decision_timeout']],
  );
});

test('a sync that fails after the request was refused for being late does no harm', async () => {
  const { log, open } = createRig({ decisionTimeoutMs: soonMs });
  const exchange = open();
  const gate = log.stallSync();
  await play(exchange, wholeRequest);
  gate.break(new Error('i/o error'));
  await settle();
  await exchange.abandon('stream_ended', '');
  assert.equal(log.finished.length, 1);
});

const heldRecords: readonly ExchangeRecord['kind'][] = ['started', 'request_body', 'decided'];
for (const stalled of heldRecords) {
  test(`a disk that takes no ${stalled} record refuses the request in time, and judges nothing later`, async () => {
    const { log, judge, open } = createRig({ decisionTimeoutMs: soonMs });
    const exchange = open();
    const gate = new Gate();
    log.onAppend = async (kind) => (kind === stalled ? gate.passed : undefined);
    const actions = await play(exchange, wholeRequest);
    assert.equal(detailsOf(actions.at(-1)), 'skilltape_refused_decision_timeout');
    const judged = judge.requestInputs.length;
    judge.accessVerdict = () => deny;
    gate.open();
    await settle();
    assert.equal(judge.requestInputs.length, judged);
    await exchange.abandon('stream_ended', '');
    assert.equal(log.kinds().at(-1), 'finished', 'a record came behind the end');
    assert.equal(log.finished.length, 1);
  });
}

test('a denial whose sync is late is given in time, and its record says what the caller heard', async () => {
  const { log, judge, open } = createRig({ decisionTimeoutMs: soonMs });
  judge.accessVerdict = () => deny;
  log.stallSync();
  const action = await open().accept(requestHeaders());
  assert.ok(action.kind === 'local_reply');
  assert.deepEqual([action.reply.status, action.reply.details], [403, 'skilltape_denied']);
  assert.deepEqual(
    log.finished.map(({ outcome, status }) => [outcome, status]),
    [['denied', 403]],
  );
});

for (const failing of heldRecords) {
  test(`a request whose ${failing} record cannot be written is refused with 503, and the fault is told`, async () => {
    const { log, open, faults, context } = createRig();
    log.failsAppend = (kind) => kind === failing;
    const exchange = open();
    const actions = await play(exchange, wholeRequest);
    assert.equal(detailsOf(actions.at(-1)), 'skilltape_refused_journal_unavailable');
    assert.deepEqual(
      faults.map(({ message }) => message),
      ['no space left on device'],
    );
    await exchange.abandon('stream_ended', '');
    assert.equal(log.finished.length, failing === 'started' ? 0 : 1, 'an end without a start');
    assert.deepEqual(context.budget, { openExchanges: 0, heldBodyBytes: 0 });
  });
}

test('a request whose sync fails is refused, and its caller is not told why', async () => {
  const { log, open, faults } = createRig();
  log.onSync = () => Promise.reject(new Error('fdatasync: i/o error on /dev/sda'));
  const actions = await play(open(), wholeRequest);
  const action = actions.at(-1);
  assert.equal(detailsOf(action), 'skilltape_refused_journal_unavailable');
  assert.doesNotMatch(JSON.stringify(action), /sda/);
  assert.match(faults[0]?.message ?? '', /sda/);
});

test('a body whose reading fails is refused for good, and the operator is told why', async () => {
  for (const read of [
    () => Promise.reject(new Error('the thread ended')),
    () => {
      throw new Error('the thread ended');
    },
  ]) {
    const { open, faults, context, log } = createRig();
    context.reader = { read };
    const actions = await play(open(), wholeRequest);
    const action = actions.at(-1);
    assert.ok(action?.kind === 'local_reply');
    assert.equal(action.reply.status, 400);
    assert.doesNotMatch(JSON.stringify(action), /the thread ended/);
    assert.deepEqual(
      faults.map(({ message }) => message),
      ['the thread ended'],
    );
    assert.deepEqual(
      log.finished.map(({ outcome }) => outcome),
      ['refused'],
    );
  }
});

test('a policy that throws refuses the request', async () => {
  for (const stage of ['accessVerdict', 'requestVerdict'] as const) {
    const { judge, open } = createRig();
    judge[stage] = () => {
      throw { not: 'an error' };
    };
    const actions = await play(open(), wholeRequest);
    assert.ok(actions.some(({ kind }) => kind === 'local_reply'));
    assert.ok(actions.every(({ kind }) => kind !== 'release'));
  }
});

const answering: [kind: ExchangeRecord['kind'], frames: readonly Frame[]][] = [
  ['answer_started', [answerHeaders(), answerBody('{}')]],
  ['answer_started', [answerHeaders(), answerBody('', true)]],
  ['answer_started', [answerHeaders({ endOfStream: true })]],
  ['answer_started', [answerHeaders({ headers: [['content-length', '0']] })]],
  ['answer_started', [answerHeaders(), { kind: 'response_trailers', headers: [] }]],
  ['answer_body', [answerHeaders(), answerBody('{}')]],
  ['answer_trailers', [answerHeaders(), answerBody('{}', true)]],
  ['answer_trailers', [answerHeaders(), answerBody('{}'), { kind: 'response_trailers', headers: [] }]],
];
for (const [failing, frames] of answering) {
  const seen = frames.map(({ kind }) => kind).join(', ');
  test(`an answer (${seen}) whose ${failing} record cannot be written is cut, and the next record says so`, async () => {
    const { log, open, context } = createRig();
    const exchange = open();
    await play(exchange, wholeRequest);
    log.failsAppend = (kind) => kind === failing;
    const actions = await play(exchange, frames);
    assert.deepEqual(actions.at(-1), { kind: 'cut', reason: 'no space left on device' });
    assert.ok(actions.slice(0, -1).every(({ kind }) => kind.startsWith('continue_')));
    log.failsAppend = () => false;
    await exchange.abandon('cut', 'no space left on device');
    assert.deepEqual(
      log.finished.map(({ outcome }) => outcome),
      ['cut'],
    );
    assert.deepEqual(context.budget, { openExchanges: 0, heldBodyBytes: 0 });
  });
}

test('behind the lost head of an answer no chunk passes, although its own record is written', async () => {
  const { log, open } = createRig();
  const exchange = open();
  await play(exchange, wholeRequest);
  log.failsAppend = (kind) => kind === 'answer_started';
  const frames = [
    answerHeaders({ headers: eventStream }),
    ...[eventDelta, eventDelta, eventStop].map((text) => answerBody(text)),
  ];
  const [head, ...chunks] = await play(exchange, frames);
  assert.equal(head?.kind, 'continue_response_headers');
  assert.ok(chunks.every(({ kind }) => kind === 'cut'));
  log.failsAppend = () => false;
  await exchange.abandon('cut', 'no space left on device');
  assert.deepEqual(log.finished, [
    {
      ...{ outcome: 'cut', detail: 'no space left on device', status: 200, localReply: '' },
      unansweredBytes: eventDelta.length,
    },
  ]);
});

test('the head of an answer does not wait for its record, and no chunk passes before both are written', async () => {
  const { log, open } = createRig();
  const exchange = open();
  await play(exchange, wholeRequest);
  const gate = new Gate();
  log.onAppend = (kind) => (kind === 'answer_started' ? gate.passed : Promise.resolve());
  const [head] = await play(exchange, [answerHeaders({ headers: eventStream })]);
  assert.equal(head?.kind, 'continue_response_headers');
  let isAnswered = false;
  const chunk = Promise.resolve(exchange.accept(answerBody(eventDelta))).then((action) => {
    isAnswered = true;
    return action;
  });
  await settle();
  assert.equal(isAnswered, false);
  gate.open();
  assert.deepEqual(await chunk, { kind: 'continue_response_body' });
});

test('an end that cannot be written takes nothing from the caller, and the next start ends the exchange as whole', async () => {
  for (const answer of [
    [answerHeaders({ headers: eventStream }), answerBody(eventStop), answerBody('', true)],
    [answerHeaders(), answerBody('{}', true)],
  ]) {
    const { log, open, context, ended } = createRig();
    const exchange = open();
    await play(exchange, wholeRequest);
    log.failsAppend = (kind) => kind === 'finished';
    const actions = await play(exchange, answer);
    assert.ok(actions.every(({ kind }) => kind.startsWith('continue_')));
    await assert.rejects(exchange.abandon('stream_ended', ''), /no space left/);
    assert.deepEqual(ended, []);
    assert.deepEqual(context.budget, { openExchanges: 0, heldBodyBytes: 0 });
    log.failsAppend = () => false;
    const records = log.payloads.map((payload) => ({ payload }));
    await closeInterrupted(Readable.from(records), log, context.clock);
    const detail = 'the processor ended behind the whole answer';
    assert.deepEqual(log.finished, [{ outcome: 'complete', detail, status: 200, localReply: '' }]);
  }
});

test('a denial that cannot be synced is not answered as one', async () => {
  const { log, judge, open } = createRig();
  judge.accessVerdict = () => deny;
  log.onSync = () => Promise.reject(new Error('i/o error'));
  assert.deepEqual(await open().accept(requestHeaders()), { kind: 'cut', reason: 'i/o error' });
});

test('places are given back when the end cannot be recorded', async () => {
  const { log, open, context } = createRig();
  const exchange = open();
  await play(exchange, [requestHeaders(), requestBody(question)]);
  log.failsAppend = () => true;
  await assert.rejects(exchange.abandon('stream_ended', ''), /no space left/);
  assert.deepEqual(context.budget, { openExchanges: 0, heldBodyBytes: 0 });
});

test('requests that come all at once do not keep the thread from others for as long as they all take', async () => {
  const { judge, open } = createRig();
  judge.accessVerdict = () => {
    const end = performance.now() + 20;
    while (performance.now() < end);
    return allow;
  };
  let turns = 0;
  let next = setImmediate(function again() {
    turns += 1;
    next = setImmediate(again);
  });
  await Promise.all(Array.from({ length: 12 }, () => open().accept(requestHeaders())));
  clearImmediate(next);
  assert.ok(turns >= 3, `${turns} turns in the time of 12 judgements`);
});
