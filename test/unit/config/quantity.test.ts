import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantityInUnit } from '../../../extproc/config/quantity.ts';

test('a quantity with a unit becomes the number that the key takes', () => {
  const cases: [string, string, number | null][] = [
    ['64 MiB', 'requestBodyMaxBytes', 67108864],
    ['1.5kb', 'requestBodyMaxBytes', 1500],
    ['2s', 'decisionTimeoutMs', 2000],
    ['5m', 'decisionTimeoutMs', 300_000],
    ['5m', 'heldBodyMaxBytes', 5 * 1024 * 1024],
    ['50', 'syncIntervalMs', 50],
    ['2s', 'heldBodyMaxBytes', null],
    ['soon', 'decisionTimeoutMs', null],
    ['1 constructor', 'heldBodyMaxBytes', null],
  ];
  for (const [text, key, expected] of cases) assert.equal(quantityInUnit(text, key), expected, `${text} ${key}`);
});
