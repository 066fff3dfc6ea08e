import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tortureByKills } from '../torture/kills/kills.ts';
import { tortureWorkersByKills } from '../torture/kills/workers.ts';

/** Another number repeats a run, or makes it longer: `TEST_KILLS=1000`, `TEST_WORKER_LIVES=200`. */
const kills = Number(process.env.TEST_KILLS ?? 100);
const lives = Number(process.env.TEST_WORKER_LIVES ?? 6);
/** Beside other tests the usual number takes minutes. */
const timeout = 12 * 60_000;
const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));

test(`${kills} kills at random places under load lose, forge and repeat nothing`, { timeout }, async (t) => {
  t.diagnostic(`seed ${seed} (TEST_SEED)`);
  const { violations, ...report } = await tortureByKills({ seed, kills });
  t.diagnostic(JSON.stringify(report));
  assert.deepEqual(violations, []);
  assert.equal(report.kills, kills);
  // A kill point that is never met would leave only signals.
  const places = Object.keys(report.places);
  for (const thread of ['main', 'shipping'])
    assert.ok(
      places.some((place) => place.startsWith(`${thread}: `)),
      thread,
    );
});

test(`${lives} primaries whose workers are killed, and which are killed themselves, lose, forge and repeat nothing`, {
  timeout,
}, async (t) => {
  t.diagnostic(`seed ${seed} (TEST_SEED)`);
  const { violations, counts } = await tortureWorkersByKills({ seed, lives });
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(violations, []);
  assert.equal(counts.lives, lives);
});
