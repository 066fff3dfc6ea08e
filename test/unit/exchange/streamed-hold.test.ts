import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { ApprovalDecision } from '../../../extproc/exchange/approval-desk.ts';
import { EndReports } from '../../../extproc/exchange/end-report.ts';
import type { Exchange } from '../../../extproc/exchange/exchange.ts';
import type { Action } from '../../../extproc/exchange/frame.ts';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import { closeInterrupted } from '../../../extproc/exchange/interrupted.ts';
import type { Verdict } from '../../../extproc/exchange/ports.ts';
import type { Finished } from '../../../extproc/exchange/record.ts';
import { ReleasePasses } from '../../../extproc/exchange/release-pass.ts';
import type { ReleasedRequest, ReleaseResult, Releaser } from '../../../extproc/exchange/releaser.ts';
import { type StreamedHoldLimits, StreamedHolds } from '../../../extproc/exchange/streamed-holds.ts';
import { usedPasses } from '../../builders/used-passes.ts';
import { requestBody, requestHeaders } from './frames.ts';
import { createRig, FakeLog, type Rig, settle } from './rig.ts';

const hold: Verdict = { verdict: 'hold', reasons: [{ rule: 'request/risky', message: 'Risky.' }] };
const granted: ApprovalDecision = { kind: 'granted', ticket: 't-1', approvedBy: ['grace'] };
const usual: StreamedHoldLimits = {
  ...{ holdsMax: 2, heldMaxBytes: 1_000, maxMs: 1_000_000, commentIntervalMs: 1_000_000, answerMaxBytes: 1_000 },
};
const whole =
  'event: message_start\ndata: {"type":"message_start"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n';
const sse: HeaderList = [['content-type', 'text/event-stream']];

/** An upstream that answers what a test says. */
class FakeReleaser implements Releaser {
  readonly sent: (ReleasedRequest & { text: string })[] = [];
  readonly events: string[];
  result: (signal: AbortSignal) => Promise<ReleaseResult> = async () => answered(200, [whole]);
  isAborted = false;

  constructor(events: string[]) {
    this.events = events;
  }

  async send(request: ReleasedRequest, signal: AbortSignal): Promise<ReleaseResult> {
    this.events.push('sent');
    signal.addEventListener('abort', () => {
      this.isAborted = true;
    });
    const chunks = await Array.fromAsync(request.body);
    this.sent.push({ ...request, text: Buffer.concat(chunks).toString() });
    return this.result(signal);
  }
}

function answered(status: number, pieces: readonly (string | Error)[], headers = sse): ReleaseResult {
  const waiting = [...pieces];
  const next = async () => {
    const piece = waiting.shift();
    if (piece instanceof Error) throw piece;
    return piece === undefined ? null : Buffer.from(piece);
  };
  return { kind: 'answered', answer: { status, headers, next, abort: () => {} } };
}

function question(more: object = { stream: true }): string {
  return JSON.stringify({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }], ...more });
}

function streaming(limits: Partial<StreamedHoldLimits> = {}) {
  const rig = createRig();
  rig.judge.requestVerdict = () => hold;
  const releaser = new FakeReleaser(rig.log.events);
  const holds = new StreamedHolds({ ...usual, ...limits });
  const passes = new ReleasePasses(rig.context.keyedHash, rig.context.clock, usedPasses());
  rig.context.streamed = { holds, passes, releaser };
  return { rig, releaser, holds, passes };
}

async function begin(rig: Rig, body = question(), headers: HeaderList = []) {
  const exchange = rig.open();
  await exchange.accept(requestHeaders({ headers: [[':authority', 'gateway'], ...headers] }));
  const action = exchange.accept(requestBody(body, true));
  await settle();
  return { exchange, action };
}

type Read = { text: string; fault: string | null };

