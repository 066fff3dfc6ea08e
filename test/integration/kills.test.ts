import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tortureByKills } from '../torture/kills/kills.ts';

/** Another number repeats a run, or makes it longer: `TEST_KILLS=1000`. */
const kills = Number(process.env.TEST_KILLS ?? 100);
const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));

test(`${kills} kills at random places under load lose, forge and repeat nothing`, async (t) => {
  t.diagnostic(`seed ${seed} (TEST_SEED)`);
  const { violations, ...report } = await tortureByKills({ seed, kills });
  t.diagnostic(JSON.stringify(report));
  assert.deepEqual(violations, []);
  assert.equal(report.kills, kills);
});
