import type { Budget } from './ports.ts';

/**
 * The bytes of one request, held until it is released or refused. Chunks are kept as they came: they go upstream as
 * the same bytes (inv. 3), and joining them would hold a large body twice.
 */
export class HeldBody {
  readonly #budget: Budget;
  #chunks: Uint8Array[] = [];
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
    if (chunk.length > 0) this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#held += chunk.length;
    this.#budget.heldBodyBytes += chunk.length;
    return 'taken';
  }

  /** The whole body in one piece, for reading it; a body of one chunk is not copied. */
  joined(): Uint8Array {
    const [only, ...more] = this.#chunks;
    return only !== undefined && more.length === 0 ? only : Buffer.concat(this.#chunks);
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
