import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CountedExchange } from '../../../extproc/exchange/totals.ts';
import { Totals } from '../../../extproc/exchange/totals.ts';
import { answerBody, answerHeaders, eventStream, wholeRequest } from './frames.ts';
import { allow, createRig, deny, play } from './rig.ts';

const none = { requests: 0, inputTokens: 0, outputTokens: 0, spend: 0, unpricedRequests: 0 };
const start =
  'event: message_start\ndata: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":9}}}\n\n';
const end =
  'event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":5}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n';

function countingRig() {
  const rig = createRig();
  const sums = new Totals({ ofPerson: () => none, ofSession: () => none }, true);
  const noted: CountedExchange[] = [];
  rig.context.totals = {
    factsFor: (exchange, nowMs) => sums.factsFor(exchange, nowMs),
    note(exchange) {
      noted.push(exchange);
      sums.note(exchange);
    },
    priceOf: () => 0.25,
  };
  rig.judge.looksAtTotals = true;
  return { ...rig, noted };
}

test('the next request is told of the one before, from its release on and with its answer', async () => {
  const { judge, open } = countingRig();
  const first = open();
  await play(first, wholeRequest);
  await play(open(), wholeRequest);
  await play(first, [answerHeaders({ headers: eventStream }), answerBody(start), answerBody(end, true)]);
  await play(open(), wholeRequest);
  const told = judge.requestInputs.map(({ totals }) => totals);
  assert.deepEqual(
    told.map(({ day }) => [day.requests, day.input_tokens, day.output_tokens, day.spend]),
    [
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [2, 9, 5, 0.25],
    ],
  );
  assert.ok(told.every(({ counted }) => counted));
});

test('what is denied uses nothing, and an answer that breaks off is counted once', async () => {
  const { judge, noted, open } = countingRig();
  judge.requestVerdict = () => deny;
  await play(open(), wholeRequest);
  assert.equal(noted.length, 0);
  judge.requestVerdict = () => allow;
  const broken = open();
  await play(broken, [...wholeRequest, answerHeaders({ headers: eventStream }), answerBody(start)]);
  await broken.abandon('stream_ended', 'the stream was reset');
  assert.equal(noted.length, 2);
  assert.deepEqual([noted[1]?.counted.requests, noted[1]?.counted.inputTokens], [0, 9]);
});

test('where no rule looks nothing is counted, and the input says so', async () => {
  const { judge, noted, open } = countingRig();
  judge.looksAtTotals = false;
  await play(open(), [
    ...wholeRequest,
    answerHeaders({ headers: eventStream }),
    answerBody(start),
    answerBody(end, true),
  ]);
  assert.deepEqual([noted, judge.requestInputs[0]?.totals.counted], [[], false]);
});
