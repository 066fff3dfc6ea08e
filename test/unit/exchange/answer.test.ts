import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerHandling } from '../../../extproc/exchange/answer.ts';
import { Answer, isFromUpstream } from '../../../extproc/exchange/answer.ts';
import type { Frame } from '../../../extproc/exchange/frame.ts';
import { Ledger } from '../../../extproc/exchange/ledger.ts';
import { answerBody, answerHeaders, eventDelta, eventStream } from './frames.ts';
import { FakeLog, nowMs } from './rig.ts';

const exchangeId = '019bc0de-0000-7000-8000-000000000001';

const plain: AnswerHandling = { method: 'POST', grammar: 'messages', changed: null, learning: null, counting: null };

function take(headers: Parameters<typeof answerHeaders>[0] = {}, handling: Partial<AnswerHandling> = {}) {
  const log = new FakeLog();
  const frame = answerHeaders(headers);
  const answer = new Answer(frame, new Ledger(log, { nowMs: () => nowMs }, exchangeId), { ...plain, ...handling });
  const all = async (frames: readonly Frame[]) => {
    for (const each of [frame, ...frames]) await answer.take(each, { last: false, released: true, setHeaders: {} });
    return log;
  };
  return { answer, all };
}

test('the exact bytes are recorded, and an empty chunk leaves no record', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const log = await take().all([answerBody(bytes), answerBody(''), answerBody('x')]);
  assert.deepEqual(
    log.ofKind('answer_body').map(({ bytes: recorded }) => Buffer.from(recorded)),
    [bytes, Buffer.from('x')],
  );
});

test('the headers of an answer are recorded without credentials, with the reason that Envoy gives', async () => {
  const log = await take({
    status: 429,
    headers: [
      ['set-cookie', 'planted'],
      ['retry-after', '7'],
    ],
  }).all([]);
  assert.deepEqual(log.ofKind('answer_started')[0]?.answer, {
    status: 429,
    headers: [
      [':status', '429'],
      ['set-cookie', '[not recorded]'],
      ['retry-after', '7'],
    ],
    codeDetails: 'via_upstream',
  });
});

test('after the end of an event stream every further chunk waits for the disk too', async () => {
  const stop = 'event: message_stop\r\ndata: {}\r\n\r\n';
  const log = await take({ headers: eventStream }).all([eventDelta, stop, 'x', 'y'].map((text) => answerBody(text)));
  assert.equal(log.events.filter((event) => event === 'sync').length, 3);
});

test('a length that is none ends nothing, and the status of an answer without one is 0', async () => {
  for (const length of ['x', '-1', '1e9', '', ' ']) {
    const log = await take({ headers: [['content-length', length]] }).all([answerBody('abc')]);
    assert.equal(log.events.includes('sync'), false, length);
  }
  const bare = { ...answerHeaders(), headers: [] };
  const { status } = new Answer(bare, new Ledger(new FakeLog(), { nowMs: () => nowMs }, exchangeId), plain);
  assert.equal(status, 0);
});

test("only an answer with a reason of Envoy's own is Envoy's", () => {
  const reasons: [codeDetails: unknown, fromUpstream: boolean][] = [
    ['via_upstream', true],
    ['', true],
    [undefined, true],
    [null, true],
    ['path_normalization_failed', false],
    ['upstream_reset_before_response_started', false],
  ];
  for (const [codeDetails, expected] of reasons) {
    const attributes = codeDetails === undefined ? {} : { 'response.code_details': codeDetails };
    assert.equal(isFromUpstream({ ...answerHeaders(), attributes }), expected, String(codeDetails));
  }
});
