import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noDetectors } from '../../../extproc/masking/detector-list.ts';
import { Lane, type LaneOptions } from '../../../extproc/reading/lane.ts';
import { largeReading } from '../../../extproc/reading/threaded-reader.ts';
import { messagesBody } from '../../builders/messages-body.ts';
import { waitUntil } from '../../environment/wait.ts';
import { messagesPlace as place } from './place.ts';

const body = (text: string) => () => ({ bytes: new Uint8Array(Buffer.from(text)), stored: null });
const laneOf = (options: Partial<LaneOptions>) =>
  new Lane({
    readMaxMs: 60_000,
    idleMaxMs: 60_000,
    start: { journal: null, detectors: noDetectors },
    largeWork: largeReading(),
    ...options,
  });
const question = JSON.stringify({ model: 'm', messages: [] });

test('a question that takes too long ends the thread, and the next one finds another', async () => {
  const lane = laneOf({ readMaxMs: 1 });
  // Beginning a thread takes longer than a millisecond.
  await assert.rejects(lane.ask('body', place, 1, body(question)), /it ended/);
  await lane.close();
  const patient = laneOf({});
  assert.equal((await patient.ask('body', place, 1, body(question))).fault, '');
  await patient.close();
});

test('bytes are copied when their turn has come', async () => {
  const lane = laneOf({});
  const copied: number[] = [];
  const asked = [0, 1, 2].map((at) =>
    lane.ask('body', place, 1, () => {
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

test('a thread that has read a large body ends when it is idle, and the next question finds another', async () => {
  const lane = laneOf({ idleMaxMs: 1 });
  await lane.ask('body', place, 1, body(question));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(lane.isBegun, true, 'after a small body it stays');
  await lane.ask('body', place, 9_000_000, body(messagesBody('x'.repeat(9_000_000))));
  await waitUntil('the end of the thread', () => !lane.isBegun);
  assert.equal((await lane.ask('body', place, 1, body(question))).fault, '');
  await lane.close();
});
