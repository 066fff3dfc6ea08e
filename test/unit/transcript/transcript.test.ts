import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExchangeRecord, RecordBody } from '../../../extproc/exchange/record.ts';
import { assembleTranscript } from '../../../extproc/transcript/transcript.ts';
import { decidedOf, exchangeIdOf, finishedOf, startedOf } from './example.ts';

const exchangeId = exchangeIdOf(1);

function recordsOf(...bodies: RecordBody[]): ExchangeRecord[] {
  return bodies.map((body, at) => ({ exchangeId, timeMs: 1_000 + at, ...body }));
}

const started: RecordBody = { kind: 'started', started: startedOf() };
const finished: RecordBody = { kind: 'finished', finished: finishedOf() };
const answer: RecordBody = {
  kind: 'answer_started',
  answer: { status: 200, headers: [], codeDetails: 'via_upstream' },
};

test('the records of an exchange give its bodies in order, its verdict, its answer and its times', () => {
  const transcript = assembleTranscript(
    recordsOf(
      started,
      { kind: 'request_body', bytes: Buffer.from('one ') },
      { kind: 'request_body', bytes: Buffer.from('two') },
      { kind: 'request_trailers', headers: [['x', 'y']] },
      { kind: 'decided', decided: decidedOf() },
      answer,
      { kind: 'answer_body', bytes: Buffer.from('three ') },
      { kind: 'answer_body', bytes: Buffer.from('four') },
      { kind: 'answer_trailers', headers: [] },
      finished,
    ),
  );
  assert.ok(transcript !== null);
  assert.equal(Buffer.from(transcript.requestBody).toString(), 'one two');
  assert.equal(Buffer.from(transcript.answerBody).toString(), 'three four');
  assert.deepEqual(transcript.decided, decidedOf());
  assert.equal(transcript.answer?.status, 200);
  assert.deepEqual([transcript.exchangeId, transcript.startedMs, transcript.finishedMs], [exchangeId, 1_000, 1_009]);
});

test('without its start or its end an exchange is no transcript', () => {
  assert.equal(assembleTranscript([]), null);
  assert.equal(assembleTranscript(recordsOf(started, answer)), null);
  assert.equal(assembleTranscript(recordsOf(answer, finished)), null);
});

test('the first end counts: a second one changes neither outcome nor time', () => {
  const late: RecordBody = { kind: 'finished', finished: finishedOf({ outcome: 'interrupted' }) };
  const transcript = assembleTranscript(recordsOf(started, finished, late));
  assert.equal(transcript?.finished.outcome, 'complete');
  assert.equal(transcript?.finishedMs, 1_001);
});

test('the last verdict counts: a request that access allowed is judged again by its body', () => {
  const access: RecordBody = { kind: 'decided', decided: decidedOf({ stage: 'access' }) };
  const request: RecordBody = { kind: 'decided', decided: decidedOf({ verdict: 'deny' }) };
  assert.equal(assembleTranscript(recordsOf(started, access, request, finished))?.decided?.verdict, 'deny');
});

test('an exchange that was refused at once has no verdict, no answer and no bytes', () => {
  const transcript = assembleTranscript(recordsOf(started, finished));
  assert.ok(transcript !== null);
  assert.equal(transcript.decided, null);
  assert.equal(transcript.answer, null);
  assert.equal(transcript.requestBody.length + transcript.answerBody.length, 0);
});

test('of an answer that was broken off, what the caller was given is the answer, however much of it was loaded', () => {
  const cut: RecordBody = { kind: 'finished', finished: { ...finishedOf(), outcome: 'cut', unansweredBytes: 4 } };
  const records = recordsOf(started, answer, { kind: 'answer_body', bytes: Buffer.from('three four') }, cut);
  const whole = assembleTranscript(records);
  assert.deepEqual([Buffer.from(whole?.answerBody ?? []).toString(), whole?.answerBytes], ['three ', 6]);
  const partly = assembleTranscript(records, { request: 0, answer: 100 });
  assert.deepEqual([Buffer.from(partly?.answerBody ?? []).toString(), partly?.answerBytes], ['three four', 106]);
});