/** Takes the pieces as a stream of Envoy does, and ends the exchange. */
async function read(exchange: Exchange, action: Action): Promise<Read> {
  assert.ok(action.kind === 'streamed_reply', action.kind);
  let text = '';
  let fault: string | null = null;
  try {
    for await (const piece of action.body) text += Buffer.from(piece).toString();
  } catch (thrown) {
    fault = String(thrown);
  }
  await exchange.abandon(fault === null ? 'stream_ended' : 'cut', fault ?? '');
  return { text, fault };
}

function recordedAnswer(rig: Rig): string {
  return Buffer.concat(rig.log.ofKind('answer_body').map(({ bytes }) => bytes)).toString();
}

test('the answer begins when the ticket is on disk, and the request goes upstream when the approval is', async () => {
  const { rig, releaser, holds } = streaming();
  const { exchange, action } = await begin(rig);
  const begun = await action;
  assert.ok(begun.kind === 'streamed_reply');
  assert.deepEqual(rig.log.events.slice(-2), ['asked', 'append answer_started']);
  assert.equal(begun.headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.equal(begun.accessLog.verdict, 'held');
  const reading = read(exchange, begun);
  await settle();
  assert.deepEqual([holds.open, holds.waiting], [1, 1]);
  assert.equal(releaser.sent.length, 0);
  const upstream = Promise.withResolvers<ReleaseResult>();
  releaser.result = () => upstream.promise;
  rig.desk.decide(granted);
  await settle();
  assert.deepEqual([holds.open, holds.waiting], [1, 0], 'it is being answered');
  upstream.resolve(answered(200, [whole]));
  const { text, fault } = await reading;
  assert.equal(fault, null);
  assert.equal(text, `: held for an approval, ticket t-1\n\n: approved\n\n${whole}`);
  assert.equal(recordedAnswer(rig), text);
  const sentAt = rig.log.events.indexOf('sent');
  assert.deepEqual(rig.log.events.slice(sentAt - 3, sentAt), ['append decided', 'sync', 'synced']);
  assert.deepEqual(rig.log.events.slice(-3), ['append finished', 'sync', 'synced']);
  assert.equal(releaser.sent[0]?.text, question());
  assert.equal(rig.log.finished[0]?.outcome, 'complete');
  assert.deepEqual(rig.log.ofKind('upstream_answered')[0]?.upstream.headers, sse);
  assert.deepEqual([holds.open, holds.waiting], [0, 0]);
});

test('what goes upstream has the headers of the caller, without credentials and those of one connection', async () => {
  const { rig, releaser } = streaming();
  const headers: HeaderList = [
    ...([
      ['anthropic-beta', 'a'],
      ['anthropic-beta', 'b'],
      ['authorization', 'Bearer x'],
      ['x-api-key', 'y'],
    ] as const),
    ...([
      ['cookie', 'z'],
      ['accept-encoding', 'gzip'],
      ['te', 'trailers'],
      ['expect', '100-continue'],
    ] as const),
    ...([
      ['content-length', '7'],
      ['x-skilltape-release', 'forged'],
    ] as const),
  ];
  const { exchange, action } = await begin(rig, question(), headers);
  const reading = read(exchange, await action);
  rig.desk.decide(granted);
  await reading;
  const [sent] = releaser.sent;
  const [pass, ...others] = (sent?.headers ?? []).toReversed();
  assert.equal(pass?.[0], 'x-skilltape-release');
  assert.match(pass?.[1] ?? '', new RegExp(`^${exchange.id}\\.\\d+\\.[0-9a-f]{64}$`));
  assert.deepEqual(others.toReversed(), [
    ['host', 'gateway'],
    ['content-type', 'application/json'],
    ['x-request-id', 'r-1'],
    ['anthropic-beta', 'a'],
    ['anthropic-beta', 'b'],
    ['accept-encoding', 'identity'],
    ['content-length', String(question().length)],
  ]);
});

test('comments come as long as people are asked, and as long as the upstream does not answer', async () => {
  const { rig, releaser } = streaming({ commentIntervalMs: 1 });
  const upstream = Promise.withResolvers<ReleaseResult>();
  releaser.result = () => upstream.promise;
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 30));
  await pause();
  rig.desk.decide(granted);
  await pause();
  upstream.resolve(answered(200, [whole]));
  const { text } = await reading;
  assert.ok((text.match(/: held for/g) ?? []).length > 2, text);
  assert.ok((text.match(/: approved/g) ?? []).length > 2, text);
  assert.equal(recordedAnswer(rig), text);
});

