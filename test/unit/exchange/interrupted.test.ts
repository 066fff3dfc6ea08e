import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeInterrupted } from '../../../extproc/exchange/interrupted.ts';
import { question, requestBody, requestHeaders, wholeRequest } from './frames.ts';
import { createRig, FakeLog, nowMs, play } from './rig.ts';

const clock = { nowMs: () => nowMs };

async function* payloads(log: FakeLog) {
  for (const payload of log.payloads) yield { payload };
}

test('what was open at the death of the processor ends as interrupted, and only that', async () => {
  const { log: before, open } = createRig();
  const [held, ended, released] = [open(), open(), open()];
  await play(held, [requestHeaders(), requestBody(question)]);
  await play(ended, wholeRequest);
  await ended.abandon('stream_ended', '');
  await play(released, wholeRequest);
  const log = new FakeLog();
  const told: string[][] = [];
  const ids = await closeInterrupted(payloads(before), log, clock, (...end) => told.push(end));
  assert.deepEqual([...ids.keys()], [held.id, released.id]);
  assert.deepEqual(told, Array(2).fill(['claude', 'interrupted']));
  const finished = { outcome: 'interrupted', detail: 'the processor ended', status: null, localReply: '' };
  assert.deepEqual(log.records, [
    { exchangeId: held.id, timeMs: nowMs, kind: 'finished', finished },
    { exchangeId: released.id, timeMs: nowMs, kind: 'finished', finished },
  ]);
  assert.deepEqual(log.events.slice(-2), ['sync', 'synced']);
});

test('with nothing open nothing is written and the disk is not asked', async () => {
  const log = new FakeLog();
  assert.equal((await closeInterrupted(payloads(new FakeLog()), log, clock)).size, 0);
  assert.deepEqual(log.events, []);
});

test('a second death before the first was cleared up ends nothing twice', async () => {
  const { log, open } = createRig();
  await play(open(), wholeRequest);
  await closeInterrupted(payloads(log), log, clock);
  assert.equal((await closeInterrupted(payloads(log), log, clock)).size, 0);
  assert.equal(log.finished.length, 1);
});

test('records of another program stop the start instead of being skipped', async () => {
  const log = new FakeLog();
  log.payloads.push(Buffer.alloc(40, 9));
  await assert.rejects(closeInterrupted(payloads(log), new FakeLog(), clock), { code: 'journal_corrupt' });
});
