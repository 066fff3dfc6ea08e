import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Frame } from '../../../extproc/exchange/frame.ts';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import { closeInterrupted } from '../../../extproc/exchange/interrupted.ts';
import type { Outcome } from '../../../extproc/exchange/outcome.ts';
import type { Finished } from '../../../extproc/exchange/record.ts';
import {
  answerBody,
  answerHeaders,
  eventDelta,
  eventStop,
  eventStream,
  requestBody,
  requestHeaders,
  wholeRequest,
} from './frames.ts';
import { claude, createRig, FakeLog, nowMs, play, type Rig } from './rig.ts';

const json: HeaderList = [['content-type', 'application/json']];
const sized = (length: number, type = json): HeaderList => [...type, ['content-length', String(length)]];
const gzipped = (type: HeaderList): HeaderList => [...type, ['content-encoding', 'gzip']];
const head = (headers: HeaderList, status = 200) => answerHeaders({ status, headers });
const end = answerBody('', true);
const trailers: Frame = { kind: 'response_trailers', headers: [['x-end', '1']] };
const failure = 'event: error\ndata: {"type":"error"}\n\n';
const interrupted: Finished = { outcome: 'interrupted', detail: 'the processor ended', status: null, localReply: '' };
const behind = 'the processor ended behind the whole answer';
const early = 'the answer ended before its proper end';

const get = (path: string) => [requestHeaders({ path, method: 'GET', endOfStream: true })];
const completion = [
  requestHeaders({ path: '/v1/complete' }),
  requestBody(JSON.stringify({ model: 'claude-2.1', prompt: 'Hi', max_tokens_to_sample: 5, stream: true }), true),
];
const reason = 'event: completion\ndata: {"type":"completion","completion":"","stop_reason":"stop_sequence"}\n\n';

/** How a start ends the exchange of a processor that was killed now. */
async function endAfterKill({ log }: Rig): Promise<Finished | undefined> {
  const after = new FakeLog();
  const payloads = async function* () {
    for (const payload of log.payloads) yield { payload };
  };
  await closeInterrupted(payloads(), after, { nowMs: () => nowMs });
  return after.finished[0];
}

/** `wholeWith`: the frame of the answer with which its reader has all of it. */
type Answer = {
  name: string;
  frames: readonly Frame[];
  wholeWith: number;
  outcome: Outcome;
  request?: readonly Frame[];
};

const whole: Answer[] = [
  {
    name: 'a stream with message_stop',
    frames: [head(eventStream), answerBody(eventDelta), answerBody(eventStop), end],
    wholeWith: 2,
    outcome: 'complete',
  },
  {
    name: 'a stream with message_stop in its last chunk',
    frames: [head(eventStream), answerBody(eventDelta + eventStop, true)],
    wholeWith: 1,
    outcome: 'complete',
  },
  {
    name: 'a stream with an error event',
    frames: [head(eventStream), answerBody(failure), end],
    wholeWith: 1,
    outcome: 'upstream_error',
  },
  {
    name: 'a stream that the upstream ended early',
    frames: [head(eventStream), answerBody(eventDelta), end],
    wholeWith: 2,
    outcome: 'upstream_aborted',
  },
  {
    name: 'a stream of known length without message_stop',
    frames: [head(sized(3, eventStream)), answerBody(':\n\n'), end],
    wholeWith: 1,
    outcome: 'upstream_aborted',
  },
  {
    name: 'a legacy stream that said why it stopped',
    frames: [head(eventStream), answerBody(reason), end],
    wholeWith: 1,
    outcome: 'complete',
    request: completion,
  },
  {
    name: 'a stream of a session',
    frames: [head(eventStream), answerBody(eventStop), end],
    wholeWith: 2,
    outcome: 'complete',
    request: get('/v1/sessions/sess_1/events/stream'),
  },
  {
    name: 'a body of known length',
    frames: [head(sized(2)), answerBody('{'), answerBody('}'), end],
    wholeWith: 2,
    outcome: 'complete',
  },
  { name: 'a body of unknown length', frames: [head(json), answerBody('{}'), end], wholeWith: 2, outcome: 'complete' },
  {
    name: 'a body of unknown length with its end',
    frames: [head(json), answerBody('{}', true)],
    wholeWith: 1,
    outcome: 'complete',
  },
  {
    name: 'a body that ends with trailers',
    frames: [head(json), answerBody('{}'), trailers],
    wholeWith: 2,
    outcome: 'complete',
  },
  {
    name: 'an encoded body of unknown length',
    frames: [head(gzipped(json)), answerBody(gzipSync('{}')), end],
    wholeWith: 2,
    outcome: 'complete',
  },
  {
    name: 'an encoded stream of known length',
    frames: [head(sized(2, gzipped(eventStream))), answerBody('xx'), end],
    wholeWith: 1,
    outcome: 'complete',
  },
  {
    name: 'an error status',
    frames: [head(sized(2), 529), answerBody('{}'), end],
    wholeWith: 1,
    outcome: 'upstream_error',
  },
  { name: 'an answer of no length', frames: [head(sized(0)), end], wholeWith: 0, outcome: 'complete' },
  {
    name: 'an answer to a HEAD, with the length of what GET would give',
    frames: [head(sized(2)), end],
    wholeWith: 0,
    outcome: 'complete',
    request: [requestHeaders({ path: '/v1/models', method: 'HEAD', endOfStream: true })],
  },
  { name: 'an answer of status 204', frames: [head([], 204), end], wholeWith: 0, outcome: 'complete' },
  {
    name: 'a head that ends the stream',
    frames: [answerHeaders({ headers: [], endOfStream: true })],
    wholeWith: 0,
    outcome: 'complete',
  },
];

