import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf } from '../../../extproc/claude/endpoint.ts';
import { Lane } from '../../../extproc/reading/lane.ts';
import { decodingLimits, noCodings } from '../../builders/decoding.ts';

const place = {
  endpoint: endpointOf('POST', '/v1/messages'),
  bodyForm: 'messages',
  contentType: 'application/json',
  codings: noCodings,
  decoding: decodingLimits,
} as const;
const body = (text: string) => () => ({ bytes: new Uint8Array(Buffer.from(text)), stored: null });
const question = JSON.stringify({ model: 'm', messages: [] });

test('a question that takes too long ends the thread, and the next one finds another', async () => {
  const lane = new Lane(1);
  // Beginning a thread takes longer than a millisecond.
  await assert.rejects(lane.ask('body', place, body(question)), /it ended/);
  await lane.close();
  const patient = new Lane(60_000);
  assert.equal((await patient.ask('body', place, body(question))).fault, '');
  await patient.close();
});

test('bytes are copied when their turn has come', async () => {
  const lane = new Lane(60_000);
  const copied: number[] = [];
  const asked = [0, 1, 2].map((at) =>
    lane.ask('body', place, () => {
      copied.push(at);
      return body(question)();
    }),
  );
  await Promise.resolve();
  assert.deepEqual(copied, [0]);
  await Promise.all(asked);
  assert.deepEqual(copied, [0, 1, 2]);
  await lane.close();
});