const ends: [string, ApprovalDecision | null, string, RegExp][] = [
  [
    'denied',
    { kind: 'denied', ticket: 't-1', reason: 'not with keys' },
    'denied',
    /permission_error.*not with keys.*dlp_/,
  ],
  ['expired', { kind: 'expired', ticket: 't-1' }, 'expired', /permission_error.*Nobody decided.*dlp_request_denied/],
  ['not decided when the gateway stops', null, 'held', /overloaded_error.*t-1/],
];
for (const [name, decision, outcome, event] of ends) {
  test(`what is ${name} ends with an error event, and nothing goes upstream`, async () => {
    const { rig, releaser } = streaming();
    const { exchange, action } = await begin(rig);
    const reading = read(exchange, await action);
    await settle();
    rig.desk.decide(decision);
    const { text } = await reading;
    assert.match(text, /\n\nevent: error\ndata: \{.*\}\n\n$/);
    assert.match(text, event);
    assert.equal(recordedAnswer(rig), text);
    assert.deepEqual([rig.log.finished[0]?.outcome, rig.log.finished[0]?.status], [outcome, 200]);
    assert.deepEqual(releaser.sent, []);
    assert.equal(rig.log.events.at(-1), 'synced');
  });
}

test('after its longest time a hold ends with an error that asks to come again, and its ticket stays', async () => {
  const { rig } = streaming({ maxMs: 5 });
  const { exchange, action } = await begin(rig);
  const { text } = await read(exchange, await action);
  assert.match(text, /event: error\n.*overloaded_error.*t-1/);
  assert.deepEqual(rig.desk.leavers, [exchange.id]);
});

const silent: [string, string, Partial<StreamedHoldLimits>][] = [
  ['is no stream', question({}), {}],
  ['would be one too many', question(), { holdsMax: 0 }],
  ['would keep too many bytes', question(), { heldMaxBytes: 10 }],
];
for (const [name, body, limits] of silent) {
  test(`what ${name} is held in silence`, async () => {
    const { rig } = streaming(limits);
    const { action } = await begin(rig, body);
    rig.desk.decide(granted);
    assert.equal((await action).kind, 'release');
  });
}

test('what was decided before is told by a status, and takes no place', async () => {
  const { rig, holds } = streaming();
  rig.desk.onAsk = async () => ({ kind: 'denied', ticket: 't-1', reason: 'no' });
  const { action } = await begin(rig);
  const denied = await action;
  assert.ok(denied.kind === 'local_reply' && denied.reply.status === 403);
  assert.equal(holds.open, 0);
});

test('a client that leaves while people are asked: its exchange says so, its place is free, its ticket stays', async () => {
  const { rig, releaser, holds } = streaming();
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  await settle();
  exchange.left();
  await reading;
  assert.deepEqual(rig.desk.leavers, [exchange.id]);
  assert.equal(rig.log.finished[0]?.outcome, 'client_aborted');
  assert.deepEqual([releaser.sent.length, holds.open, holds.waiting], [0, 0, 0]);
});

test('a client that leaves before anything of its answer was taken gives its place back', async () => {
  const { rig, holds } = streaming();
  const { exchange, action } = await begin(rig);
  await action;
  await exchange.abandon('stream_ended', '');
  assert.deepEqual([holds.open, rig.log.finished[0]?.outcome], [0, 'client_aborted']);
});

