import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectSocket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Client } from '@grpc/grpc-js';
import { credentials, status } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { startServer } from '../../../extproc/wire/server.ts';
import { createAuthority, writeCertificate } from '../../fakes/certificates.ts';
import { encoded } from './independent.ts';
import { messages } from './messages.ts';
import { endOf, framed, RawClient, statusOf } from './raw-client.ts';
import { Call, clientOf, createWireRig, FakeExchange, FakeReports, openCall } from './rig.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'skilltape-server-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

const noEnd = () => {};

async function healthOf(client: Client, name = ''): Promise<string> {
  const check = healthService.Check;
  assert.ok(check);
  const answer = await new Promise<unknown>((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = check;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: name }, (error, given) =>
      error === null ? resolve(given) : reject(error),
    );
  });
  return (answer as { status: string }).status;
}

test('a server is not healthy before it says so, nor once it stops saying so', async () => {
  await using rig = await createWireRig();
  assert.equal(await healthOf(rig.client), 'NOT_SERVING');
  rig.server.setServing(true);
  assert.equal(await healthOf(rig.client), 'SERVING');
  rig.server.setServing(false);
  assert.equal(await healthOf(rig.client), 'NOT_SERVING');
});

test('only the health of the whole server is known', async () => {
  await using rig = await createWireRig();
  await assert.rejects(healthOf(rig.client, 'another'), { code: status.NOT_FOUND });
  await assert.rejects(healthOf(rig.client, 'x'.repeat(2_000)), { code: status.INTERNAL });
});

test('the socket that a killed process left behind is replaced, and only its group may connect', async () => {
  const socket = join(directory, 'stale.sock');
  await new Promise<void>((resolve) => {
    const left = createServer().listen(socket, () => {
      left.unref();
      resolve();
    });
  });
  const exchange = new FakeExchange();
  const server = await startServer({ socket }, () => exchange, noEnd, new FakeReports());
  assert.equal(statSync(socket).mode & 0o777, 0o660);
  const client = clientOf(`unix:${socket}`, credentials.createInsecure());
  assert.equal(await healthOf(client), 'NOT_SERVING');
  client.close();
  await server.drain(0);
});

test('a file that is no socket is not taken away', async () => {
  const socket = join(directory, 'precious');
  writeFileSync(socket, 'precious');
  await assert.rejects(
    startServer({ socket }, () => new FakeExchange(), noEnd, new FakeReports()),
    { code: 'usage' },
  );
  assert.equal(statSync(socket).size, 8);
});

test('an address that cannot be taken is told with the address', async () => {
  const socket = join(directory, 'missing', 'x.sock');
  await assert.rejects(
    startServer({ socket }, () => new FakeExchange(), noEnd, new FakeReports()),
    { code: 'usage', message: /x\.sock/ },
  );
});

test('draining waits for open streams to end by themselves and takes no new ones', async () => {
  await using rig = await createWireRig();
  rig.exchange.onFrame = () => ({ kind: 'continue_response_body' });
  const call = rig.call();
  call.send(messages.requestHeaders());
  await call.repliesUntil(1);
  let isDrained = false;
  const drained = rig.server.drain(60_000).then(() => {
    isDrained = true;
  });
  call.send(messages.responseBody('x'));
  await call.repliesUntil(2);
  assert.equal(isDrained, false);
  const late = clientOf(`unix:${rig.socket}`, credentials.createInsecure());
  assert.notEqual((await openCall(late, 'claude').status).code, status.OK);
  late.close();
  assert.equal((await call.halfClose()).code, status.OK);
  await drained;
  assert.deepEqual(rig.exchange.abandoned, [['stream_ended', '']]);
});

test('a stream that outlasts the drain ends with an error, its exchange as interrupted, before the drain is over', async () => {
  await using rig = await createWireRig();
  let isRecorded = false;
  rig.exchange.onFrame = () => ({ kind: 'continue_response_body' });
  rig.exchange.onAbandon = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    isRecorded = true;
  };
  const call = rig.call();
  call.send(messages.requestHeaders());
  await call.repliesUntil(1);
  await rig.server.drain(1);
  assert.equal(isRecorded, true, 'the journal would be closed before the end was recorded');
  assert.deepEqual(rig.exchange.abandoned, [['interrupted', 'the processor was stopped']]);
  assert.notEqual((await call.status).code, status.OK);
});

