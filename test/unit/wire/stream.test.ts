import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusObject } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { Action } from '../../../extproc/exchange/frame.ts';
import type { ProcessingResponse } from './independent.ts';
import { messages, modes } from './messages.ts';
import { createWireRig } from './rig.ts';

const proceed = (kind: string): Action =>
  kind === 'response_headers'
    ? { kind: 'continue_response_headers', setHeaders: {} }
    : { kind: 'continue_response_body' };

function releaseOf(body: Iterable<Uint8Array>, accessLog: Record<string, string> = {}): Action {
  return { kind: 'release', removeHeaders: [], body, hadBody: true, hadTrailers: false, accessLog };
}

function bodyOf(reply: ProcessingResponse): Buffer {
  const common = (reply.request_body ?? {}) as {
    response?: { body_mutation?: { streamed_response?: { body?: Buffer } } };
  };
  return common.response?.body_mutation?.streamed_response?.body ?? Buffer.alloc(0);
}

test('messages reach the exchange in order, each answer frame gets one reply, and OK comes only after the half-close', async () => {
  await using rig = await createWireRig();
  const { exchange } = rig;
  exchange.onFrame = (frame) => {
    if (frame.kind === 'request_body' && frame.endOfStream) return releaseOf([Buffer.from('whole')]);
    return frame.kind.startsWith('response_') ? proceed(frame.kind) : { kind: 'wait' };
  };
  const call = rig.call();
  const ended = rig.nextEnd();
  let isOver = false;
  void call.status.then(() => {
    isOver = true;
  });
  for (const message of [messages.requestHeaders(), messages.requestBody('who'), messages.requestBody('le', true)]) {
    call.send(message);
  }
  await call.repliesUntil(2);
  for (const message of [messages.responseHeaders(), messages.responseBody('a'), messages.responseBody('b', true)]) {
    call.send(message);
  }
  const replies = await call.repliesUntil(5);
  assert.deepEqual(
    replies.map(({ response }) => response),
    ['request_headers', 'request_body', 'response_headers', 'response_body', 'response_body'],
  );
  assert.deepEqual(
    exchange.frames.map((frame) => [frame.kind, 'body' in frame ? String(frame.body) : '']),
    [
      ['request_headers', ''],
      ['request_body', 'who'],
      ['request_body', 'le'],
      ['response_headers', ''],
      ['response_body', 'a'],
      ['response_body', 'b'],
    ],
  );
  assert.equal(isOver, false, 'the stream was ended before Envoy ended its side');
  assert.equal((await call.halfClose()).code, status.OK);
  assert.deepEqual(await ended, { exchangeId: 'exchange-1', fault: undefined });
  assert.deepEqual(exchange.abandoned, [['stream_ended', '']]);
  assert.deepEqual(rig.routes, [{ connection: 'claude', pathPrefix: '/sandbox', isRelease: false }]);
});

test('one frame is answered before the next is taken', async () => {
  await using rig = await createWireRig();
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const firstTaken = Promise.withResolvers<void>();
  rig.exchange.onFrame = async (frame) => {
    if (frame.kind === 'request_headers') {
      firstTaken.resolve();
      await gate;
    }
    return frame.kind === 'request_body' ? releaseOf([]) : { kind: 'wait' };
  };
  const call = rig.call();
  call.send(messages.requestHeaders());
  call.send(messages.requestBody('x', true));
  await firstTaken.promise;
  await healthOf(rig);
  assert.equal(rig.exchange.frames.length, 1);
  open();
  await call.repliesUntil(2);
  assert.equal(rig.exchange.frames.length, 2);
});

/** A round trip on the same connection: whatever was sent before it has arrived. */
async function healthOf(rig: Awaited<ReturnType<typeof createWireRig>>): Promise<void> {
  const call = rig.call('unknown');
  await call.status;
}

