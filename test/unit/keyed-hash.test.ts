import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyedHashWith } from '../../extproc/keyed-hash.ts';

const key = new Uint8Array(32).fill(1);
const hash = keyedHashWith(key);

test('the same text under the same key and purpose has one hash, and it stays over releases', () => {
  assert.equal(hash('turn', 'hello'), hash('turn', 'hello'));
  // HMAC-SHA256 over purpose, a zero byte and the text: hashes in an index must be found again by a later release.
  assert.equal(hash('turn', 'hello'), '68282b567052e0a4c7dd0b3d158d6ef552af659bfd3d3ddb3db6860a5a82487b');
});

test('another key, purpose or text gives another hash: without the key nobody can test a guess', () => {
  const others = [
    keyedHashWith(new Uint8Array(32).fill(2))('turn', 'hello'),
    hash('scope', 'hello'),
    hash('turn', 'hello '),
    hash('turn', ''),
  ];
  assert.equal(new Set([hash('turn', 'hello'), ...others]).size, 5);
});

test('a hash is 64 hex digits whatever the text holds', () => {
  const anyText = fc.string({ unit: 'binary' });
  fc.assert(fc.property(anyText, (text) => assert.match(hash('turn', `${text}\0\ud800`), /^[0-9a-f]{64}$/)));
});

test('a text in pieces has the hash of the whole text', () => {
  const pieces = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('long '.repeat(5_000))));
  fc.assert(
    fc.property(pieces, (all) => {
      const inPieces = hash('turn', (write) => {
        for (const piece of all) write(piece);
      });
      assert.equal(inPieces, hash('turn', all.join('')));
    }),
  );
});
