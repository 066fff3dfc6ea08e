import assert from 'node:assert/strict';
import { connect as connectSocket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { Action } from '../../../extproc/exchange/frame.ts';
import { decodedReplies, encoded } from './independent.ts';
import { messages } from './messages.ts';
import { endOf, framed, processPath, RawClient, statusOf } from './raw-client.ts';
import { createWireRig } from './rig.ts';

const internal = '13';
const unimplemented = '12';
const firstMessage = framed(encoded(messages.requestHeaders()));

test('what is no gRPC is told so by HTTP, and a method that there is not by gRPC', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  for (const [headers, httpStatus] of [
    [{ ':method': 'GET' }, 405],
    [{ ':method': 'HEAD' }, 405],
    [{ 'content-type': 'application/json' }, 415],
    [{ 'content-type': 'application/grpc-web' }, 415],
    [{ 'content-type': '' }, 415],
  ] as const) {
    const end = await endOf(client.open(headers));
    assert.equal(end.headers?.[':status'], httpStatus, JSON.stringify(headers));
  }
  for (const path of ['/', `${processPath}x`, '/grpc.health.v1.Health/Watch', '/ä%zz']) {
    const end = await endOf(client.open({ ':path': path }));
    assert.equal(end.headers?.[':status'], 200);
    assert.equal(end.headers?.['grpc-status'], unimplemented, path);
    assert.match(String(end.headers?.['grpc-message']), /there is no method/);
  }
  for (const type of ['application/grpc+proto', 'application/grpc;x=y']) {
    const stream = client.open({ 'content-type': type });
    stream.end();
    assert.equal(statusOf(await endOf(stream)), '0', type);
  }
  assert.deepEqual(rig.exchange.frames, []);
});

test('compression is refused, announced or not', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  const announced = client.open({ 'grpc-encoding': 'gzip' });
  assert.equal(statusOf(await endOf(announced)), unimplemented);
  const stream = client.open({ 'grpc-encoding': 'identity' });
  stream.write(framed(encoded(messages.requestHeaders()), 1));
  const end = await endOf(stream);
  assert.equal(statusOf(end), internal);
  assert.match(String(end.headers?.['grpc-message']), /compressed/);
  assert.deepEqual(rig.exchange.frames, []);
});

test('an error before any reply is one frame of headers, and a later one is in trailers behind the replies', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  rig.exchange.onFrame = () => ({ kind: 'cut', reason: '100% broken' });
  const early = client.open();
  early.write(firstMessage);
  const only = await endOf(early);
  assert.deepEqual([only.headers?.['grpc-status'], only.headers?.['grpc-message']], [internal, '100%25 broken']);
  assert.equal(only.trailers, undefined);
  const actions: Action[] = [{ kind: 'continue_response_body' }, { kind: 'cut', reason: 'later' }];
  rig.exchange.onFrame = () => actions.shift() ?? { kind: 'wait' };
  const stream = client.open();
  stream.write(Buffer.concat([firstMessage, framed(encoded(messages.responseBody('x')))]));
  const end = await endOf(stream);
  assert.equal(decodedReplies(end.body).length, 1);
  assert.equal(end.headers?.['grpc-status'], undefined);
  assert.deepEqual([end.trailers?.['grpc-status'], end.trailers?.['grpc-message']], [internal, 'later']);
});

test('after an error the stream is over, also for a peer that goes on and never ends its side', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  const actions: Action[] = [{ kind: 'continue_response_body' }, { kind: 'cut', reason: 'later' }];
  rig.exchange.onFrame = () => actions.shift() ?? { kind: 'wait' };
  const stream = client.open();
  const over = endOf(stream);
  const going = setInterval(() => stream.writable && stream.write(firstMessage), 1);
  const end = await over;
  clearInterval(going);
  assert.equal(statusOf(end), internal);
  assert.equal(rig.exchange.frames.length, 2, 'nothing is taken after the cut');
});

test('a stream that ends within a message ends with an error', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  for (const length of [1, 5, firstMessage.length - 1]) {
    const stream = client.open();
    stream.end(firstMessage.subarray(0, length));
    const end = await endOf(stream);
    assert.equal(statusOf(end), internal, `${length}`);
  }
  assert.deepEqual(rig.exchange.frames, []);
});

test('any cut of the bytes into DATA frames gives the same frames', { timeout: 60_000 }, async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  const texts = ['', 'a', 'x'.repeat(40_000)];
  const bytes = Buffer.concat([firstMessage, ...texts.map((text) => framed(encoded(messages.requestBody(text))))]);
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20_000 })), {
    minLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(sizes, async (chunkSizes) => {
      rig.exchange.frames.length = 0;
      const stream = client.open();
      const over = endOf(stream);
      for (let at = 0, index = 0; at < bytes.length; index += 1) {
        const size = (chunkSizes[index % chunkSizes.length] ?? 1) * (index > 200 ? 100 : 1);
        stream.write(bytes.subarray(at, at + size));
        at += size;
        if (index % 3 === 0 && index < 60) await turn();
      }
      stream.end();
      assert.equal(statusOf(await over), '0');
      assert.deepEqual(
        rig.exchange.frames.map((frame) => ('body' in frame ? String(frame.body) : frame.kind)),
        ['request_headers', ...texts],
      );
    }),
    { numRuns: 25 },
  );
});