test('a release of 40 MB waits for a reader that is slow, and all bytes come', { timeout: 60_000 }, async () => {
  await using rig = await createWireRig();
  const chunkBytes = 1024 * 1024;
  const chunks = 40;
  let taken = 0;
  function* body() {
    for (; taken < chunks; taken += 1) yield Buffer.alloc(chunkBytes, taken);
  }
  rig.exchange.onFrame = () => releaseOf(body());
  const call = rig.call();
  call.send(messages.requestHeaders(true));
  await call.repliesUntil(1);
  for (let turn = 0; turn < 50; turn += 1) await healthOf(rig);
  assert.ok(taken <= 20, `${taken} chunks of 40 were built for a reader that read none`);
  const replies = await call.repliesUntil(1 + chunks);
  for (const [index, reply] of replies.slice(1).entries()) {
    const bytes = bodyOf(reply);
    assert.equal(bytes.length, chunkBytes);
    assert.ok(bytes.every((byte) => byte === index));
  }
  assert.equal((await call.halfClose()).code, status.OK);
});

test('a client that goes away while a release waits for it ends the exchange', { timeout: 60_000 }, async () => {
  await using rig = await createWireRig();
  let taken = 0;
  function* body() {
    for (; taken < 1000; taken += 1) yield Buffer.alloc(1024 * 1024);
  }
  rig.exchange.onFrame = () => releaseOf(body());
  const call = rig.call();
  const ended = rig.nextEnd();
  call.send(messages.requestHeaders(true));
  await call.repliesUntil(1);
  call.stream.cancel();
  await ended;
  assert.equal(rig.exchange.abandoned[0]?.[0], 'stream_ended');
  assert.equal(rig.exchange.undelivered, true);
  assert.ok(taken < 1000);
});

const failures: [name: string, arrange: (rig: Awaited<ReturnType<typeof createWireRig>>) => void][] = [
  ['a cut', ({ exchange }) => (exchange.onFrame = () => ({ kind: 'cut', reason: 'broken' }))],
  ['an exchange that throws', ({ exchange }) => (exchange.onFrame = () => Promise.reject(new Error('broken')))],
  ['an exchange that throws no error', ({ exchange }) => (exchange.onFrame = () => Promise.reject('broken'))],
];
for (const [name, arrange] of failures) {
  test(`${name} ends the stream with an error, never with OK`, async () => {
    await using rig = await createWireRig();
    arrange(rig);
    const call = rig.call();
    const ended = rig.nextEnd();
    call.send(messages.requestHeaders());
    const { code, details } = await call.status;
    assert.equal(code, status.INTERNAL);
    assert.equal(details, 'broken');
    assert.equal((await ended).fault?.message, 'broken');
    assert.deepEqual(rig.exchange.abandoned, [['cut', 'broken']]);
  });
}

test('a cut in the middle of an answer ends the stream with an error after the replies that were due', async () => {
  await using rig = await createWireRig();
  rig.exchange.onFrame = (frame) =>
    frame.kind === 'response_headers'
      ? proceed(frame.kind)
      : frame.kind === 'response_body'
        ? { kind: 'cut', reason: 'disk' }
        : releaseOf([]);
  const call = rig.call();
  call.send(messages.requestHeaders(true));
  call.send(messages.responseHeaders());
  await call.repliesUntil(3);
  call.send(messages.responseBody('x'));
  call.stream.resume();
  assert.deepEqual(await call.status.then(({ code, details }) => [code, details]), [status.INTERNAL, 'disk']);
});

test('a reason of any length and with any characters is told without harm to the process', async () => {
  await using rig = await createWireRig();
  for (const reason of ['\ud800 lone', 'line\r\nx-header: 1', '\0', 'ä€😀', '%zz', 'x'.repeat(1_000_000)]) {
    rig.exchange.onFrame = () => ({ kind: 'cut', reason });
    const call = rig.call();
    call.send(messages.requestHeaders());
    const { code, details } = await call.status;
    assert.equal(code, status.INTERNAL);
    assert.equal(details, reason.slice(0, 500).replace(/[^\x20-\x7e]/g, '?'));
  }
});

test('a route that names no known connection is an error, and a caller cannot get around it by leaving', async () => {
  await using rig = await createWireRig();
  const call = rig.call('unknown');
  const ended = rig.nextEnd();
  assert.equal((await call.halfClose()).code, status.INTERNAL);
  assert.match((await ended).fault?.message ?? '', /no such connection/);
  assert.deepEqual(rig.exchange.frames, []);
});

