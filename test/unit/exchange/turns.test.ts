import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../extproc/exchange/turns.ts';
import { settle } from './rig.ts';

test('work begins a few at a time, in its order, and each end lets the next begin', async () => {
  const turns = new Turns({ atOnceMax: 2, turnMaxMs: 1_000_000 });
  const begun: number[] = [];
  const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<number>());
  const works = ends.map(({ promise }, at) =>
    turns.run(() => {
      begun.push(at);
      return promise;
    }),
  );
  await settle();
  assert.deepEqual(begun, [0, 1]);
  ends[1]?.reject(new Error('x'));
  await assert.rejects(works[1] ?? Promise.resolve());
  await settle();
  assert.deepEqual(begun, [0, 1, 2]);
  for (const [at, { resolve }] of ends.entries()) resolve(at);
  assert.deepEqual(await Promise.all([works[0], works[2], works[3]]), [0, 2, 3]);
});

test('work that takes longer than its turn goes on, and the next begins', async () => {
  const turns = new Turns({ atOnceMax: 1, turnMaxMs: 1 });
  const end = Promise.withResolvers<string>();
  const long = turns.run(() => end.promise);
  assert.equal(await turns.run(async () => 'next'), 'next');
  end.resolve('long');
  assert.equal(await long, 'long');
  assert.equal(await turns.run(async () => 'after'), 'after');
});
