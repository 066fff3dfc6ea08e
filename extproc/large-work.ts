/** Bodies of this size and more are worked on one at a time. */
export const largeMinBytes = 8 * 1024 * 1024;

const pollMs = 20;
const sides = { reading: 0, shipping: 1 } as const;

/**
 * Keeps the thread that reads bodies for their verdict and the thread that reads them for the index from working on large
 * ones at once: each takes several times the body in memory meanwhile (inv. 10). Whoever has waited for `patienceMs`
 * goes on all the same, so neither can hold up the other for long, also when it dies over its work.
 */
export class LargeWork {
  readonly memory: SharedArrayBuffer;
  readonly #busy: Int32Array;
  readonly #own: number;
  readonly #patienceMs: number;

  /** `memory` is that of the other side; what an earlier thread of this side left in it is cleared. */
  constructor(side: keyof typeof sides, patienceMs: number, memory = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#busy = new Int32Array(memory);
    this.#own = sides[side];
    this.#patienceMs = patienceMs;
    Atomics.store(this.#busy, this.#own, 0);
  }

  /** Does the work, after waiting for the other side when `bytes` are many. */
  async run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes < largeMinBytes) return work();
    const startMs = performance.now();
    while (Atomics.load(this.#busy, 1 - this.#own) !== 0 && performance.now() - startMs < this.#patienceMs) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    Atomics.store(this.#busy, this.#own, 1);
    try {
      return await work();
    } finally {
      Atomics.store(this.#busy, this.#own, 0);
    }
  }
}