test('a stream whose reader takes nothing does not outlast the drain, and is not ended well', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  rig.exchange.onFrame = () => ({
    ...{ kind: 'release', removeHeaders: [], accessLog: {}, hadBody: true, hadTrailers: false },
    body: Array.from({ length: 40 }, () => Buffer.alloc(1024 * 1024)),
  });
  const stream = client.open();
  stream.write(framed(encoded(messages.requestHeaders(true))));
  await once(stream, 'response');
  const over = endOf(stream.pause());
  stream.pause();
  await rig.server.drain(1);
  stream.resume();
  assert.notEqual(statusOf(await over), '0');
  assert.deepEqual(rig.exchange.abandoned, [['interrupted', 'the processor was stopped']]);
});

test('connections without a stream do not hold up a drain, also those that never said a word', async () => {
  const rig = await createWireRig();
  const idle = await RawClient.connect(rig.socket);
  const silent = connectSocket(rig.socket).resume();
  await once(silent, 'connect');
  const over = Promise.all([once(idle.session, 'goaway'), once(silent, 'close')]);
  await rig.server.drain(600_000);
  await over;
  await rig[Symbol.asyncDispose]();
});

test('what is read together is taken before an exchange that began with it: its answers need not wait for that', async () => {
  await using rig = await createWireRig();
  await using client = await RawClient.connect(rig.socket);
  const order: string[] = [];
  const began = Promise.withResolvers<void>();
  rig.exchange.onFrame = (frame) => {
    order.push(`${frame.kind} of ${rig.routes.length}`);
    if (rig.routes.length === 2) began.resolve();
    return { kind: 'wait' };
  };
  const first = client.open();
  first.write(framed(encoded(messages.requestHeaders())));
  while (order.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const second = client.open();
  second.write(framed(encoded(messages.requestHeaders())));
  first.write(framed(encoded(messages.requestBody('hello'))));
  await began.promise;
  assert.deepEqual(order, ['request_headers of 1', 'request_body of 1', 'request_headers of 2']);
});

test('over TCP only clients with a certificate of the authority are served', async () => {
  const authority = await createAuthority('gateway');
  const other = await createAuthority('another');
  const own = { commonName: 'extproc', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const files = await writeCertificate(directory, 'extproc', await authority.issue(own));
  const clientCa = await writeCertificate(directory, 'ca', { certificatePem: authority.certificatePem });
  const exchange = new FakeExchange();
  exchange.onFrame = () => ({ kind: 'continue_response_body' });
  const port = await freePort();
  const tls = { ...files, clientCaFile: clientCa.certificateFile };
  const server = await startServer(
    { tcp: { address: '127.0.0.1', port, tls } },
    () => exchange,
    noEnd,
    new FakeReports(),
  );
  const root = Buffer.from(authority.certificatePem);
  const withCertificate = async (issuer: typeof authority) => {
    const { certificatePem, privateKeyPem } = await issuer.issue({ commonName: 'envoy', purpose: 'client' });
    return credentials.createSsl(root, Buffer.from(privateKeyPem), Buffer.from(certificatePem));
  };
  const address = `127.0.0.1:${port}`;
  for (const refused of [credentials.createSsl(root), await withCertificate(other), credentials.createInsecure()]) {
    const client = clientOf(address, refused);
    const call = openCall(client, 'claude');
    call.send(messages.requestHeaders());
    assert.equal((await call.status).code, status.UNAVAILABLE);
    client.close();
  }
  assert.deepEqual(exchange.frames, []);
  const silent = connectSocket(port, '127.0.0.1').resume();
  await once(silent, 'connect');
  const silentOver = once(silent, 'close');
  const client = clientOf(address, await withCertificate(authority));
  const call = openCall(client, 'claude');
  assert.ok(call instanceof Call);
  call.send(messages.requestHeaders());
  await call.repliesUntil(1);
  assert.equal((await call.halfClose()).code, status.OK);
  client.close();
  await server.drain(600_000);
  await silentOver;
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
