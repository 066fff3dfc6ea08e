import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from '../../../extproc/exchange/frame.ts';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import type { Outcome } from '../../../extproc/exchange/outcome.ts';
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
import { createRig, play } from './rig.ts';

const sized = (length: number): HeaderList => [
  ['content-type', 'application/json'],
  ['content-length', String(length)],
];
const streamed = answerHeaders({ headers: eventStream });
const failure = 'event: error\ndata: {"type":"error"}\n\n';

const endings: [name: string, frames: readonly Frame[], outcome: Outcome, detail: string, status: number | null][] = [
  [
    'a stream with message_stop',
    [streamed, answerBody(eventDelta + eventStop), answerBody('', true)],
    'complete',
    '',
    200,
  ],
  [
    'a body of its announced length',
    [answerHeaders({ headers: sized(2) }), answerBody('{}', true)],
    'complete',
    '',
    200,
  ],
  ['a body of unknown length', [answerHeaders(), answerBody('{}'), answerBody('', true)], 'complete', '', 200],
  ['an answer without a body', [answerHeaders({ status: 204, headers: [], endOfStream: true })], 'complete', '', 204],
  [
    'an encoded answer',
    [answerHeaders({ headers: [...eventStream, ['content-encoding', 'br']] }), answerBody('\x8b', true)],
    'complete',
    '',
    200,
  ],
  [
    'a stream without message_stop',
    [streamed, answerBody(eventDelta, true)],
    'upstream_aborted',
    'the answer ended before its proper end',
    200,
  ],
  [
    'a body shorter than announced',
    [answerHeaders({ headers: sized(3) }), answerBody('{}', true)],
    'upstream_aborted',
    'the answer ended before its proper end',
    200,
  ],
  [
    'a stream with an error event',
    [streamed, answerBody(eventDelta + failure), answerBody('', true)],
    'upstream_error',
    'error event in the stream',
    200,
  ],
  ['an error status', [answerHeaders({ status: 529 }), answerBody('{}', true)], 'upstream_error', 'via_upstream', 529],
  [
    'an upstream that cannot be reached',
    [answerHeaders({ status: 503, codeDetails: 'upstream_reset_before_response_started' }), answerBody('', true)],
    'upstream_error',
    'upstream_reset_before_response_started',
    503,
  ],
];

for (const [name, frames, outcome, detail, status] of endings) {
  test(`${name} ends as ${outcome}, whatever comes after`, async () => {
    const { log, open } = createRig();
    const exchange = open();
    const actions = await play(exchange, [...wholeRequest, ...frames]);
    assert.ok(actions.slice(wholeRequest.length).every(({ kind }) => kind.startsWith('continue_')));
    await exchange.abandon('stream_ended', 'Premature close');
    assert.deepEqual(log.finished, [{ outcome, detail, status, localReply: '' }]);
  });
}

const half: readonly Frame[] = [streamed, answerBody(eventDelta)];
const abandoned: [name: string, frames: readonly Frame[], how: 'stream_ended' | 'cut' | 'interrupted', Outcome][] = [
  ['a caller who leaves while the request is held', wholeRequest.slice(0, 2), 'stream_ended', 'client_aborted'],
  ['a caller who leaves before the answer begins', wholeRequest, 'stream_ended', 'client_aborted'],
  ['a stream that ends inside the answer', [...wholeRequest, ...half], 'stream_ended', 'aborted'],
  ['an answer that we cut', [...wholeRequest, ...half], 'cut', 'cut'],
  ['a request that is held when the processor stops', wholeRequest.slice(0, 2), 'interrupted', 'interrupted'],
  ['an answer that is under way when the processor stops', [...wholeRequest, ...half], 'interrupted', 'interrupted'],
];

for (const [name, frames, how, outcome] of abandoned) {
  test(`${name} leaves the outcome ${outcome}, once`, async () => {
    const { log, open, context } = createRig();
    const exchange = open();
    await play(exchange, frames);
    await exchange.abandon(how, 'why');
    await exchange.abandon('cut', 'again');
    const status = frames.includes(streamed) ? 200 : null;
    assert.deepEqual(log.finished, [{ outcome, detail: 'why', status, localReply: '' }]);
    assert.deepEqual(context.budget, { openExchanges: 0, heldBodyBytes: 0 });
    const [action] = await play(exchange, [requestBody('', true)]);
    assert.notEqual(action?.kind, 'release', 'released after its end');
  });
}

test("Envoy's own answer to a request that is still held is recorded as refused, and nothing is released", async () => {
  const { log, open } = createRig();
  const exchange = open();
  const timeout = answerHeaders({ status: 408, codeDetails: 'request_overall_timeout' });
  const actions = await play(exchange, [requestHeaders(), requestBody('{'), timeout, answerBody('late', true)]);
  assert.deepEqual(
    actions.map(({ kind }) => kind),
    ['wait', 'wait', 'continue_response_headers', 'continue_response_body'],
  );
  const detail = 'answered by Envoy: request_overall_timeout';
  assert.deepEqual(log.finished, [{ outcome: 'refused', detail, status: 408, localReply: '' }]);
});

test("an upstream's answer to a request that is still held is cut: something let the request pass us by", async () => {
  for (const codeDetails of ['via_upstream', '']) {
    const { log, open } = createRig();
    const exchange = open();
    const actions = await play(exchange, [
      requestHeaders(),
      answerHeaders({ codeDetails }),
      requestBody(question, true),
    ]);
    assert.deepEqual(
      actions.map(({ kind }) => kind),
      ['wait', 'cut', 'cut'],
    );
    await exchange.abandon('cut', 'why');
    assert.equal(log.finished[0]?.outcome, 'cut');
  }
});

test('an answer without a request passes only when Envoy says that it made it', async () => {
  const own = [answerHeaders({ status: 400, codeDetails: 'path_normalization_failed' }), answerBody('{}', true)];
  const { log, open } = createRig();
  const actions = await play(open(), own);
  assert.deepEqual(actions, [
    { kind: 'continue_response_headers', setHeaders: {} },
    { kind: 'continue_response_body' },
  ]);
  assert.deepEqual(log.events, []);
  for (const codeDetails of ['via_upstream', '']) {
    const [action] = await play(createRig().open(), [answerHeaders({ codeDetails })]);
    assert.equal(action?.kind, 'cut');
  }
  const nameless = { ...answerHeaders(), attributes: {} };
  assert.equal((await createRig().open().accept(nameless)).kind, 'cut');
});

test('after an answer without a request no request is taken any more', async () => {
  const exchange = createRig().open();
  await exchange.accept(answerHeaders({ status: 400, codeDetails: 'path_normalization_failed' }));
  const actions = await play(exchange, wholeRequest);
  assert.ok(actions.every(({ kind }) => kind === 'cut'));
});
