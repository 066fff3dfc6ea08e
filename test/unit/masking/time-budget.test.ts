import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Masker } from '../../../extproc/masking/masker.ts';
import { TimeBudget } from '../../../extproc/masking/time-budget.ts';

const key = new Uint8Array(32).fill(5);
const usedUp = { code: 'masking_failed', message: /masking\.exchangeBudgetMs allows \(100 ms\)/ };

/** A masker whose every scan takes so much of the processor, and the budget that counts it. */
function slowMasking(scanMs: number, maxMs = 100) {
  let threadMs = 0;
  let scans = 0;
  const masker = new Masker({
    key,
    scan: () => {
      threadMs += scanMs;
      scans += 1;
      return [];
    },
  });
  const time = new TimeBudget(maxMs, () => threadMs);
  const limits = { textMaxChars: 1_000_000, allMaxChars: 100_000_000, time };
  return {
    mask: (value: string[]) => masker.json(value, { scope: 's', limits }),
    passOtherwise: (ms: number) => (threadMs += ms),
    scans: () => scans,
  };
}

test('a budget that is used up between two long texts ends masking there, with words of ours', () => {
  const { mask, scans } = slowMasking(60);
  const texts = Array.from({ length: 20 }, () => 'x'.repeat(100_000));
  assert.throws(() => mask(texts), usedUp);
  assert.ok(scans() < 5, `${scans()} texts were scanned`);
});

test('a budget is seen to be used up among many short texts too', () => {
  const { mask, scans } = slowMasking(1);
  assert.throws(() => mask(Array.from({ length: 10_000 }, () => 'ordinary')), usedUp);
  assert.ok(scans() < 1_000, `${scans()} texts were scanned`);
});

test('the documents of one exchange share a budget, and what happens between them is not counted', () => {
  const { mask, passOtherwise } = slowMasking(30);
  const text = ['x'.repeat(100_000)];
  mask(text);
  passOtherwise(10_000);
  mask(text);
  mask(text);
  assert.throws(() => {
    mask(text);
    mask(text);
  }, usedUp);
});

test('the budget counts the processor time of this thread', () => {
  const time = new TimeBudget(1);
  const limits = { textMaxChars: 10_000_000, allMaxChars: 100_000_000, time };
  const texts = Array.from({ length: 200 }, (_, at) => `${at} ada@example.org `.repeat(1_000));
  assert.throws(() => new Masker({ key }).json(texts, { scope: 's', limits }), { code: 'masking_failed' });
});
