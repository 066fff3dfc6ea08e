import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { median, medianInterval, seededRandom } from '../../bench/statistics.ts';

const rates = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 12 });

test('the median is the middle value, or halfway between the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('the same seed gives the same numbers, another seed others, all from 0 up to 1', () => {
  const drawn = (seed: number) => Array.from({ length: 1_000 }, seededRandom(seed));
  assert.deepEqual(drawn(7), drawn(7));
  assert.notDeepEqual(drawn(7), drawn(8));
  assert.ok(drawn(7).every((value) => value >= 0 && value < 1));
  const mean = drawn(7).reduce((sum, value) => sum + value, 0) / 1_000;
  assert.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`);
});

test('an interval holds its median and lies within the values', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 0, max: 1e9 }), (values, seed) => {
      const { median: middle, low, high } = medianInterval(values, seededRandom(seed));
      assert.equal(middle, median(values));
      assert.ok(Math.min(...values) <= low && low <= middle && middle <= high && high <= Math.max(...values));
    }),
    { numRuns: 50 },
  );
});

test('fewer than three values give their range, since no interval can be had from them', () => {
  assert.deepEqual(medianInterval([1, 3], seededRandom(1)), { median: 2, low: 1, high: 3 });
  assert.deepEqual(medianInterval([5], seededRandom(1)), { median: 5, low: 5, high: 5 });
});

test('the interval covers the true median in about 95 of 100 samples', () => {
  const random = seededRandom(42);
  const samples = 200;
  let covered = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    // Uniform from 0 up to 1: the true median is one half.
    const { low, high } = medianInterval(Array.from({ length: 15 }, random), random);
    if (low <= 0.5 && 0.5 <= high) covered += 1;
  }
  assert.ok(covered / samples > 0.88, `${covered} of ${samples}`);
  assert.ok(covered < samples, 'an interval that is never wrong says nothing');
});
