import type { Budget } from './ports.ts';

/** Below this a chunk is copied: kept as it came it would hold the whole gRPC message around it, up to 1 KiB for a byte. */
const smallChunkMaxBytes = 4096;
const blockBytes = 16_384;
const noBlock = Buffer.alloc(0);

/**
 * The bytes of one body, held until it is released or refused (or, of an answer, until its end). A request goes upstream
 * as the same bytes (inv. 3); joining them would hold a large body twice, so chunks are kept, and only small ones are put
 * together.
 */
export class HeldBody {
  readonly #budget: Budget;
  #chunks: Uint8Array[] = [];
  /** The block that small chunks are copied to; `#filled` of it is the last of the chunks. */
  #block = noBlock;
  #filled = 0;
  #bytes = 0;
  #held = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a chunk, or says which limit it would pass; a refused chunk is not kept. */
  add(
    chunk: Uint8Array,
    limits: { requestBodyMaxBytes: number; heldBodyMaxBytes: number },
  ): 'taken' | 'request_body_too_large' | 'held_bodies_at_limit' {
    if (this.#bytes + chunk.length > limits.requestBodyMaxBytes) return 'request_body_too_large';
    if (this.#budget.heldBodyBytes + chunk.length > limits.heldBodyMaxBytes) return 'held_bodies_at_limit';
    if (chunk.length > 0) this.#keep(chunk);
    this.#bytes += chunk.length;
    this.#held += chunk.length;
    this.#budget.heldBodyBytes += chunk.length;
    return 'taken';
  }

  #keep(chunk: Uint8Array): void {
    const isSmall = chunk.length < smallChunkMaxBytes && this.#chunks.length > 0;
    if (!isSmall) {
      this.#chunks.push(chunk);
      this.#block = noBlock;
      this.#filled = 0;
      return;
    }
    if (this.#filled + chunk.length > this.#block.length) {
      this.#block = Buffer.alloc(blockBytes);
      this.#filled = 0;
    }
    this.#block.set(chunk, this.#filled);
    const isContinued = this.#filled > 0;
    this.#filled += chunk.length;
    const view = this.#block.subarray(0, this.#filled);
    if (isContinued) this.#chunks[this.#chunks.length - 1] = view;
    else this.#chunks.push(view);
  }

  /** All of it is in memory. */
  get stored(): null {
    return null;
  }

  /** The whole body in one piece, for reading it; a body of one chunk is not copied. */
  joined(): Uint8Array {
    const [only, ...more] = this.#chunks;
    return only !== undefined && more.length === 0 ? only : Buffer.concat(this.#chunks);
  }

  /** The whole body in memory of its own, which may be given away, with room for what follows it up to `bytes`. */
  copied(bytes = this.#chunks.reduce((sum, { length }) => sum + length, 0)): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(bytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      copy.set(chunk, at);
      at += chunk.length;
    }
    return copy;
  }

  /**
   * Hands the chunks over one by one. A chunk counts until the next is asked for: the bytes that wait for a slow
   * upstream are held as much as those that wait for a verdict.
   */
  *release(): Generator<Uint8Array> {
    const waiting = this.#chunks.reverse();
    this.#chunks = [];
    for (let chunk = waiting.pop(); chunk !== undefined; chunk = waiting.pop()) {
      yield chunk;
      this.#giveBack(Math.min(chunk.length, this.#held));
    }
  }

  /** Gives the budget back; safe to call more than once. */
  forget(): void {
    this.#chunks = [];
    this.#giveBack(this.#held);
  }

  #giveBack(bytes: number): void {
    this.#budget.heldBodyBytes -= bytes;
    this.#held -= bytes;
  }
}