test('a client that leaves within the answer has the upstream given up', async () => {
  const { rig, releaser } = streaming();
  releaser.result = (signal) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => resolve({ kind: 'broken', fault: new Error('x') })),
    );
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  rig.desk.decide(granted);
  await settle();
  exchange.left();
  await reading;
  assert.ok(releaser.isAborted);
  assert.equal(rig.log.finished[0]?.outcome, 'client_aborted');
});

const faults: [string, ReleaseResult, RegExp, string][] = [
  ['cannot be sent', { kind: 'unsent', fault: new Error('ENOENT') }, /overloaded_error.*went nowhere/, 'refused'],
  ['gets no answer', { kind: 'broken', fault: new Error('reset') }, /api_error.*in part/, 'upstream_aborted'],
  [
    'breaks off before a byte',
    answered(200, [new Error('reset')]),
    /api_error.*broke its answer off/,
    'upstream_aborted',
  ],
  [
    'is answered in an encoding',
    answered(200, ['x'], [...sse, ['content-encoding', 'gzip']]),
    /api_error/,
    'upstream_error',
  ],
  [
    'is answered with no stream',
    answered(200, ['{}'], [['content-type', 'application/json']]),
    /api_error/,
    'upstream_error',
  ],
  [
    'is refused in the envelope of Claude',
    answered(529, ['{"type":"error",\n"error":{"type":"overloaded_error",', '"message":"busy"}}']),
    /^data: \{"type":"error","error":\{"type":"overloaded_error","message":"busy"\}\}$/m,
    'upstream_error',
  ],
  ['is refused in other words', answered(503, ['no healthy upstream']), /api_error.*status 503/, 'upstream_error'],
];
for (const [name, result, event, outcome] of faults) {
  test(`an approved request that ${name}: the stream says so in an error event`, async () => {
    const { rig, releaser } = streaming();
    releaser.result = async () => result;
    const { exchange, action } = await begin(rig);
    const reading = read(exchange, await action);
    rig.desk.decide(granted);
    const { text, fault } = await reading;
    assert.equal(fault, null);
    assert.match(text, /\n\nevent: error\ndata: \{.*\}\n\n$/);
    assert.match(text, event);
    assert.equal(rig.log.finished[0]?.outcome, outcome);
  });
}

test('an approved request that the release listener refused went nowhere, and is not an error of the upstream', async () => {
  for (const isForged of [false, true]) {
    const { rig, releaser, passes } = streaming();
    releaser.result = async () => {
      const shown = releaser.sent[0]?.headers.find(([name]) => name === 'x-skilltape-release')?.[1] ?? '';
      const refusal = isForged ? passes.refusalOf('another') : passes.refusalOf(shown);
      return answered(403, ['{}'], [['x-skilltape-release-refused', refusal]]);
    };
    const { exchange, action } = await begin(rig);
    const reading = read(exchange, await action);
    rig.desk.decide(granted);
    const { text } = await reading;
    const [{ outcome, detail } = { outcome: '', detail: '' }] = rig.log.finished;
    if (isForged) {
      assert.deepEqual([outcome, detail], ['upstream_error', 'status 403']);
      continue;
    }
    assert.deepEqual([outcome, detail], ['refused', 'release: refused at the release listener']);
    assert.match(text, /overloaded_error.*it went nowhere/);
    assert.equal(rig.desk.leavers.length, 1, 'its approval is given back');
    assert.deepEqual(rig.log.ofKind('upstream_answered'), []);
  }
});

