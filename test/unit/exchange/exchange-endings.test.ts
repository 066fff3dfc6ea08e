import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamEnding } from '../../../extproc/exchange/broken-off.ts';
import { type EndReport, EndReports } from '../../../extproc/exchange/end-report.ts';
import type { Frame } from '../../../extproc/exchange/frame.ts';
import { type HeaderList, headerValue } from '../../../extproc/exchange/headers.ts';
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
import { createRig, play, settle } from './rig.ts';

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
const stopped: readonly Frame[] = [streamed, answerBody(eventDelta), answerBody(eventStop)];
const failed: readonly Frame[] = [streamed, answerBody(eventDelta + failure)];
const sizedWhole: readonly Frame[] = [answerHeaders({ headers: sized(2) }), answerBody('{}')];
const overloaded: readonly Frame[] = [answerHeaders({ status: 529 }), answerBody('{')];
const envoysOwn = answerHeaders({ status: 408, codeDetails: 'request_overall_timeout' });
const stopFirst = [...wholeRequest, streamed, answerBody(eventStop)];
const byClient: EndReport = { by: 'client', detail: 'DC downstream_remote_disconnect' };
const byUpstream: EndReport = { by: 'upstream', detail: 'UPE upstream_reset_after_response_started{protocol_error}' };
const byEnvoy: EndReport = { by: 'gateway', detail: 'DT max_stream_duration' };
const unknown = 'Envoy sent no report of who broke it off';

type Abandoned = { name: string; frames: readonly Frame[]; how: StreamEnding; report?: EndReport; ends: Outcome };
const abandoned: (Abandoned & { detail: string })[] = [
  ...(
    [
      ['a caller who leaves while the request is held', wholeRequest.slice(0, 2), undefined, 'client_aborted', ''],
      ['a stream that ends before the answer begins', wholeRequest, undefined, 'client_aborted', ''],
      ['a caller who leaves before the answer begins', wholeRequest, byClient, 'client_aborted', byClient.detail],
      ['an Envoy that gives a request up', wholeRequest, byEnvoy, 'cut', byEnvoy.detail],
      ['an answer that nobody says who broke off', [...wholeRequest, ...half], undefined, 'aborted', unknown],
      [
        'a caller who leaves inside the answer',
        [...wholeRequest, ...half],
        byClient,
        'client_aborted',
        byClient.detail,
      ],
      [
        'an upstream that breaks off inside the answer',
        [...wholeRequest, ...half],
        byUpstream,
        'upstream_aborted',
        byUpstream.detail,
      ],
      ['an answer that ran into a limit of Envoy', [...wholeRequest, ...half], byEnvoy, 'cut', byEnvoy.detail],
      ['a caller who leaves behind message_stop', [...wholeRequest, ...stopped], byClient, 'complete', ''],
      ['an upstream that breaks off behind message_stop', [...wholeRequest, ...stopped], byUpstream, 'complete', ''],
      ['a caller who leaves behind the last byte', [...wholeRequest, ...sizedWhole], byClient, 'complete', ''],
      [
        'a caller who leaves behind an error event',
        [...wholeRequest, ...failed],
        byClient,
        'upstream_error',
        'error event in the stream',
      ],
      [
        'a caller who leaves inside an error',
        [...wholeRequest, ...overloaded],
        byClient,
        'upstream_error',
        'via_upstream',
      ],
      [
        "a caller who leaves inside Envoy's own answer",
        [...wholeRequest.slice(0, 2), envoysOwn, answerBody('la')],
        undefined,
        'refused',
        'answered by Envoy: request_overall_timeout',
      ],
    ] as const
  ).map(([name, frames, report, ends, detail]) => ({
    ...{ name, frames, how: 'stream_ended' as const, ends, detail },
    ...(report && { report }),
  })),
  ...(
    [
      ['an answer that we cut', [...wholeRequest, ...half], 'cut', 'cut', 'why'],
      ['an answer that we cut behind its end', stopFirst, 'cut', 'complete', ''],
      ['a request held when the processor stops', wholeRequest.slice(0, 2), 'interrupted', 'interrupted', 'why'],
      ['an answer under way when the processor stops', [...wholeRequest, ...half], 'interrupted', 'interrupted', 'why'],
      [
        'an answer under way when Envoy dies',
        [...wholeRequest, ...half],
        'connection_lost',
        'interrupted',
        'the connection to Envoy was lost',
      ],
      [
        'a request held when Envoy dies',
        wholeRequest.slice(0, 2),
        'connection_lost',
        'interrupted',
        'the connection to Envoy was lost',
      ],
    ] as const
  ).map(([name, frames, how, ends, detail]) => ({ name, frames, how, ends, detail })),
  {
    name: 'an answer that Envoy reports before it resets the stream',
    ...{ frames: [...wholeRequest, ...half], how: 'connection_lost', report: byUpstream },
    ...{ ends: 'upstream_aborted', detail: byUpstream.detail },
  },
  {
    name: 'an answer that Envoy gave up because it had lost us',
    ...{ frames: [...wholeRequest, ...half], how: 'connection_lost', report: byEnvoy },
    ...{ ends: 'interrupted', detail: byEnvoy.detail },
  },
];