test('a peer that sends faster than we take is held back, and nothing is lost', { timeout: 60_000 }, async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  const gate = Promise.withResolvers<void>();
  rig.exchange.onFrame = async () => {
    await gate.promise;
    return { kind: 'wait' };
  };
  const chunks = 200;
  const chunk = framed(encoded({ request_body: { body: Buffer.alloc(100_000, 7) } }));
  let passed = 0;
  const stream = client.open();
  const over = endOf(stream);
  stream.write(firstMessage);
  for (let index = 0; index < chunks; index += 1) {
    stream.write(chunk, () => {
      passed += chunk.length;
    });
  }
  for (let before = -1; before !== passed; ) {
    before = passed;
    for (let round = 0; round < 20; round += 1) await ping(client);
  }
  assert.ok(passed < 1024 * 1024, `${passed} bytes were taken in for an exchange that takes none`);
  gate.resolve();
  stream.end();
  assert.equal(statusOf(await over), '0');
  assert.equal(rig.exchange.frames.length, 1 + chunks);
  assert.ok(rig.exchange.frames.slice(1).every((frame) => 'body' in frame && frame.body.length === 100_000));
});

/** A round trip; Envoy's keepalive does the same. */
function ping(client: RawClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.session.ping((error) => (error === null ? resolve() : reject(error)));
  });
}

test('a reset with any code, also that of no error, is no end of the request', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  rig.exchange.onFrame = () => ({ kind: 'continue_response_body' });
  for (const code of [0, 2, 8]) {
    rig.exchange.abandoned.length = 0;
    const ended = rig.nextEnd();
    const stream = client.open();
    stream.write(firstMessage);
    await new Promise((resolve) => stream.once('data', resolve));
    stream.close(code);
    const end = await endOf(stream);
    assert.equal(statusOf(end), undefined);
    await ended;
    assert.equal(rig.exchange.abandoned.length, 1);
  }
});

test('a stream that is reset in the moment in which it opens ends no process, thousands of them no connection', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  let goneAway = false;
  client.session.on('goaway', () => {
    goneAway = true;
  });
  for (let round = 0; round < 30; round += 1) {
    for (let index = 0; index < 100; index += 1) {
      const stream = client.open([{}, { ':path': '/unknown' }, { ':method': 'GET' }][index % 3]);
      stream.write(firstMessage);
      stream.close(8);
    }
    await ping(client);
  }
  assert.equal(goneAway, false);
  const stream = client.open();
  stream.end(firstMessage);
  assert.equal(statusOf(await endOf(stream)), '0');
});

test('connections that are no HTTP/2, or end in the middle, end themselves alone', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const starts = [
    Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'),
    Buffer.alloc(100, 0xff),
    preface.subarray(0, 10),
    Buffer.concat([preface, Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0), Buffer.alloc(50, 0xee)]),
    // A frame of HEADERS that is not compressed as it must be.
    Buffer.concat([
      preface,
      Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0),
      Buffer.of(0, 0, 4, 1, 5, 0, 0, 0, 1),
      Buffer.alloc(4, 0xff),
    ]),
  ];
  for (const bytes of starts) {
    await new Promise<void>((resolve) => {
      const socket = connectSocket(rig.socket, () => socket.end(bytes));
      socket.on('error', () => {});
      socket.resume();
      socket.on('close', () => resolve());
    });
  }
  const stream = client.open();
  stream.end(firstMessage);
  assert.equal(statusOf(await endOf(stream)), '0');
});

test('a connection that dies ends its exchanges, in whatever they are', async () => {
  await using rig = await createWireRig();
  const client = await RawClient.connect(rig.socket);
  const taken = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  rig.exchange.onFrame = async () => {
    taken.resolve();
    await gate.promise;
    return { kind: 'continue_response_body' };
  };
  const ended = rig.nextEnd();
  const stream = client.open();
  stream.write(firstMessage);
  await taken.promise;
  client.session.socket.destroy();
  gate.resolve();
  await ended;
  assert.deepEqual(rig.exchange.abandoned, [['connection_lost', '']]);
});

test('OK is said to nobody who has not ended his side, whatever happens', { timeout: 60_000 }, async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  const step = fc.constantFrom('wait', 'pass', 'cut', 'throw', 'reject', 'garbage', 'empty');
  const script = fc.record({ steps: fc.array(step, { maxLength: 5 }), ends: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(script, async ({ steps, ends }) => {
      const left = [...steps];
      rig.exchange.onFrame = () => actionOf(left.shift() ?? 'wait');
      const stream = client.open();
      const over = endOf(stream);
      for (const [index, kind] of steps.entries()) {
        const good = index === 0 ? firstMessage : framed(encoded(messages.responseBody('x')));
        if (kind === 'garbage') stream.write(framed(Buffer.of(0x12, 0xff)));
        else if (kind === 'empty') stream.write(framed(Buffer.alloc(0)));
        else stream.write(good);
      }
      const isFaulty = steps.some((kind) => kind !== 'wait' && kind !== 'pass');
      if (ends) stream.end();
      else if (!isFaulty) {
        await ping(client);
        await ping(client);
        assert.equal(stream.closed, false);
        stream.close(8);
      }
      const status = statusOf(await over);
      assert.equal(status, isFaulty ? internal : ends ? '0' : undefined);
    }),
    { numRuns: 200 },
  );
});

function actionOf(kind: string): Action | Promise<Action> {
  if (kind === 'throw') throw new Error('thrown');
  if (kind === 'reject') return Promise.reject(new Error('rejected'));
  if (kind === 'cut') return { kind: 'cut', reason: 'cut' };
  return kind === 'pass' ? { kind: 'continue_response_body' } : { kind: 'wait' };
}
