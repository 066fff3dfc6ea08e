import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { ReleasedRequest } from '../../../extproc/exchange/releaser.ts';
import { SocketReleaser } from '../../../extproc/release/socket-releaser.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

async function listening(
  t: TestContext,
  listener: RequestListener,
): Promise<{ server: Server; releaser: SocketReleaser }> {
  const path = join(temporaryDirectory(t), 'release.sock');
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, releaser: new SocketReleaser(path) };
}

function request(body: ReleasedRequest['body'] = [Buffer.from('a'), Buffer.from('bc')]): ReleasedRequest {
  const headers = [
    ['host', 'gateway'],
    ['x-two', '1'],
    ['x-two', 'ü'],
    ['content-length', '3'],
  ] as const;
  return { method: 'POST', target: '/v1/messages?beta=true', headers, body };
}

const never = new AbortController().signal;

test('a request goes out as it is, and its answer comes piece by piece', async (t) => {
  let seen: unknown;
  const { releaser } = await listening(t, async (incoming, outgoing) => {
    const body = Buffer.concat(await Array.fromAsync(incoming)).toString();
    seen = [incoming.method, incoming.url, incoming.rawHeaders.slice(0, 8), body];
    outgoing.writeHead(201, [
      ['X-Two', 'a'],
      ['X-Two', 'b'],
    ] as never);
    outgoing.write('one');
    setTimeout(() => outgoing.end('two'), 20);
  });
  const result = await releaser.send(request(), never);
  assert.ok(result.kind === 'answered');
  const { answer } = result;
  assert.equal(answer.status, 201);
  assert.deepEqual(
    answer.headers.filter(([name]) => name === 'x-two').map(([, value]) => value),
    ['a', 'b'],
  );
  assert.deepEqual(
    [String(await answer.next()), String(await answer.next()), await answer.next()],
    ['one', 'two', null],
  );
  const headers = ['host', 'gateway', 'x-two', '1', 'x-two', 'ü', 'content-length', '3'];
  assert.deepEqual(seen, ['POST', '/v1/messages?beta=true', headers, 'abc']);
});

test('where nobody listens, nothing was sent', async (t) => {
  const releaser = new SocketReleaser(join(temporaryDirectory(t), 'none.sock'));
  const result = await releaser.send(request(), never);
  assert.equal(result.kind, 'unsent');
  assert.equal((await releaser.send({ ...request(), target: '/a b' }, never)).kind, 'unsent');
});

test('a connection that ends without an answer may have taken the request', async (t) => {
  const { releaser } = await listening(t, (incoming) => void incoming.socket.destroy());
  assert.equal((await releaser.send(request(), never)).kind, 'broken');
});

test('what came of an answer before it broke off is given, however late it is read', async (t) => {
  const broken = Promise.withResolvers<void>();
  const { releaser } = await listening(t, (incoming, outgoing) => {
    incoming.socket.on('close', () => broken.resolve());
    outgoing.write('one');
    setTimeout(() => incoming.socket.destroy(), 20);
  });
  const result = await releaser.send(request(), never);
  assert.ok(result.kind === 'answered');
  await broken.promise;
  await pause(50);
  assert.equal(String(await result.answer.next()), 'one');
  await assert.rejects(result.answer.next());
});

test('an answer that breaks off is told when its pieces are read', async (t) => {
  const { releaser } = await listening(t, (incoming, outgoing) => {
    outgoing.write('one');
    setTimeout(() => incoming.socket.destroy(), 20);
  });
  const result = await releaser.send(request(), never);
  assert.ok(result.kind === 'answered');
  assert.equal(String(await result.answer.next()), 'one');
  await assert.rejects(result.answer.next());
});

test('a body that cannot be read back breaks the request off before it is whole', async (t) => {
  const whole: boolean[] = [];
  const { releaser } = await listening(t, (incoming) => {
    incoming.on('close', () => whole.push(incoming.complete));
    incoming.resume();
  });
  async function* body() {
    yield Buffer.from('a');
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new Error('not what was written');
  }
  const result = await releaser.send(request(body()), never);
  assert.ok(result.kind === 'broken');
  assert.match(result.fault.message, /not what was written/);
  while (whole.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(whole, [false]);
});

test('an abort reaches whoever answers, before the answer and within it', async (t) => {
  const closed: string[] = [];
  const { releaser } = await listening(t, (incoming, outgoing) => {
    outgoing.on('close', () => closed.push(incoming.url ?? ''));
    if (incoming.url === '/within') outgoing.write('one');
  });
  const before = new AbortController();
  const waiting = releaser.send({ ...request(), target: '/before' }, before.signal);
  setTimeout(() => before.abort(), 20);
  assert.equal((await waiting).kind, 'broken');
  const within = new AbortController();
  const result = await releaser.send({ ...request(), target: '/within' }, within.signal);
  assert.ok(result.kind === 'answered');
  assert.equal(String(await result.answer.next()), 'one');
  within.abort();
  await assert.rejects(result.answer.next());
  while (closed.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(closed, ['/before', '/within']);
});
