import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondHalf, slopePerHour } from '../../torture/soak/growth.ts';

const minuteMs = 60_000;
const line = (valueAt: (minute: number) => number) =>
  Array.from({ length: 60 }, (_, minute) => ({ atMs: 1_000 + minute * minuteMs, value: valueAt(minute) }));

test('a straight line has its slope, and a level one none', () => {
  assert.ok(Math.abs(slopePerHour(line((minute) => 100 + minute)) - 60) < 1e-6);
  assert.equal(slopePerHour(line(() => 7)), 0);
  assert.equal(slopePerHour([]), 0);
  assert.equal(slopePerHour([{ atMs: 1, value: 5 }]), 0);
});

test('what swings about a level is no growth, what creeps up under the swing is', () => {
  const swing = (minute: number) => (minute % 2 === 0 ? 10 : -10);
  assert.ok(Math.abs(slopePerHour(line((minute) => 100 + swing(minute)))) < 2);
  assert.ok(slopePerHour(line((minute) => 100 + swing(minute) + minute / 2)) > 28);
});

test('the second half begins in the middle of the time, whenever the samples came', () => {
  const points = [0, 1, 2, 50, 60, 100].map((atMs) => ({ atMs, value: 0 }));
  assert.deepEqual(
    secondHalf(points).map(({ atMs }) => atMs),
    [50, 60, 100],
  );
});
