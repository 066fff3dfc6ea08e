import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { GrpcStream } from '../../../extproc/wire/grpc-stream.ts';
import { endOf, framed, RawClient, statusOf } from './raw-client.ts';

/** A bare server whose next stream is at hand. */
async function createBareServer() {
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-grpc-'));
  const socket = join(directory, 'bare.sock');
  const server = createServer().listen(socket);
  await once(server, 'listening');
  return {
    socket,
    nextStream: async () => ((await once(server, 'stream')) as [ServerHttp2Stream])[0],
    [Symbol.asyncDispose]: async () => {
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

test('a stream that is to be completed before its peer has ended its side ends with an error', async () => {
  await using server = await createBareServer();
  await using client = await RawClient.connect(server.socket);
  for (const replies of [0, 1]) {
    const opened = server.nextStream();
    const stream = client.open();
    const over = endOf(stream);
    const call = new GrpcStream(await opened, { messageMaxBytes: 100 });
    await call.send(Array.from({ length: replies }, () => framed(Buffer.from('reply'))));
    call.complete();
    assert.equal(statusOf(await over), '13');
  }
});

test('a stream that ended with an error while its peer was held back is let go, and takes in nothing more', async () => {
  await using server = await createBareServer();
  await using client = await RawClient.connect(server.socket);
  const opened = server.nextStream();
  const stream = client.open();
  const over = endOf(stream);
  const served = await opened;
  const call = new GrpcStream(served, { messageMaxBytes: 1024 * 1024 });
  const closed = once(served, 'close');
  for (let index = 0; index < 20; index += 1) stream.write(framed(Buffer.alloc(100_000)));
  while (!served.isPaused()) await new Promise((resolve) => setImmediate(resolve));
  call.fail({ code: 13, details: 'enough' });
  assert.equal(statusOf(await over), '13');
  await closed;
});

test('the end is told once: what comes later changes nothing', async () => {
  await using server = await createBareServer();
  await using client = await RawClient.connect(server.socket);
  const opened = server.nextStream();
  const stream = client.open();
  const over = endOf(stream);
  const call = new GrpcStream(await opened, { messageMaxBytes: 100 });
  await call.send([framed(Buffer.from('reply'))]);
  call.fail({ code: 13, details: 'first' });
  stream.end();
  call.complete();
  const end = await over;
  assert.equal(end.trailers?.['grpc-message'], 'first');
  call.fail({ code: 13, details: 'late' });
  await call.send([framed(Buffer.from('late'))]);
  assert.equal(await call.next(), undefined);
});

/** Envoy resets streams with the code of no error; Node keeps such a stream while anything of it is unsent. */
for (const code of [0, 8]) {
  for (const isOver of [false, true]) {
    test(`a stream that its peer resets with code ${code} is let go with all that is unsent, ended: ${isOver}`, async () => {
      await using server = await createBareServer();
      await using client = await RawClient.connect(server.socket);
      for (const sentBytes of [0, 3_000_000]) {
        const opened = server.nextStream();
        const stream = client.open();
        const served = await opened;
        const call = new GrpcStream(served, { messageMaxBytes: 1024 * 1024 });
        const closed = once(served, 'close');
        const sending = call.send(Array.from({ length: 40 }, () => Buffer.alloc(100_000)));
        await once(stream, 'response');
        if (sentBytes > 0) {
          for (let sent = 0; sent < sentBytes; sent += 100_000) stream.write(framed(Buffer.alloc(100_000)));
          while (!served.isPaused()) await new Promise((resolve) => setImmediate(resolve));
        }
        if (isOver) call.fail({ code: 13, details: 'enough' });
        stream.close(code);
        await Promise.all([sending, closed]);
        assert.equal(await call.next(), undefined);
      }
    });
  }
}
