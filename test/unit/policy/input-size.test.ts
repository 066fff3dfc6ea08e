import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inputMaxBytes } from '../../../extproc/policy/input-bounds.ts';
import { isInputTooLarge } from '../../../extproc/policy/input-size.ts';

const jsonBytes = (input: unknown) => Buffer.byteLength(JSON.stringify(input));

test('an input is too large exactly when its JSON has more bytes than the limit, whatever it is made of', () => {
  const part = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.string({ unit: 'binary' }), fc.double());
  fc.assert(
    fc.property(part, fc.integer({ min: -2, max: 2 }), (value, over) => {
      assert.equal(isInputTooLarge(value), jsonBytes(value) > inputMaxBytes);
      // The same made as large as the limit, and a few bytes less and more.
      const filled = { value, text: '' };
      filled.text = 'x'.repeat(Math.max(0, inputMaxBytes - jsonBytes(filled) + over));
      assert.equal(isInputTooLarge(filled), jsonBytes(filled) > inputMaxBytes);
    }),
  );
});

test('what JSON writes longest is not taken for smaller than it is', () => {
  const worst: unknown[] = [
    '\u0000',
    '\ud800',
    '"',
    '\n',
    '\u{1f600}',
    -1.7976931348623157e308,
    -5e-324,
    false,
    null,
    {},
    [],
  ];
  for (const value of worst) {
    const list = Array(Math.ceil(inputMaxBytes / jsonBytes(value))).fill(value);
    assert.equal(jsonBytes(list) > inputMaxBytes, true);
    assert.equal(isInputTooLarge(list), true, JSON.stringify(value));
    const names = Object.fromEntries(list.map((_, index) => [`\u0001${index}`, value]));
    assert.equal(isInputTooLarge(names), jsonBytes(names) > inputMaxBytes, JSON.stringify(value));
  }
});