for (const { name, frames, how, report, ends, detail } of abandoned) {
  test(`${name} leaves the outcome ${ends}, once`, async () => {
    const { log, open, context, reports } = createRig();
    const exchange = open();
    await play(exchange, frames);
    if (report !== undefined) assert.ok(reports.take(exchange.id, report));
    await exchange.abandon(how, 'why');
    await exchange.abandon('cut', 'again');
    const answered = frames.find((frame) => frame.kind === 'response_headers');
    const status = answered === undefined ? null : Number(headerValue(answered.headers, ':status'));
    assert.deepEqual(log.finished, [{ outcome: ends, detail, status, localReply: '' }]);
    assert.deepEqual(context.budget, { openExchanges: 0, heldBodyBytes: 0 });
    const [action] = await play(exchange, [requestBody('', true)]);
    assert.notEqual(action?.kind, 'release', 'released after its end');
  });
}

test('a report that comes behind the end of the stream is waited for, and one of another exchange is not taken', async () => {
  const { log, open, context } = createRig();
  const reports = new EndReports({ maxWaitMs: 1_000_000 });
  context.endReports = reports;
  const exchange = open();
  await play(exchange, [...wholeRequest, ...half]);
  const over = exchange.abandon('stream_ended', '');
  await settle();
  assert.equal(log.finished.length, 0);
  assert.equal(reports.take(`${exchange.id.slice(0, -1)}x`, byUpstream), false);
  assert.equal(reports.take(exchange.id, byClient), true);
  assert.equal(reports.take(exchange.id, byUpstream), true, 'a second report');
  await over;
  assert.equal(log.finished[0]?.outcome, 'client_aborted');
  assert.equal(reports.take(exchange.id, byUpstream), false, 'a report behind the end');
});

test('a processor that stops waits for no report any longer', async () => {
  const { log, open, context } = createRig();
  const reports = new EndReports({ maxWaitMs: 1_000_000 });
  context.endReports = reports;
  const exchange = open();
  await play(exchange, [...wholeRequest, ...half]);
  const over = exchange.abandon('stream_ended', '');
  await settle();
  reports.close();
  await over;
  assert.equal(log.finished[0]?.outcome, 'aborted');
});

test('a report changes nothing about a request that is held, denied or complete: none is taken', async () => {
  for (const frames of [wholeRequest.slice(0, 2), [...wholeRequest, answerHeaders(), answerBody('{}', true)]]) {
    const { log, open, reports } = createRig();
    const exchange = open();
    await play(exchange, frames);
    const isTaken = reports.take(exchange.id, byUpstream);
    await exchange.abandon('stream_ended', '');
    assert.equal(isTaken, log.finished[0]?.outcome === 'complete');
    assert.notEqual(log.finished[0]?.outcome, 'upstream_aborted');
  }
});

test('the record tells how many bytes at its end the caller was not given', async () => {
  const { log, open } = createRig();
  const taken = open();
  await play(taken, [...wholeRequest, ...half]);
  await taken.abandon('cut', 'why', true);
  assert.equal(log.finished[0]?.unansweredBytes, eventDelta.length, 'nobody took the last chunk');

  const unsynced = createRig();
  const exchange = unsynced.open();
  await play(exchange, [...wholeRequest, ...half]);
  unsynced.log.onSync = () => Promise.reject(new Error('i/o error'));
  const [action] = await play(exchange, [answerBody(eventStop)]);
  assert.equal(action?.kind, 'cut');
  await exchange.abandon('cut', 'i/o error');
  assert.deepEqual(unsynced.log.finished[0], {
    ...{ outcome: 'cut', detail: 'i/o error', status: 200, localReply: '' },
    unansweredBytes: eventStop.length,
  });
});

test('the last chunk of an answer is recorded before it passes, and without its record the answer is cut', async () => {
  const { log, open } = createRig();
  const exchange = open();
  await play(exchange, [...wholeRequest, answerHeaders({ headers: sized(2) })]);
  log.failsAppend = (kind) => kind === 'answer_body';
  const [action] = await play(exchange, [answerBody('{}', true)]);
  assert.equal(action?.kind, 'cut');
  assert.equal(log.kinds().at(-1), 'answer_started');
  log.failsAppend = () => false;
  await exchange.abandon('cut', 'no space left on device');
  const detail = 'no space left on device';
  assert.deepEqual(log.finished, [{ outcome: 'cut', detail, status: 200, localReply: '' }]);
});