for (const { name, frames, wholeWith, outcome, request = wholeRequest } of whole) {
  test(`a kill behind ${name} leaves what the end would have said, and one before that is interrupted`, async () => {
    const rig = createRig();
    const exchange = rig.open();
    await play(exchange, request);
    assert.deepEqual(await endAfterKill(rig), interrupted, 'before the answer');
    for (const [at, frame] of frames.entries()) {
      const [action] = await play(exchange, [frame]);
      assert.notEqual(action?.kind, 'cut');
      const status = Number(frames[0]?.kind === 'response_headers' ? frames[0].headers[0]?.[1] : 0);
      const detail = outcome === 'upstream_aborted' ? early : behind;
      const expected = at < wholeWith ? interrupted : { outcome, detail, status, localReply: '' };
      assert.deepEqual(await endAfterKill(rig), expected, `behind frame ${at}`);
    }
    await exchange.abandon('stream_ended', '');
    assert.equal(rig.log.finished[0]?.outcome, outcome, 'where nothing is killed');
  });
}

const own = (codeDetails: string) => answerHeaders({ status: 503, headers: sized(2), codeDetails });
const open: [name: string, frames: readonly Frame[]][] = [
  ['a stream without its end', [head(eventStream), answerBody(`${eventDelta}event: message_stop\n`)]],
  ['a body of known length without its last byte', [head(sized(3)), answerBody('{}')]],
  ['a body of unknown length without its end', [head(json), answerBody('{}')]],
  ['an encoded body without its end, whatever is in it', [head(gzipped(eventStream)), answerBody(gzipSync(eventStop))]],
  ["an answer of Envoy's", [own('upstream_reset_before_response_started'), answerBody('{}', true)]],
];
for (const [name, frames] of open) {
  test(`a kill behind ${name} is interrupted`, async () => {
    const rig = createRig();
    await play(rig.open(), [...wholeRequest, ...frames]);
    assert.deepEqual(await endAfterKill(rig), interrupted);
  });
}

const rewriting = { ...claude, resultsUrlBase: 'https://gateway.example.org' };
const filtering = { ...claude, lists: 'filtered' as const };
const link = '{"id":"b_1","results_url":"https://api.anthropic.com/v1/messages/batches/b_1/results"}';
const list = '{"data":[],"has_more":false,"first_id":null,"last_id":null}';
for (const [name, connection, path, body] of [
  ['a changed link', rewriting, '/v1/messages/batches/b_1', link],
  ['a filtered list', filtering, '/v1/files', list],
] as const) {
  test(`of ${name} nothing was given before its end, so only a kill behind that leaves it whole`, async () => {
    const rig = createRig({ heldBodyMaxBytes: 2 ** 30 });
    const exchange = rig.open(connection);
    await play(exchange, [...get(path), head(sized(body.length)), answerBody(body)]);
    assert.deepEqual(await endAfterKill(rig), interrupted);
    const [action] = await play(exchange, [end]);
    assert.equal(action?.kind, 'continue_response_body');
    assert.equal((await endAfterKill(rig))?.outcome, 'complete');
  });

  test(`${name} that ends with trailers is cut, and whole after no kill`, async () => {
    const rig = createRig({ heldBodyMaxBytes: 2 ** 30 });
    const actions = await play(rig.open(connection), [...get(path), head(json), answerBody(body), trailers]);
    assert.equal(actions.at(-1)?.kind, 'cut');
    assert.deepEqual(await endAfterKill(rig), interrupted);
  });
}

test('each of many exchanges that were open ends by its own answer', async () => {
  const rig = createRig();
  const [first, second, third] = [rig.open(), rig.open(), rig.open()];
  for (const exchange of [first, second, third]) await play(exchange, [...wholeRequest, head(eventStream)]);
  await play(second, [answerBody(eventStop)]);
  await play(first, [answerBody(eventDelta)]);
  await play(third, [answerBody(eventStop), end]);
  await third.abandon('stream_ended', '');
  const after = new FakeLog();
  const told: string[][] = [];
  const records = async function* () {
    for (const payload of rig.log.payloads) yield { payload };
  };
  const clock = { nowMs: () => nowMs };
  const outcomes = await closeInterrupted(records(), after, clock, (...each) => told.push(each));
  assert.deepEqual(
    outcomes,
    new Map([
      [first.id, 'interrupted'],
      [second.id, 'complete'],
    ]),
  );
  assert.deepEqual(told, [
    ['claude', 'interrupted'],
    ['claude', 'complete'],
  ]);
  assert.deepEqual(after.events.slice(-2), ['sync', 'synced']);
});
