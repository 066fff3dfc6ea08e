import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallClocks } from '../../../extproc/exchange/wall-clock.ts';

test('a clock shows day, weekday and time of its time zone', () => {
  assert.deepEqual(wallClocks(Date.parse('2026-01-02T23:04:05.678Z'), ['Europe/Berlin', 'Asia/Kolkata']), {
    UTC: { date: '2026-01-02', weekday: 'fri', hour: 23, minute: 4, minute_of_day: 1384 },
    'Europe/Berlin': { date: '2026-01-03', weekday: 'sat', hour: 0, minute: 4, minute_of_day: 4 },
    'Asia/Kolkata': { date: '2026-01-03', weekday: 'sat', hour: 4, minute: 34, minute_of_day: 274 },
  });
});

test('clocks go forward in spring: the hour that is left out is on no clock', () => {
  const shown = (time: string) => wallClocks(Date.parse(time), ['Europe/Berlin'])['Europe/Berlin']?.minute_of_day;
  assert.deepEqual([shown('2026-03-29T00:59:00Z'), shown('2026-03-29T01:00:00Z')], [119, 180]);
});

test('a clock shows the minute that is asked for, whichever was asked for before', () => {
  const shown = (time: string) => wallClocks(Date.parse(time), []).UTC?.minute_of_day;
  const times = ['10:04:00.000', '10:04:59.999', '10:05:00.000', '10:04:59.999', '09:05:00.000'];
  assert.deepEqual(
    times.map((time) => shown(`2026-01-02T${time}Z`)),
    [604, 604, 605, 604, 545],
  );
});
