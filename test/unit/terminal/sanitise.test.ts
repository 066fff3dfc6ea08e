import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sanitise, sanitisedJson, sanitiseLine } from '../../../extproc/terminal/sanitise.ts';

const hostileCharacters = [
  '\u0000',
  '\u0007',
  '\u0008',
  '\r',
  '\u001b',
  '\u007f',
  '\u009b',
  '\u009d',
  '\u00ad',
  '\u061c',
  '\u200b',
  '\u200e',
  '\u2028',
  '\u202a',
  '\u202e',
  '\u2060',
  '\u2066',
  '\u2069',
  '\u3164',
  '\ufe01',
  '\ufeff',
  '\u{e0041}',
  '\u{e0100}',
  '\ud800',
];

// Written on its own, not from the expression under test.
function isDangerous(codePoint: number): boolean {
  if (codePoint === 0x0a || codePoint === 0x09) return false;
  return (
    codePoint < 0x20 ||
    (codePoint >= 0x7f && codePoint <= 0x9f) ||
    (codePoint >= 0x200b && codePoint <= 0x200f) ||
    (codePoint >= 0x2028 && codePoint <= 0x202e) ||
    (codePoint >= 0x2060 && codePoint <= 0x2069) ||
    (codePoint >= 0xd800 && codePoint <= 0xdfff) ||
    (codePoint >= 0xe0000 && codePoint <= 0xe0fff) ||
    codePoint === 0xfeff
  );
}

function hasDanger(text: string): boolean {
  return Array.from(text).some((character) => isDangerous(character.codePointAt(0) ?? 0));
}

const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...hostileCharacters, '\n', '\t', 'a'), fc.string({ unit: 'binary' })))
  .map((parts) => parts.join(''));

test('no control, bidi or zero-width character and no lone surrogate passes, whatever the text', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      assert.equal(hasDanger(sanitise(text)), false);
      assert.doesNotMatch(sanitiseLine(text), /[\n\t]/);
      assert.equal(hasDanger(sanitiseLine(text)), false);
    }),
  );
});

test('what was hidden is named', () => {
  for (const character of hostileCharacters) {
    const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    assert.equal(sanitise(`a${character}b`), `a<U+${hex}>b`);
  }
  assert.equal(sanitise('\u001b]0;owned\u0007'), '<U+001B>]0;owned<U+0007>');
});

test('ordinary text of any language stays as it is', () => {
  for (const text of ['tab\tand\nline', 'Grüße, 世界, שלום, नमस्ते, e\u0301', '❤️ 😀', '[EMAIL:7f3a9c21d0]'])
    assert.equal(sanitise(text), text);
  assert.equal(sanitise('a\r\nb'), 'a\nb');
});

test('JSON output has no dangerous character and parses to the same value', () => {
  const value = fc.dictionary(hostileText, fc.oneof(hostileText, fc.integer(), fc.constant(null)));
  fc.assert(
    fc.property(value, (original) => {
      const json = sanitisedJson(original);
      assert.equal(hasDanger(json), false);
      assert.doesNotMatch(json, /\n/);
      assert.equal(JSON.stringify(JSON.parse(json)), JSON.stringify(original));
    }),
  );
});
