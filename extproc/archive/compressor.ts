/** Compression of frames: zstd, with what a person's earlier frames have in common for a dictionary. */
import type { TransformOptions } from 'node:stream';
import { constants, createZstdCompress, type ZstdCompress, type ZstdOptions, zstdCompressSync } from 'node:zlib';
import { dictionaryOf, type SlotDictionary } from './dictionary.ts';

/** A turn of a conversation is small and worth more work; a large upload is seldom text, and would hold up the others. */
const smallMaxBytes = 64 * 1024;
/** Of zstd: behind a dictionary that it has taken in, and behind one that it takes in for this frame. */
export type Levels = { kept: number; once: number };

/** A high level costs ten times as much with a dictionary that is yet to be taken in, and next to nothing with one that is. */
export const exchangeLevels: Levels = { kept: 12, once: 9 };
/** Metadata are small and many: more work takes nothing off what their dictionary left. */
export const metadataLevels: Levels = { kept: constants.ZSTD_CLEVEL_DEFAULT, once: constants.ZSTD_CLEVEL_DEFAULT };

/** Compressors that have taken in a dictionary; each takes about 4 MiB, and 1 MiB at the level of metadata (inv. 10). */
const keptMax = 4;
/** Setting one up pays for itself in so many frames: it takes the place of one that was not used for longer. */
const idleFrames = 64;

/** One for all segments of a kind that a writer has open, so that their memory is bounded together. */
export class FrameCompressor {
  readonly #levels: Levels;
  /** The one used last at the end. */
  readonly #kept = new Map<SlotDictionary, KeptCompressor>();
  #frames = 0;

  constructor(levels: Levels) {
    this.#levels = levels;
  }

  /** @param dictionary of the frames before this one; it is not grown here */
  async compress(dictionary: SlotDictionary, plain: Uint8Array): Promise<Buffer> {
    this.#frames += 1;
    const kept = plain.length <= smallMaxBytes && plain.length > 0 ? this.#keptFor(dictionary) : undefined;
    if (kept === undefined) return this.#compressedOnce(dictionary, plain);
    try {
      return await kept.compress(plain);
    } catch (thrown) {
      // What is left in it would stand before the next frame.
      this.forget(dictionary);
      throw thrown;
    }
  }

  /** Nothing of that slot is written any more. */
  forget(dictionary: SlotDictionary): void {
    this.#kept.get(dictionary)?.close();
    this.#kept.delete(dictionary);
  }

  /** Undefined while the dictionary grows, and where others need the room more. */
  #keptFor(dictionary: SlotDictionary): KeptCompressor | undefined {
    const found = this.#kept.get(dictionary) ?? this.#setUp(dictionary);
    if (found === undefined) return undefined;
    found.usedAt = this.#frames;
    this.#kept.delete(dictionary);
    this.#kept.set(dictionary, found);
    return found;
  }

  #setUp(dictionary: SlotDictionary): KeptCompressor | undefined {
    const bytes = dictionary.bytes.length < dictionary.maxBytes ? undefined : dictionaryOf(dictionary.bytes);
    if (bytes === undefined) return undefined;
    const [oldest] = this.#kept;
    if (this.#kept.size >= keptMax && oldest !== undefined) {
      if (this.#frames - oldest[1].usedAt < idleFrames) return undefined;
      this.forget(oldest[0]);
    }
    return new KeptCompressor(bytes, this.#levels.kept);
  }

  #compressedOnce({ bytes }: SlotDictionary, plain: Uint8Array): Buffer {
    const dictionary = dictionaryOf(bytes);
    const level = plain.length <= smallMaxBytes ? this.#levels.once : constants.ZSTD_CLEVEL_DEFAULT;
    return zstdCompressSync(plain, {
      ...(dictionary !== undefined && { dictionary }),
      params: { [constants.ZSTD_c_compressionLevel]: level },
    });
  }
}

/** A stream of zstd in which every write is a whole frame, so that its dictionary is taken in once. */
class KeptCompressor {
  readonly #stream: ZstdCompress;
  /** In frames of all slots. */
  usedAt = 0;

  constructor(dictionary: Buffer, level: number) {
    const options: ZstdOptions & Pick<TransformOptions, 'readableHighWaterMark'> = {
      flush: constants.ZSTD_e_end,
      dictionary,
      params: { [constants.ZSTD_c_compressionLevel]: level },
      // More than a frame has, or it would wait for a reader in its middle.
      readableHighWaterMark: 2 * smallMaxBytes,
    };
    this.#stream = createZstdCompress(options);
    // Told to whoever waits for the write.
    this.#stream.on('error', () => {});
  }

  /** One at a time. */
  async compress(plain: Uint8Array): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(plain, (error) => (error == null ? resolve() : reject(error)));
    });
    const parts: Buffer[] = [];
    for (let part = this.#stream.read(); part !== null; part = this.#stream.read()) parts.push(part);
    return Buffer.concat(parts);
  }

  close(): void {
    this.#stream.close();
  }
}
