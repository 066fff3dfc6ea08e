import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopShare } from '../../../extproc/exchange/loop-share.ts';

/** Counts the turns of the event loop that have passed, until it is stopped. */
function countTurns(): { count: () => number; stop: () => void } {
  let count = 0;
  let next = setImmediate(function again() {
    count += 1;
    next = setImmediate(again);
  });
  return { count: () => count, stop: () => clearImmediate(next) };
}

function busy(): void {
  const end = performance.now() + 2;
  while (performance.now() < end);
}

test('pieces of work that come together are done in their order, each in a turn of its own once the share is used up', async () => {
  const turns = new LoopShare(1);
  const loop = countTurns();
  const done: { piece: number; turn: number }[] = [];
  const work = [0, 1, 2, 3].map((piece) =>
    turns.run(() => {
      busy();
      done.push({ piece, turn: loop.count() });
    }),
  );
  await Promise.all(work);
  loop.stop();
  assert.deepEqual(
    done.map(({ piece }) => piece),
    [0, 1, 2, 3],
  );
  assert.equal(new Set(done.map(({ turn }) => turn)).size, 4);
});

test('work below the share is done at once', async () => {
  const turns = new LoopShare(1_000);
  const loop = countTurns();
  for (let piece = 0; piece < 50; piece += 1) await turns.run(() => {});
  assert.equal(loop.count(), 0);
  loop.stop();
});

test('work that throws rejects, and the next is done', async () => {
  const turns = new LoopShare();
  await assert.rejects(
    async () =>
      turns.run(() => {
        throw new Error('no');
      }),
    /no/,
  );
  assert.equal(await turns.run(() => 7), 7);
});
