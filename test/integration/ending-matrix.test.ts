import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../bench/statistics.ts';
import { breaks, type EndingCase, endingCases } from '../torture/ending-case.ts';
import { runEndings } from '../torture/ending-matrix.ts';

/** Of each way to break off; the whole matrix is `test/torture/endings.ts`. */
const casesOfEach = 64;

function sample(cases: readonly EndingCase[], count: number, random: () => number): EndingCase[] {
  const rest = [...cases];
  return Array.from({ length: Math.min(count, rest.length) }, () => {
    const [taken] = rest.splice(Math.floor(random() * rest.length), 1);
    assert.ok(taken !== undefined);
    return taken;
  });
}

test('wherever and by whomever an answer is broken off, exactly what the caller got is recorded, with its true outcome', async (t) => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`seed ${seed} (TEST_SEED)`);
  const random = seededRandom(seed);
  const all = await endingCases(random, 5);
  const cases = breaks.flatMap((by) =>
    sample(
      all.filter((one) => one.by === by),
      casesOfEach,
      random,
    ),
  );
  assert.deepEqual(await runEndings(cases, (line) => t.diagnostic(line)), []);
});
