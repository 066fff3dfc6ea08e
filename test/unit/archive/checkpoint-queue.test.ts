import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checkpoint, CheckpointSink } from '../../../extproc/archive/checkpoint.ts';
import { queued } from '../../../extproc/archive/checkpoint-queue.ts';
import { verifyArchive } from '../../../extproc/archive/verify.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { archiveOn, directory, exchangeOf } from './rig.ts';

const checkpoint = {} as Checkpoint;

/** A place that is slow, away or well, as told. */
function place() {
  const taken: string[] = [];
  const failed: string[] = [];
  const state = { isAway: false, until: Promise.resolve(), closed: 0 };
  const sink: CheckpointSink = {
    name: 'place',
    async deliver(line) {
      await state.until;
      if (state.isAway) throw new Error('away');
      taken.push(line);
    },
    close: async () => {
      state.closed += 1;
    },
  };
  const onFailed = (_: string, thrown: unknown) => failed.push(thrown instanceof Error ? thrown.message : '');
  return { taken, failed, state, queue: queued(sink, { onFailed }) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a place that takes its time holds up nobody, and gets all of them in their order', async () => {
  const { taken, failed, state, queue } = place();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.until = promise;
  for (const line of ['1', '2', '3']) await queue.deliver(line, checkpoint);
  assert.deepEqual(taken, []);
  resolve();
  await queue.close?.();
  assert.deepEqual([taken, failed, state.closed], [['1', '2', '3'], [], 1]);
});

test('what a place that was away did not take is told, and comes with the next one', async () => {
  const { taken, failed, state, queue } = place();
  state.isAway = true;
  await queue.deliver('1', checkpoint);
  await settled();
  assert.deepEqual(failed, ['away']);
  state.isAway = false;
  await queue.deliver('2', checkpoint);
  await settled();
  assert.deepEqual(taken, ['1', '2']);
  state.isAway = true;
  await queue.deliver('3', checkpoint);
  await settled();
  state.isAway = false;
  await queue.close?.();
  assert.deepEqual(
    [taken, failed],
    [
      ['1', '2', '3'],
      ['away', 'away'],
    ],
  );
});

test('what waits is bounded: the oldest is given up, and that is told', async () => {
  const { taken, failed, state, queue } = place();
  state.isAway = true;
  for (let number = 1; number <= 1_003; number += 1) await queue.deliver(String(number), checkpoint);
  await settled();
  assert.equal(failed.filter((message) => /oldest was given up/.test(message)).length, 3);
  state.isAway = false;
  await queue.close?.();
  assert.deepEqual([taken.length, taken[0], taken.at(-1)], [1_000, '4', '1003']);
});

test('a place that several writers give theirs to verifies each of them, and still tells a line that was changed', async () => {
  const disk = new FakeFileSystem();
  const lines: string[] = [];
  const sink: CheckpointSink = {
    name: 'shared',
    deliver: async (line) => {
      lines.push(line);
    },
  };
  const archives = [archiveOn(disk, { sinks: [sink] }), archiveOn(disk, { sinks: [sink] })];
  for (const [at, one] of archives.entries()) {
    const archive = one.open();
    await archive.archive([one.ended(exchangeOf(at + 1))]);
    await archive.close();
  }
  const verified = (outside: string[]) =>
    verifyArchive({
      ...{ directory, fileSystem: disk, publicKeys: archives.map(({ key }) => key.publicKey) },
      outside: new Map([['the index', outside.join('\n')]]),
    });
  const { findings, counts } = await verified(lines);
  assert.deepEqual([findings, counts.outside], [[], lines.length]);
  const changed = lines.map((line, at) => (at === 0 ? line.replace('"number":1', '"number":7') : line));
  assert.deepEqual(
    (await verified(changed)).findings.map(({ kind }) => kind),
    ['edited'],
  );
});
