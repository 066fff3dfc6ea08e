import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { exchangeLevels, FrameCompressor } from '../../../extproc/archive/compressor.ts';
import { dictionaryMaxBytes, dictionaryOf, SlotDictionary } from '../../../extproc/archive/dictionary.ts';
import { seededRandom } from '../../fakes/file-system.ts';

/** From words that compress to bytes that do not. */
function bytesOf(random: () => number, length: number): Buffer {
  const kinds = 1 + Math.floor(random() * 256);
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * kinds)));
}

/** What a reader does, which knows no other frame. */
function opened(dictionary: SlotDictionary, packed: Buffer): Buffer {
  const bytes = dictionaryOf(dictionary.bytes);
  return zstdDecompressSync(packed, bytes === undefined ? {} : { dictionary: bytes });
}

test('every frame opens by itself, whoever is compressed in turn, also where more persons come than are kept ready', async (t) => {
  const seed = randomInt(2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const compressor = new FrameCompressor(exchangeLevels);
  const slots = Array.from({ length: 7 }, () => new SlotDictionary());
  for (let frame = 0; frame < 900; frame += 1) {
    // For a while some are met often and then not at all, so that others come in their place.
    const awake = Math.floor(frame / 300);
    const slot = slots[random() < 0.9 ? (awake + Math.floor(random() * 4)) % 7 : Math.floor(random() * 7)];
    assert.ok(slot);
    const length = random() < 0.05 ? 60_000 + Math.floor(random() * 20_000) : Math.floor(random() * 4_000);
    const plain = bytesOf(random, length);
    const packed = await compressor.compress(slot, plain);
    assert.ok(opened(slot, packed).equals(plain), `frame ${frame} of ${length} bytes`);
    if (random() < 0.02) compressor.forget(slot);
    slot.grow(plain);
  }
  for (const slot of slots) compressor.forget(slot);
});

test('a frame behind a whole dictionary takes no more than the work of the highest level leaves, in whatever order persons come', async () => {
  const random = seededRandom(11);
  const compressor = new FrameCompressor(exchangeLevels);
  const slots = Array.from({ length: 3 }, () => {
    const slot = new SlotDictionary();
    slot.grow(bytesOf(random, dictionaryMaxBytes));
    return slot;
  });
  for (let frame = 0; frame < 30; frame += 1) {
    const slot = slots[frame % 3] as SlotDictionary;
    const plain = Buffer.concat([slot.bytes.subarray(frame * 500, frame * 500 + 3_000), bytesOf(random, 500)]);
    const dictionary = dictionaryOf(slot.bytes) as Buffer;
    const best = zstdCompressSync(plain, { dictionary, params: { [constants.ZSTD_c_compressionLevel]: 12 } });
    assert.equal((await compressor.compress(slot, plain)).length, best.length);
  }
  for (const slot of slots) compressor.forget(slot);
});
