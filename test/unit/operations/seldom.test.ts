import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Seldom } from '../../../extproc/operations/seldom.ts';

test('what happens every second is said at once and then once a minute, with how often it was left unsaid', () => {
  let nowMs = 5_000;
  const seldom = new Seldom(() => nowMs);
  const said: [second: number, unsaid: number][] = [];
  for (let second = 0; second < 150; second += 1, nowMs += 1_000) {
    const due = seldom.take('the index cannot be opened');
    if (due !== null) said.push([second, due.unsaid]);
  }
  assert.deepEqual(said, [
    [0, 0],
    [60, 59],
    [120, 59],
  ]);
});

test('another fault is said at once too, and faults that are never the same are said ten times a minute', () => {
  const seldom = new Seldom(() => 0);
  const said = Array.from({ length: 1_000 }, (_, at) => seldom.take(`fault ${at}`)).filter((due) => due !== null);
  assert.equal(said.length, 10);
});
