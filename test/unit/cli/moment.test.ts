import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeEnd, rangeStart } from '../../../extproc/cli/moment.ts';

const now = new Date('2026-03-10T12:00:00Z');

test('dates, times and distances from now are understood, in UTC unless an offset is given', () => {
  const cases: [string, string][] = [
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T09:30', '2026-01-31T09:30:00.000Z'],
    ['2026-01-31T09:30:15.250Z', '2026-01-31T09:30:15.250Z'],
    ['2026-01-31T09:30+02:00', '2026-01-31T07:30:00.000Z'],
    ['-30m', '2026-03-10T11:30:00.000Z'],
    ['-2h', '2026-03-10T10:00:00.000Z'],
    ['-7d', '2026-03-03T12:00:00.000Z'],
    ['-4w', '2026-02-10T12:00:00.000Z'],
  ];
  for (const [text, expected] of cases) assert.equal(rangeStart('--from', text, now).toISOString(), expected, text);
});

test('a plain date ends a range after that day, a time ends it there', () => {
  assert.equal(rangeEnd('--to', '2026-02-28', now).toISOString(), '2026-03-01T00:00:00.000Z');
  assert.equal(rangeEnd('--to', '2026-02-28T01:00Z', now).toISOString(), '2026-02-28T01:00:00.000Z');
  assert.equal(rangeEnd('--to', '-1h', now).toISOString(), '2026-03-10T11:00:00.000Z');
});

test('what is no time is refused by name', () => {
  for (const text of [
    '',
    'now',
    '2h',
    '-2y',
    '-1h30m',
    '2026-02-30',
    '2026-13-01',
    '2026-01-01T25:00',
    '2026-01-01Z',
    '1',
  ])
    assert.throws(() => rangeStart('--from', text, now), { code: 'usage', message: `--from "${text}" is not a time` });
});
