/** Bodies of this size and more are worked on one at a time. */
export const largeMinBytes = 8 * 1024 * 1024;

/**
 * After large work: what it left is several times the body, and a thread that then has little to do would keep it for a
 * long time. Does nothing where the runtime was started without the option for it (tools/runtime.json).
 */
export function collectGarbage(): void {
  gc?.();
}

/** Smaller ones are left to the collector: they are many, and several may share one piece of memory (`Buffer.poolSize`). */
const freedMinBytes = 32 * 1024;

/**
 * Gives the memory behind many bytes back now; nobody may look at them any more, nor at any other view of it. A buffer
 * that is only forgotten stays until it is collected: what passed two young collections, until 64 MiB are dead.
 */
export function freeBuffer({ buffer, length }: Uint8Array): void {
  if (length >= freedMinBytes && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The runtime lets a thread of ours leave 64 MiB of dead buffers before it looks after them; at most this many are left. */
const passingMaxBytes = 4 * 1024 * 1024;

/** For buffers that are read and let go one after the other: counts them, and has the young ones collected in time. */
export class PassingBytes {
  #bytes = 0;

  count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < passingMaxBytes) return;
    this.#bytes = 0;
    gc?.({ type: 'minor' });
  }
}

const { gc } = globalThis as { gc?: (options?: { type: 'minor' }) => void };

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
  #worked = false;
  readonly #patienceMs: number;

  /** `memory` is that of the other side; what an earlier thread of this side left in it is cleared. */
  constructor(side: keyof typeof sides, patienceMs: number, memory = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#busy = new Int32Array(memory);
    this.#own = sides[side];
    this.#patienceMs = patienceMs;
    Atomics.store(this.#busy, this.#own, 0);
  }

  /** Whether there was large work since this was last asked. */
  takeWorked(): boolean {
    const worked = this.#worked;
    this.#worked = false;
    return worked;
  }

  /** Does the work, after waiting for the other side when `bytes` are many. */
  async run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes < largeMinBytes) return work();
    const startMs = performance.now();
    const isOtherBusy = () => Atomics.load(this.#busy, 1 - this.#own) !== 0;
    // Said before the other side is looked at, so that not both begin at once. Whoever reads for a verdict goes first:
    // the one who ships takes its word back while it waits.
    Atomics.store(this.#busy, this.#own, 1);
    while (isOtherBusy() && performance.now() - startMs < this.#patienceMs) {
      if (this.#own === sides.shipping) Atomics.store(this.#busy, this.#own, 0);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      Atomics.store(this.#busy, this.#own, 1);
    }
    try {
      return await work();
    } finally {
      this.#worked = true;
      Atomics.store(this.#busy, this.#own, 0);
    }
  }
}
