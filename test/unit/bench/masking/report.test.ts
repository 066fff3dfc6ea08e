import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthTable, qualityTable, speedTable } from '../../../bench/masking/report.ts';
import { megabytesPerSecond, summarised } from '../../../bench/masking/speed.ts';

test('speed is bytes by CPU time, in millions of bytes', () => {
  assert.equal(megabytesPerSecond(5_000_000, 0.25), 20);
});

test('another tool is compared round by round, with the first in the list', () => {
  const [ours, theirs] = summarised(
    [
      { name: 'ours', megabytesPerSecond: [20, 40, 30] },
      { name: 'theirs', megabytesPerSecond: [2, 2, 10] },
    ],
    1,
  );
  assert.equal(ours?.megabytesPerSecond.median, 30);
  assert.equal(ours?.timesSlower.median, 1);
  // 10, 20 and 3 times
  assert.equal(theirs?.timesSlower.median, 10);
  assert.match(
    speedTable([ours, theirs].flatMap((each) => each ?? [])),
    /theirs +2\.00 \[2\.00 10\.0\] +10\.0 \[3\.00 20\.0\]/,
  );
});

test('a large number keeps its size in a table', () => {
  assert.match(speedTable(summarised([{ name: 'ours', megabytesPerSecond: [31_000] }], 1)), /31000 \[31000 31000\]/);
});

test('the worst shape and the worst growth are named, and no growth is read from times too short to tell', () => {
  const table = growthTable([
    { name: 'slow', smallMs: 50, largeMs: 600 },
    { name: 'steep', smallMs: 10, largeMs: 150 },
    { name: 'quick', smallMs: 0.01, largeMs: 4 },
  ]);
  assert.match(table, /slow +50 +600 +12\.0\n/);
  assert.match(table, /quick +0\.0 +4\.0 +-\n/);
  assert.match(table, /of 3 shapes the slowest took 600 ms for 1 MB; the time grew by at most 15\.0\n/);
  assert.match(growthTable([{ name: 'quick', smallMs: 1, largeMs: 4 }]), /took 4\.0 ms for 1 MB\n/);
});

test('shares of nothing are left open', () => {
  const types = [{ type: 'URL', labelled: 0, exact: 0, covered: 0, found: 3, right: 0 }];
  assert.match(qualityTable('ours', { types, without: 4, clean: 3 }), /URL +0 +- +- +3 +0\.000\n.*0\.750 of 4 texts/);
});