const ofEnvoy = [
  [
    'upstream_reset_before_response_started{connection_failure,delayed_connect_error:_111}',
    'refused',
    /it went nowhere/,
  ],
  ['upstream_reset_before_response_started{remote_connection_failure|TLS_error}', 'refused', /it went nowhere/],
  ['upstream_reset_before_response_started{overflow}', 'refused', /it went nowhere/],
  ['no_healthy_upstream', 'refused', /it went nowhere/],
  ['upstream_reset_before_response_started{connection_termination}', 'upstream_aborted', /answered in part/],
  ['upstream_reset_before_response_started{remote_reset}', 'upstream_aborted', /answered in part/],
  ['stream_idle_timeout', 'cut', /"timeout_error".*answered in part/],
  ['something_of_a_later_version', 'cut', /answered in part/],
] as const;
for (const [details, outcome, event] of ofEnvoy) {
  test(`an approved request that Envoy answers by itself for ${details} is no error of the upstream`, async () => {
    const { rig, releaser } = streaming();
    releaser.result = async () => answered(503, ['reset'], [['x-skilltape-envoy-answered', details]]);
    const { exchange, action } = await begin(rig);
    const reading = read(exchange, await action);
    rig.desk.decide(granted);
    const { text } = await reading;
    assert.match(text, /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"\w+_error".*\}\n\n$/);
    // Only where nothing of it can have gone to Claude.
    assert.equal(rig.desk.leavers.length, outcome === 'refused' ? 1 : 0);
    assert.match(text, event);
    const [{ detail, ...finished } = { outcome: '', detail: '' }] = rig.log.finished;
    assert.deepEqual([finished.outcome, detail], [outcome, `release: answered by Envoy: ${details}`]);
    assert.deepEqual(rig.log.ofKind('upstream_answered'), []);
  });
}

test('an error of the upstream is recorded as it came, however it is told', async () => {
  const { rig, releaser } = streaming();
  const body = '{"type":"error",\n"error":{"type":"overloaded_error","message":"busy"}}';
  releaser.result = async () => answered(529, [body], [['retry-after', '9']]);
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  rig.desk.decide(granted);
  await reading;
  const [{ upstream } = { upstream: null }] = rig.log.ofKind('upstream_answered');
  assert.deepEqual(upstream, { status: 529, headers: [['retry-after', '9']], body });
});

test('an answer that breaks off within is broken off for the caller, too, and the record says who did it', async () => {
  const { rig, releaser } = streaming();
  releaser.result = async () => answered(200, ['event: ping\n', new Error('reset')]);
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  rig.desk.decide(granted);
  const { text, fault } = await reading;
  assert.ok(text.endsWith('event: ping\n'));
  assert.match(fault ?? '', /reset/);
  assert.equal(rig.log.finished[0]?.outcome, 'upstream_aborted');
});

for (const [by, outcome, detail] of [
  ['gateway', 'cut', 'release: SI stream_idle_timeout'],
  ['upstream', 'upstream_aborted', 'release: SI stream_idle_timeout'],
  ['client', 'upstream_aborted', 'reset'],
] as const) {
  test(`an answer that Envoy reports to be broken off by the ${by} has that in its record, begun or not`, async () => {
    for (const begun of [['event: ping\n'], []]) {
      const { rig, releaser } = streaming();
      releaser.result = async () => answered(200, [...begun, new Error('reset')]);
      const reports = new EndReports({ maxWaitMs: 1_000_000 });
      rig.context.endReports = reports;
      const { exchange, action } = await begin(rig);
      const report = () => reports.take(exchange.id, { by, detail: 'SI stream_idle_timeout' });
      assert.equal(report(), false, 'nothing of it was sent');
      const reading = read(exchange, await action);
      rig.desk.decide(granted);
      while (!report()) await settle();
      const { text, fault } = await reading;
      assert.equal(fault === null, begun.length === 0);
      if (begun.length === 0) assert.match(text, outcome === 'cut' ? /gave up waiting/ : /Claude broke its answer off/);
      const [finished] = rig.log.finished;
      assert.deepEqual([finished?.outcome, finished?.detail, rig.log.finished.length], [outcome, detail, 1]);
    }
  });
}