test('the end of an answer is written when its stream is over: the caller waits for nothing of it', async () => {
  for (const answer of [stopped, sizedWhole, [answerHeaders(), answerBody('{}')]]) {
    const { log, open } = createRig();
    const exchange = open();
    await play(exchange, [...wholeRequest, ...answer, answerBody('', true)]);
    assert.deepEqual(log.finished, []);
    await exchange.abandon('stream_ended', '');
    assert.deepEqual(log.finished, [{ outcome: 'complete', detail: '', status: 200, localReply: '' }]);
    assert.equal(log.events.at(-1), 'append finished');
  }
});

test('the last chunk of an answer that found nobody to take it is not said to be given', async () => {
  const { log, open } = createRig();
  const exchange = open();
  await play(exchange, [...wholeRequest, answerHeaders({ headers: sized(2) }), answerBody('{}', true)]);
  await exchange.abandon('stream_ended', '', true);
  const detail = unknown;
  assert.deepEqual(log.finished, [{ outcome: 'aborted', detail, status: 200, localReply: '', unansweredBytes: 2 }]);
});

test('an answer whose head says that nothing follows is whole with it, and waits for the disk', async () => {
  const gzipped: HeaderList = [...eventStream, ['content-encoding', 'gzip']];
  const head = [requestHeaders({ method: 'HEAD', path: '/v1/models', endOfStream: true })];
  const heads: [name: string, head: Parameters<typeof answerHeaders>[0], request?: readonly Frame[]][] = [
    ['of no length', { headers: sized(0) }],
    ['of status 204', { status: 204, headers: [] }],
    ['of status 304 with the length of another', { status: 304, headers: sized(9) }],
    ['of status 304 with the type of a stream', { status: 304, headers: eventStream }],
    ['to a HEAD, with the length of what GET would give', { headers: sized(9) }, head],
    ['to a HEAD, with the type and coding of what GET would give', { headers: gzipped }, head],
  ];
  for (const [name, head, request = wholeRequest] of heads) {
    const { log, open } = createRig();
    const exchange = open();
    await play(exchange, request);
    log.events.length = 0;
    await play(exchange, [answerHeaders(head)]);
    assert.deepEqual(log.events, ['append answer_started', 'sync', 'synced'], name);
    await play(exchange, [answerBody('', true)]);
    assert.equal(log.events.length, 3, `${name}: synced twice`);
    await exchange.abandon('stream_ended', '');
    assert.equal(log.finished[0]?.outcome, 'complete', name);
  }
});

test('an end that nobody took is no end', async () => {
  const { log, open } = createRig();
  const exchange = open();
  await play(exchange, stopFirst);
  await exchange.abandon('stream_ended', '', true);
  assert.equal(log.finished[0]?.outcome, 'aborted');
  assert.equal(log.finished[0]?.unansweredBytes, eventStop.length);
});

test("Envoy's own answer to a request that is still held is recorded as refused, and nothing is released", async () => {
  const { log, open } = createRig();
  const exchange = open();
  const timeout = answerHeaders({ status: 408, codeDetails: 'request_overall_timeout' });
  const actions = await play(exchange, [requestHeaders(), requestBody('{'), timeout, answerBody('late', true)]);
  assert.deepEqual(
    actions.map(({ kind }) => kind),
    ['wait', 'wait', 'continue_response_headers', 'continue_response_body'],
  );
  await exchange.abandon('stream_ended', '');
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

test('a stream of the legacy completions is complete when it said why it stopped, and waits for the disk with that', async () => {
  const asked = { model: 'claude-2.1', prompt: '\n\nHuman: Hi\n\nAssistant:', max_tokens_to_sample: 5, stream: true };
  const sent = [requestHeaders({ path: '/v1/complete' }), requestBody(JSON.stringify(asked)), requestBody('', true)];
  const event = (fields: object) => `event: completion\ndata: ${JSON.stringify({ type: 'completion', ...fields })}\n\n`;
  const going = event({ completion: ' Hi', stop_reason: null });
  const last = event({ completion: '', stop_reason: 'stop_sequence' });
  for (const [pieces, outcome, syncs] of [
    [[going, last], 'complete', 1],
    [[going, going], 'upstream_aborted', 0],
  ] as const) {
    const rig = createRig();
    const exchange = rig.open();
    await play(exchange, [...sent, streamed]);
    const before = rig.log.events.filter((each) => each === 'sync').length;
    await play(
      exchange,
      pieces.map((piece) => answerBody(piece)),
    );
    assert.equal(rig.log.events.filter((each) => each === 'sync').length - before, syncs);
    await play(exchange, [answerBody('', true)]);
    await exchange.abandon('stream_ended', '');
    assert.equal(rig.log.ofKind('finished')[0]?.finished.outcome, outcome);
  }
});
