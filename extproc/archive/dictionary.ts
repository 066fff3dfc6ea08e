/** Bytes of a person's first frames in a segment, by which the later ones are compressed: the same headers, the same JSON. */

/** Of one person. A reader has to open so many bytes of a segment before any frame of that person. */
export const dictionaryMaxBytes = 64 * 1024;
/** Metadata are alike: one or two of them say how, and more would cost more than they save. */
export const metadataDictionaryMaxBytes = 4 * 1024;

export class SlotDictionary {
  #bytes: Buffer = Buffer.alloc(0);
  #isForgotten = false;
  readonly maxBytes: number;

  constructor(maxBytes = dictionaryMaxBytes) {
    this.maxBytes = maxBytes;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** @param plain the content of the next frame of the slot */
  grow(plain: Uint8Array): void {
    const room = this.#isForgotten ? 0 : this.maxBytes - this.#bytes.length;
    if (room > 0) this.#bytes = Buffer.concat([this.#bytes, plain.subarray(0, room)]);
  }

  /** For good: a reader takes the first frames for it, so it cannot begin anew. */
  forget(): void {
    this.#isForgotten = true;
    this.#bytes = Buffer.alloc(0);
  }
}

/**
 * As zstd takes it; undefined for none. A caller may choose its first bytes, and with the magic number of a trained
 * dictionary in front zstd would refuse it: four zeros stand before it.
 */
export function dictionaryOf(bytes: Buffer): Buffer | undefined {
  return bytes.length === 0 ? undefined : Buffer.concat([Buffer.alloc(4), bytes]);
}
