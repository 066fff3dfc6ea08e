import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action, Frame } from '../../../extproc/exchange/frame.ts';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import type { ExchangeLimits } from '../../../extproc/exchange/ports.ts';
import { alice, question, requestBody, requestHeaders, tokenOf, wholeRequest } from './frames.ts';
import type { Rig } from './rig.ts';
import { createRig, deny, play, settle } from './rig.ts';

function replyOf(action: Action | undefined) {
  assert.ok(action?.kind === 'local_reply', `not answered by us: ${action?.kind}`);
  return { ...action.reply, error: JSON.parse(action.reply.body).error as Record<string, unknown> };
}

type Case = {
  name: string;
  frames: readonly Frame[];
  limits?: Partial<ExchangeLimits>;
  arrange?: (rig: Rig) => void;
  status: number;
  outcome: 'refused' | 'denied' | 'held';
  detail: string;
};

const post = (headers: HeaderList) => requestHeaders({ headers });
const cases: Case[] = [
  {
    name: 'a request that policy denies at its headers',
    frames: [requestHeaders()],
    arrange: ({ judge }) => {
      judge.accessVerdict = () => deny;
    },
    ...{ status: 403, outcome: 'denied', detail: 'no_such_skill' },
  },
  {
    name: 'a request that policy denies for what it asks',
    frames: wholeRequest,
    arrange: ({ judge }) => {
      judge.requestVerdict = () => ({ ...deny, status: 451 });
    },
    ...{ status: 451, outcome: 'denied', detail: 'no_such_skill' },
  },
  {
    name: 'a body that announces more than is taken',
    frames: [post([['content-length', '1001']])],
    ...{ status: 413, outcome: 'refused', detail: 'request_body_too_large 1000 bytes' },
  },
  {
    name: 'a body that grows over the limit without announcing it',
    frames: [requestHeaders(), requestBody('x'.repeat(600)), requestBody('x'.repeat(401))],
    ...{ status: 413, outcome: 'refused', detail: 'request_body_too_large 1000 bytes' },
  },
  {
    name: 'a body for which there is no room beside the others',
    frames: [requestHeaders(), requestBody('x'.repeat(11))],
    limits: { heldBodyMaxBytes: 10 },
    ...{ status: 503, outcome: 'refused', detail: 'held_bodies_at_limit' },
  },
  {
    name: 'a body that is encoded',
    frames: [post([['content-encoding', 'GZip\u0000\u00e9']])],
    ...{ status: 400, outcome: 'refused', detail: 'encoding_unsupported gzip??' },
  },
  {
    name: 'a body that is encoded in a second header',
    frames: [
      post([
        ['content-encoding', 'identity'],
        ['content-encoding', 'br'],
      ]),
    ],
    ...{ status: 400, outcome: 'refused', detail: 'encoding_unsupported identity, br' },
  },
  {
    name: 'a body that is no JSON',
    frames: [requestHeaders(), requestBody('{"a":1', true)],
    ...{ status: 400, outcome: 'refused', detail: 'body_malformed' },
  },
];

for (const { name, frames, limits, arrange, status, outcome, detail } of cases) {
  test(`${name} is ${outcome} with ${status}, after that is on disk`, async () => {
    const rig = createRig(limits);
    arrange?.(rig);
    const exchange = rig.open();
    assert.ok((await play(exchange, frames.slice(0, -1))).every(({ kind }) => kind === 'wait'));
    const gate = rig.log.stallSync();
    let action: Action | undefined;
    const accepted = Promise.resolve(exchange.accept(frames.at(-1) as Frame)).then((given) => {
      action = given;
    });
    await settle();
    assert.equal(action, undefined, 'answered before its record was on disk');
    assert.deepEqual(rig.log.events.slice(-2), ['append finished', 'sync']);
    gate.open();
    await accepted;
    const reply = replyOf(action);
    assert.equal(reply.status, status);
    assert.equal(reply.headers['x-skilltape-exchange'], exchange.id);
    assert.match(reply.body, new RegExp(exchange.id));
    const [finished] = rig.log.finished;
    assert.deepEqual([finished?.outcome, finished?.status, finished?.localReply], [outcome, status, reply.body]);
    assert.ok(finished?.detail.startsWith(detail), finished?.detail);
    assert.equal(rig.context.budget.heldBodyBytes, 0);
    const later = await play(exchange, [requestBody(question), requestBody('', true)]);
    assert.ok(
      later.every(({ kind }) => kind === 'wait'),
      'frames under way are of no account',
    );
    await exchange.abandon('stream_ended', '');
    assert.equal(rig.log.finished.length, 1);
    assert.equal(rig.context.budget.openExchanges, 0);
  });
}

test('what a caller sent is not said back, but for a short printable encoding name', async () => {
  const planted = 'planted-secret-4711';
  for (const frames of [
    [requestHeaders(), requestBody(`{"${planted}":"${planted}",}`, true)],
    [requestHeaders(), requestBody(`{"messages":"${planted}","model":1}`, true)],
    [requestHeaders({ headers: [['content-encoding', `${'x'.repeat(40)}${planted}`]] })],
  ]) {
    const { log, open } = createRig();
    const reply = replyOf((await play(open(), frames)).at(-1));
    assert.doesNotMatch(reply.body + reply.details + log.finished[0]?.detail, /planted/);
  }
});

