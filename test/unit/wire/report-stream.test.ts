import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Client, StatusObject } from '@grpc/grpc-js';
import { waitUntil } from '../../environment/wait.ts';
import { createWireRig } from './rig.ts';

const captured = readFileSync(new URL('../../fixtures/access-log/client-gone.bin', import.meta.url));
const path = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
const asIs = (bytes: Buffer) => bytes;

/** What a worker thread of Envoy holds open. */
function reportStream(client: Client) {
  const answered = Promise.withResolvers<void>();
  const call = client.makeClientStreamRequest<Buffer, Buffer>(path, asIs, asIs, () => answered.resolve());
  call.on('error', () => {});
  const status = new Promise<StatusObject>((resolve) => call.once('status', resolve));
  return { send: (message: Buffer) => call.write(message), status };
}

test('reports are taken as they come, on a stream that stays open', async () => {
  await using rig = await createWireRig();
  const stream = reportStream(rig.client);
  for (const count of [1, 2]) {
    stream.send(captured);
    await waitUntil('the report', () => rig.reports.taken.length === count);
  }
  assert.deepEqual(rig.reports.taken[0]?.[1], { by: 'client', detail: 'DC downstream_remote_disconnect' });
  assert.equal(rig.reports.isClosed, false);
});

test('a stream of reports does not hold up a drain, and ends when no exchange is open any more', async () => {
  await using rig = await createWireRig();
  const stream = reportStream(rig.client);
  stream.send(captured);
  await waitUntil('the report', () => rig.reports.taken.length === 1);
  const gate = Promise.withResolvers<void>();
  rig.exchange.onAbandon = () => gate.promise;
  const call = rig.call();
  const ended = rig.nextEnd();
  call.stream.end();
  call.stream.resume();
  await waitUntil('the exchange', () => rig.routes.length === 1);
  const drained = rig.server.drain(60_000);
  stream.send(captured);
  await waitUntil('a report while an exchange is open', () => rig.reports.taken.length === 2);
  assert.equal(rig.reports.isClosed, false);
  gate.resolve();
  await ended;
  await drained;
  assert.equal(rig.reports.isClosed, true);
  assert.notEqual((await stream.status).code, 0);
});

test('what is no report ends its stream with an error, and the next one is taken', async () => {
  await using rig = await createWireRig();
  const broken = reportStream(rig.client);
  broken.send(Buffer.from([0x0a, 0x7f]));
  assert.notEqual((await broken.status).code, 0);
  const stream = reportStream(rig.client);
  stream.send(captured);
  await waitUntil('the report', () => rig.reports.taken.length === 1);
});
