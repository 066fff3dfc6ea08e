/** Cuts a stream of bytes where its content says so, so that what is sent again is cut in the same places. */
import { randomBytes } from 'node:crypto';

/** Small, because each turn of a conversation stores the two chunks anew that its new messages cut through. */
const minBytes = 128;
const averageBits = 9;
const maxBytes = 4096;

/**
 * One random number for each byte ("gear" hashing). Drawn anew by each process: places of cuts are kept nowhere, and
 * nobody outside can choose content that is cut in a certain way.
 */
export type Gear = Uint32Array;

export function randomGear(): Gear {
  const bytes = randomBytes(1024);
  return Uint32Array.from({ length: 256 }, (_, at) => bytes.readUInt32LE(4 * at));
}

/**
 * Where a request of a conversation changes from turn to turn: a message more, and the mark of the cache moved on. Cut
 * there, what stands between stays the same chunks.
 */
const seams = [',{"role":', ',"cache_control":'].map((text) => Buffer.from(text));
/** A cut depends on so many bytes behind it, so that it does not depend on the pieces that the bytes came in. */
const lookAheadBytes = 32;
/** No seam is cut nearer to the cut before, or a body of seams would be cut into nothing but small chunks. */
const seamMinBytes = 64;

/** Linear in what is pushed; holds less than one chunk. */
export class Chunker {
  readonly #gear: Gear;
  #carry: Buffer = Buffer.alloc(0);

  constructor(gear: Gear) {
    this.#gear = gear;
  }

  /** The chunks that are whole now. They may be views of `bytes`. */
  push(bytes: Uint8Array): Buffer[] {
    const input = this.#carry.length === 0 ? asBuffer(bytes) : Buffer.concat([this.#carry, bytes]);
    const { chunks, rest } = this.#cutAll(input, Math.max(0, input.length - lookAheadBytes));
    // A copy: what was pushed is not kept alive by its last bytes.
    this.#carry = Buffer.from(rest);
    return chunks;
  }

  /** What is left at the end. */
  end(): Buffer[] {
    const { chunks, rest } = this.#cutAll(this.#carry, this.#carry.length);
    this.#carry = Buffer.alloc(0);
    return rest.length > 0 ? [...chunks, rest] : chunks;
  }

  /** @param known bytes of the input behind which nothing is cut yet */
  #cutAll(input: Buffer, known: number): { chunks: Buffer[]; rest: Buffer } {
    const chunks: Buffer[] = [];
    const next = new SeamFinder(input);
    let start = 0;
    for (;;) {
      const end = this.#cut(input, start, known, next.after(start + seamMinBytes));
      if (end === undefined) return { chunks, rest: input.subarray(start) };
      chunks.push(input.subarray(start, end));
      start = end;
    }
  }

  /** Undefined when no cut is certain yet. */
  #cut(input: Buffer, start: number, known: number, seam: number): number | undefined {
    const gear = this.#gear;
    const end = Math.min(known, start + maxBytes, seam);
    let hash = 0;
    for (let at = start + minBytes; at < end; at += 1) {
      hash = ((hash << 1) + (gear[input[at] as number] as number)) | 0;
      if (hash >>> (32 - averageBits) === 0) return at + 1;
    }
    return end === seam || end === start + maxBytes ? end : undefined;
  }
}

/** Asked with places that only grow, so that each byte is looked at once for each seam. */
class SeamFinder {
  readonly #input: Buffer;
  readonly #next = seams.map(() => -1);

  constructor(input: Buffer) {
    this.#input = input;
  }

  /** The first one at or after a place; infinity where there is none. */
  after(from: number): number {
    for (const [at, seam] of seams.entries()) {
      if ((this.#next[at] ?? 0) >= from) continue;
      const found = this.#input.indexOf(seam, from);
      this.#next[at] = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    return Math.min(...this.#next);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
