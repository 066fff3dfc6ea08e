import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArchiveRun } from './archive-model.ts';

const runs = 30;
const steps = 25;
const first = Math.floor(Math.random() * 2 ** 31);

test('whatever fails, what was answered for is in the archive once and the archive is whole', async () => {
  let faults = 0;
  for (let seed = first; seed < first + runs; seed += 1) {
    const run = new ArchiveRun(seed);
    try {
      for (let step = 0; step < steps; step += 1) await run.step();
      await run.check();
    } catch (thrown) {
      throw new Error(`seed ${seed}`, { cause: thrown });
    }
    faults += run.faults;
  }
  assert.ok(faults > runs, `${faults} faults are too few to say anything`);
});
