import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuSeconds } from '../../bench/process-usage.ts';

test('CPU time is read past a command name with spaces and brackets', () => {
  const after = 'S 1 2 3 4 -1 4194560 5 6 7 8 150 50 9 10 20 0 1 0';
  assert.equal(cpuSeconds(`42 (node) ${after}`), 2);
  assert.equal(cpuSeconds(`42 (a) b (c ) 1 2) ${after}`), 2);
});