test('an answer that cannot be recorded is cut before it is given', async () => {
  const { rig, releaser } = streaming();
  releaser.result = async () => {
    rig.log.failsAppend = (kind) => kind === 'answer_body';
    return answered(200, [whole]);
  };
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  rig.desk.decide(granted);
  const { text, fault } = await reading;
  assert.doesNotMatch(text, /message_start/);
  assert.match(fault ?? '', /no space left/);
  assert.equal(rig.log.finished[0]?.outcome, 'cut');
});

test('an answer larger than its limit is cut', async () => {
  const { rig } = streaming({ answerMaxBytes: whole.length - 1 });
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  rig.desk.decide(granted);
  assert.match((await reading).fault ?? '', /answerMaxBytes/);
  assert.equal(rig.log.finished[0]?.outcome, 'cut');
});

test('an approval that cannot be synced sends nothing', async () => {
  const { rig, releaser } = streaming();
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  await settle();
  rig.log.onSync = () => Promise.reject(new Error('EIO'));
  rig.desk.decide(granted);
  assert.match((await reading).fault ?? '', /EIO/);
  assert.deepEqual(releaser.sent, []);
});

test('a begin that cannot be recorded is refused', async () => {
  const { rig } = streaming();
  rig.log.failsAppend = (kind) => kind === 'answer_started';
  const { exchange, action } = await begin(rig);
  const refused = await action;
  assert.ok(refused.kind === 'local_reply' && refused.reply.status === 503);
  await exchange.abandon('stream_ended', '');
  assert.equal(rig.context.streamed?.holds.open, 0);
});

test('an end that cannot be recorded is cut before its words are given, and the record says so', async () => {
  const { rig } = streaming();
  const { exchange, action } = await begin(rig);
  const begun = await action;
  rig.log.failsAppend = (kind) => kind === 'finished';
  rig.desk.decide(null);
  assert.ok(begun.kind === 'streamed_reply');
  await assert.rejects(async () => {
    for await (const piece of begun.body) assert.match(Buffer.from(piece).toString(), /^: held/);
  }, /no space left/);
  rig.log.failsAppend = () => false;
  await exchange.abandon('cut', 'no space left on device');
  assert.equal(rig.log.finished[0]?.outcome, 'cut');
  assert.ok((rig.log.finished[0]?.unansweredBytes ?? 0) > 0);
});

/** How the next start ends an exchange of which the process was killed behind the record of the last such piece. */
async function endAfterKillBehind(rig: Rig, piece: string): Promise<Finished | undefined> {
  const last = rig.log.records.findLastIndex((each) => each.kind === 'answer_body' && includes(each.bytes, piece));
  assert.notEqual(last, -1, piece);
  const after = new FakeLog();
  const payloads = rig.log.payloads.slice(0, last + 1).map((payload) => ({ payload }));
  await closeInterrupted(Readable.from(payloads), after, rig.context.clock);
  return after.finished[0];
}

function includes(bytes: Uint8Array, piece: string): boolean {
  return Buffer.from(bytes).includes(piece);
}

test('a kill behind message_stop of an approved request leaves it complete, and one before that interrupted', async () => {
  const { rig, releaser } = streaming();
  releaser.result = async () => answered(200, [whole.slice(0, 9), whole.slice(9)]);
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  rig.desk.decide(granted);
  assert.equal((await reading).fault, null);
  assert.deepEqual(await endAfterKillBehind(rig, 'message_stop'), {
    ...{ outcome: 'complete', detail: 'the processor ended behind the whole answer', status: 200, localReply: '' },
  });
  assert.equal((await endAfterKillBehind(rig, ': approved'))?.outcome, 'interrupted');
});

