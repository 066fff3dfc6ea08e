import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsIn, cutLine, wrap } from '../../../extproc/terminal/wrap.ts';

test('lines break between words, or inside a word that is too long', () => {
  assert.deepEqual(wrap('the quick brown fox', 10), ['the quick ', 'brown fox']);
  assert.deepEqual(wrap('x'.repeat(25), 10), ['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)]);
  assert.deepEqual(wrap('a\n\nb', 10), ['a', '', 'b']);
  assert.deepEqual(wrap('世界世界世界', 8), ['世界世界', '世界']);
});

test('no line is wider than asked, and nothing is lost', () => {
  const text = fc.string({ unit: fc.constantFrom('a', ' ', '\t', '世', '😀', 'é', '-'), maxLength: 200 });
  fc.assert(
    fc.property(text, fc.integer({ min: 8, max: 40 }), (line, width) => {
      const lines = wrap(line, width);
      assert.equal(lines.join(''), line);
      for (const part of lines) {
        const columns = Array.from(part).reduce((sum, at) => sum + (at === '\t' ? 8 : /[世😀]/u.test(at) ? 2 : 1), 0);
        assert.ok(columns <= width, `${JSON.stringify(part)} has ${columns} columns`);
        assert.ok(part.isWellFormed());
      }
    }),
  );
});

test('a line is cut to its columns, shows that it was, and never splits a character', () => {
  assert.equal(cutLine('short', 5), 'short');
  assert.equal(cutLine('a longer line', 8), 'a long…');
  const cut = cutLine('\u{1f600}'.repeat(20), 11);
  assert.ok(cut.isWellFormed() && columnsIn(cut) <= 11, cut);
});
