import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { parseSearchText } from '../../../extproc/index/search-text.ts';

test('words, phrases and prefixes are told apart', () => {
  assert.deepEqual(parseSearchText('tape "two words" pre* "open end"* a:b'), [
    { content: 'tape', isPrefix: false },
    { content: 'two words', isPrefix: false },
    { content: 'pre', isPrefix: true },
    { content: 'open end', isPrefix: true },
    { content: 'a:b', isPrefix: false },
  ]);
});

test('what has no letter or digit is passed over, and a quote that is never closed separates words', () => {
  assert.deepEqual(
    parseSearchText('-- one"two *').map(({ content }) => content),
    ['one', 'two'],
  );
});

test('nothing to search for, too long and too many words are refused as usage', () => {
  for (const text of ['', '* " "', 'x'.repeat(2_001), 'x '.repeat(65)]) {
    assert.throws(
      () => parseSearchText(text),
      (thrown) => thrown instanceof SkilltapeError && thrown.code === 'usage',
    );
  }
});

test('every letter and digit that was typed stands in some term', () => {
  const letters = (text: string): string => text.normalize('NFC').replace(/[^\p{L}\p{N}]/gu, '');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      fc.pre(letters(text) !== '');
      assert.equal(
        letters(
          parseSearchText(text)
            .map(({ content }) => content)
            .join(''),
        ),
        letters(text),
      );
    }),
  );
});