test('with a full journal a request is refused, and leaves nothing', async () => {
  const { log, open, context } = createRig();
  log.admitted = false;
  const exchange = open();
  const [action, ...later] = await play(exchange, wholeRequest);
  assert.equal(replyOf(action).status, 503);
  assert.ok(later.every(({ kind }) => kind === 'wait'));
  await exchange.abandon('stream_ended', '');
  assert.deepEqual([log.events, context.budget], [[], { openExchanges: 0, heldBodyBytes: 0 }]);
});

test('an open exchange goes on to its end when the journal fills up', async () => {
  const { log, open } = createRig();
  const exchange = open();
  await play(exchange, wholeRequest.slice(0, 1));
  log.admitted = false;
  const actions = await play(exchange, wholeRequest.slice(1));
  assert.equal(actions.at(-1)?.kind, 'release');
});

test('a volume that is nearly full refuses what is new, with a record and a time to come again; what is open goes on', async () => {
  const { open, context, log } = createRig();
  const first = open();
  await play(first, wholeRequest.slice(0, 1));
  context.volume = { isRefusing: true };
  const reply = replyOf(await open().accept(requestHeaders()));
  assert.deepEqual(
    [reply.status, reply.details, reply.headers['retry-after']],
    [503, 'skilltape_refused_volume_full', '30'],
  );
  assert.deepEqual([log.finished.at(-1)?.outcome, log.finished.at(-1)?.detail], ['refused', 'volume_full']);
  assert.equal((await play(first, wholeRequest.slice(1))).at(-1)?.kind, 'release');
  context.volume = { isRefusing: false };
  assert.deepEqual(await open().accept(requestHeaders()), { kind: 'wait' });
});

test('as many exchanges are open as the limit says, and one that has ended makes room', async () => {
  const { open, context, log } = createRig({ openExchangesMax: 2 });
  const first = open();
  await first.accept(requestHeaders());
  await open().accept(requestHeaders());
  const refused = open();
  assert.match(replyOf(await refused.accept(requestHeaders())).details, /open_exchanges_at_limit/);
  assert.equal(log.finished.at(-1)?.outcome, 'refused', 'it has a record like any other');
  await refused.abandon('stream_ended', '');
  assert.equal(context.budget.openExchanges, 2, 'a refused one takes no place, so it gives none back');
  await first.abandon('stream_ended', '');
  assert.deepEqual(await open().accept(requestHeaders()), { kind: 'wait' });
});

test('bytes of a released request count as held until they are written, so a slow upstream is bounded too', async () => {
  const { open, context } = createRig();
  const exchange = open();
  const actions = await play(exchange, [requestHeaders(), requestBody(question), requestBody(' '.repeat(10), true)]);
  const release = actions.at(-1);
  assert.ok(release?.kind === 'release');
  const held = question.length + 10;
  const left: number[] = [];
  for await (const _ of release.body) left.push(context.budget.heldBodyBytes);
  assert.deepEqual(left, [held, 10]);
  assert.equal(context.budget.heldBodyBytes, 0);
});

test('a client that leaves while its request is written gives back what was not', async () => {
  const { open, context } = createRig();
  const exchange = open();
  const actions = await play(exchange, [requestHeaders(), requestBody(question), requestBody(' '.repeat(10), true)]);
  const release = actions.at(-1);
  assert.ok(release?.kind === 'release');
  assert.ok(Symbol.iterator in release.body);
  const reading = release.body[Symbol.iterator]();
  reading.next();
  await exchange.abandon('stream_ended', '');
  assert.equal(context.budget.heldBodyBytes, 0);
  for (let step = reading.next(); !step.done; step = reading.next());
  assert.equal(context.budget.heldBodyBytes, 0, 'given back twice');
});

test('one caller at the share of one caller is refused with 429, and others are served', async () => {
  const { open, log } = createRig({ openExchangesPerCallerMax: 2 });
  const first = open();
  await first.accept(requestHeaders());
  await open().accept(requestHeaders());
  const reply = replyOf(await open().accept(requestHeaders()));
  assert.deepEqual([reply.status, reply.details], [429, 'skilltape_refused_caller_open_exchanges_at_limit']);
  assert.match(reply.body, /rate_limit_error.*one caller/);
  assert.equal(log.finished.at(-1)?.outcome, 'refused');
  const bob = tokenOf({ ...alice, sub: 'bob' });
  assert.deepEqual(await open().accept(requestHeaders({ metadata: bob })), { kind: 'wait' });
  await first.abandon('stream_ended', '');
  assert.deepEqual(await open().accept(requestHeaders()), { kind: 'wait' });
});

test('a body that is in the log alone goes upstream as it came, and one that cannot be read back is not judged', async () => {
  const { open, log, context, faults } = createRig({ heldBodyMaxBytes: 200 });
  const frames = [requestHeaders(), requestBody(`${question}${' '.repeat(200)}`), requestBody('', true)];
  const released = (await play(open(), frames)).at(-1);
  assert.ok(released?.kind === 'release');
  assert.ok(context.spool.heldBytes > 200);
  assert.equal(Buffer.concat(await Array.fromAsync(released.body)).toString(), `${question}${' '.repeat(200)}`);
  assert.equal(context.spool.heldBytes, 0);

  const lost = open();
  await play(lost, frames.slice(0, 2));
  const last = log.payloads.length - 1;
  log.payloads[last] = log.payloads[0] as Buffer;
  const action = await lost.accept(requestBody('', true));
  assert.match(replyOf(action).details, /journal_unavailable/);
  assert.equal(faults.length, 1);
});
