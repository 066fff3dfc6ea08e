import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { RecordingLoad } from '../../extproc/recording-load.ts';

const roomy = { bytes: 10, maxBytes: 100 };

function work(): void {
  for (const until = performance.now() + 50; performance.now() < until; );
}

test('a thread that works all the time is busy, and one that waits is not', async () => {
  // Before the loop began it has no figures.
  await setTimeout(1);
  const load = new RecordingLoad(() => roomy);
  work();
  assert.equal(load.isBusy(), true);
  await setTimeout(300);
  assert.equal(load.isBusy(), false);
  work();
  assert.equal(load.isBusy(), true, 'only what came since counts');
});

test('nothing gives way to a thread whose journal is half full', async () => {
  await setTimeout(1);
  let space = roomy;
  const load = new RecordingLoad(() => space);
  for (const [bytes, expected] of [
    [49, true],
    [50, false],
    [120, false],
  ] as const) {
    space = { bytes, maxBytes: 100 };
    work();
    assert.equal(load.isBusy(), expected);
  }
});
