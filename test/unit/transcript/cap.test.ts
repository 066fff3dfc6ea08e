import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { capText } from '../../../extproc/masking/cap-text.ts';
import { capStrings } from '../../../extproc/transcript/cap.ts';

test('a text within the limit stays as it is', () => {
  const cap = { cut: false, maxChars: 4 };
  assert.equal(capText('four', cap), 'four');
  assert.equal(cap.cut, false);
});

test('a longer one keeps head and tail, and says how much is missing', () => {
  const cap = { cut: false, maxChars: 4 };
  assert.equal(capText('abcdefghij', cap), 'ab\n[... 6 characters ...]\nij');
  assert.equal(cap.cut, true);
});

test('no character is cut in half, and head, tail and the number between them make the whole', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 20 }), (whole, maxChars) => {
      fc.pre(whole.isWellFormed() && !whole.includes('['));
      const capped = capText(whole, { cut: false, maxChars });
      assert.ok(capped.isWellFormed());
      const [, head = '', missing, tail = ''] = /^(.*)\n\[\.\.\. (\d+) characters \.\.\.\]\n(.*)$/s.exec(capped) ?? [];
      if (missing === undefined) assert.equal(capped, whole);
      else assert.ok(whole.startsWith(head) && whole.endsWith(tail));
      if (missing !== undefined) assert.equal(head.length + Number(missing) + tail.length, whole.length);
    }),
  );
});

test('strings are shortened wherever they stand; keys, numbers and a key __proto__ stay', () => {
  const cap = { cut: false, maxChars: 2 };
  const value = JSON.parse('{"__proto__":["aaaa"],"long key":{"n":12345,"b":true,"z":null}}');
  assert.equal(
    JSON.stringify(capStrings(value, cap)),
    '{"__proto__":["a\\n[... 2 characters ...]\\na"],"long key":{"n":12345,"b":true,"z":null}}',
  );
  assert.equal(cap.cut, true);
});