test('a kill behind an error event of ours leaves no error of the upstream', async () => {
  for (const result of [answered(200, [new Error('reset')]), answered(529, ['{"type":"error"}'])]) {
    const { rig, releaser } = streaming();
    releaser.result = async () => result;
    const { exchange, action } = await begin(rig);
    const reading = read(exchange, await action);
    rig.desk.decide(granted);
    await reading;
    assert.equal((await endAfterKillBehind(rig, 'event: error'))?.outcome, 'interrupted');
  }
  const { rig } = streaming();
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  rig.desk.decide(null);
  await reading;
  assert.equal((await endAfterKillBehind(rig, 'event: error'))?.outcome, 'interrupted');
});

const stop = { by: 'grace', reason: 'it deletes files' };

test('an operator who stops a held stream has its client told so, and nothing goes upstream', async () => {
  const { rig, releaser, holds } = streaming();
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  await settle();
  assert.equal((await exchange.stop(stop)).kind, 'wait');
  const { text, fault } = await reading;
  assert.equal(fault, null);
  assert.match(text, /event: error\ndata: .*Stopped by an operator: it deletes files.*dlp_request_denied.*\n\n$/);
  assert.equal(rig.log.finished[0]?.outcome, 'stopped');
  assert.deepEqual([releaser.sent.length, holds.open, holds.waiting], [0, 0, 0]);
});

test('an operator who stops a request before its ticket is on disk has it refused, and no answer begins behind that', async () => {
  const { rig, releaser, holds } = streaming();
  const isOnDisk = Promise.withResolvers<void>();
  const ask = rig.desk.ask.bind(rig.desk);
  rig.desk.ask = (request) => isOnDisk.promise.then(() => ask(request));
  const { exchange, action } = await begin(rig);
  const refused = await exchange.stop(stop);
  assert.ok(refused.kind === 'local_reply' && refused.reply.status === 403);
  isOnDisk.resolve();
  assert.deepEqual(await action, { kind: 'wait' });
  await exchange.abandon('stream_ended', '');
  assert.deepEqual(
    rig.log.finished.map(({ outcome }) => outcome),
    ['stopped'],
  );
  assert.deepEqual(rig.log.ofKind('answer_started'), [], 'nothing stands behind the end of a record');
  assert.deepEqual([releaser.sent.length, holds.open, holds.waiting], [0, 0, 0]);
});

test('an operator who stops the answer behind a hold has it broken off, upstream too', async () => {
  const { rig, releaser } = streaming();
  const second = Promise.withResolvers<Uint8Array | null>();
  const pieces = [Promise.resolve(Buffer.from('event: ping\n')), second.promise];
  releaser.result = async (signal) => {
    signal.addEventListener('abort', () => second.reject(new Error('aborted')));
    const answer = { status: 200, headers: sse, next: () => pieces.shift() ?? second.promise, abort: () => {} };
    return { kind: 'answered', answer };
  };
  const { exchange, action } = await begin(rig);
  const reading = read(exchange, await action);
  rig.desk.decide(granted);
  await settle();
  await settle();
  await exchange.stop(stop);
  const { text, fault } = await reading;
  assert.ok(text.endsWith('event: ping\n'), text);
  assert.notEqual(fault, null);
  assert.deepEqual(
    rig.log.finished.map(({ outcome, detail }) => [outcome, detail]),
    [['stopped', 'stopped by grace: it deletes files']],
  );
});

test('a stop of an answer that its client does not read any more is what its record says', async () => {
  const { rig } = streaming();
  const { exchange, action } = await begin(rig);
  const begun = await action;
  assert.ok(begun.kind === 'streamed_reply');
  const pieces = begun.body[Symbol.asyncIterator]();
  rig.desk.decide(granted);
  let text = '';
  while (!text.includes(': approved')) text += Buffer.from((await pieces.next()).value ?? '').toString();
  assert.equal((await exchange.stop(stop)).kind, 'wait');
  await pieces.return?.();
  await exchange.abandon('stream_ended', '');
  assert.deepEqual(
    rig.log.finished.map(({ outcome, detail }) => [outcome, detail]),
    [['stopped', 'stopped by grace: it deletes files']],
  );
});