test('a filter in a mode that cannot keep the promise is told what to set, and nothing is taken from it', async () => {
  await using rig = await createWireRig();
  const wrong = [
    { ...messages.requestHeaders(), protocol_config: { ...modes, request_body_mode: 'BUFFERED' } },
    { ...messages.requestHeaders(), observability_mode: true },
    messages.requestBody('without a first message', true),
  ];
  for (const message of wrong) {
    const call = rig.call();
    call.send(message);
    const { code, details } = await call.status;
    assert.equal(code, status.INTERNAL);
    assert.match(details, /Set FULL_DUPLEX_STREAMED and STREAMED without observability_mode/);
  }
  assert.deepEqual(rig.exchange.frames, []);
});

test('bytes that are no message end their stream with an error and abandon the exchange', async () => {
  await using rig = await createWireRig();
  const ended = rig.nextEnd();
  const raw = rig.client.makeBidiStreamRequest<Buffer, Buffer>(
    '/envoy.service.ext_proc.v3.ExternalProcessor/Process',
    (bytes) => bytes,
    (bytes) => bytes,
  );
  raw.on('error', () => {});
  raw.resume();
  const over = new Promise<StatusObject>((resolve) => raw.once('status', resolve));
  raw.write(Buffer.of(0x12, 0xff));
  assert.notEqual((await over).code, status.OK);
  await ended;
  assert.equal(rig.exchange.abandoned.length, 1);
});

test('a message larger than one read of Envoy ends its stream with an error', async () => {
  await using rig = await createWireRig();
  const call = rig.call();
  const ended = rig.nextEnd();
  call.send(messages.requestHeaders());
  call.send(messages.requestBody('x'.repeat(17 * 1024 * 1024)));
  assert.notEqual((await call.status).code, status.OK);
  await ended;
  assert.equal(rig.exchange.abandoned.length, 1);
});

test('a client that leaves in the middle abandons the exchange once', async () => {
  await using rig = await createWireRig();
  rig.exchange.onFrame = () => releaseOf([]);
  const call = rig.call();
  const ended = rig.nextEnd();
  call.send(messages.requestHeaders());
  await call.repliesUntil(1);
  call.stream.cancel();
  await ended;
  assert.equal(rig.exchange.abandoned.length, 1);
  assert.equal(rig.exchange.abandoned[0]?.[0], 'stream_ended');
});

test('an end that cannot be recorded is told as the fault of the stream', async () => {
  await using rig = await createWireRig();
  rig.exchange.onAbandon = () => Promise.reject(new Error('no space left'));
  const call = rig.call();
  const ended = rig.nextEnd();
  call.send(messages.requestHeaders());
  await call.halfClose();
  assert.match((await ended).fault?.message ?? '', /no space left/);
});

test('what a stopped exchange sends last goes out although Envoy says nothing, and the stream ends as Envoy ends it', async () => {
  await using rig = await createWireRig();
  const { exchange } = rig;
  const call = rig.call();
  const ended = rig.nextEnd();
  call.send(messages.requestHeaders());
  await exchange.stoppable;
  const reply = { status: 403, headers: { 'content-type': 'application/json' }, body: '{}', details: 'stopped' };
  exchange.stopWith({ kind: 'local_reply', reply, accessLog: {} });
  const [first] = await call.repliesUntil(1);
  assert.equal(first?.response, 'immediate_response');
  call.stream.end();
  assert.equal((await call.status).code, status.OK);
  assert.equal((await ended).fault, undefined);
  assert.deepEqual(exchange.abandoned, [['stream_ended', '']]);
});

test('a stop within an answer ends the stream with an error at once, which is no fault', async () => {
  await using rig = await createWireRig();
  const { exchange } = rig;
  const call = rig.call();
  const ended = rig.nextEnd();
  call.send(messages.requestHeaders());
  await exchange.stoppable;
  exchange.stopWith({ kind: 'cut', reason: 'stopped by ada' });
  assert.equal((await call.status).code, status.INTERNAL);
  assert.equal((await ended).fault, undefined);
  assert.deepEqual(exchange.abandoned, [['stopped', 'stopped by ada']]);
});
