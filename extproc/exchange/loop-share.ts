import type { Soon } from './soon.ts';

/** With the piece of work that goes beyond it, which takes some milliseconds at the worst, a turn stays below 20 ms. */
const sliceMsByDefault = 5;

/**
 * Lets the rest of this thread go on between pieces of work. Others wait meanwhile with every byte of theirs, and Envoy
 * takes a processor that is silent for 1.5 s for dead, and ends all of its streams; requests whose records were written
 * together are all judged in one turn of the event loop.
 */
export class LoopShare {
  readonly #sliceMs: number;
  #spentMs = 0;
  #isResetDue = false;

  constructor(sliceMs = sliceMsByDefault) {
    this.#sliceMs = sliceMs;
  }

  /** Does the work at once, or in a later turn of the event loop when this one has had its share. */
  run<T>(work: () => Soon<T>): Soon<T> {
    return this.#spentMs < this.#sliceMs ? this.#timed(work) : this.#later(work);
  }

  async #later<T>(work: () => Soon<T>): Promise<T> {
    while (this.#spentMs >= this.#sliceMs) await new Promise((resolve) => setImmediate(resolve));
    return this.#timed(work);
  }

  #timed<T>(work: () => T): T {
    const startMs = performance.now();
    try {
      return work();
    } finally {
      this.#spentMs += performance.now() - startMs;
      if (!this.#isResetDue) setImmediate(() => this.#reset());
      this.#isResetDue = true;
    }
  }

  #reset(): void {
    this.#spentMs = 0;
    this.#isResetDue = false;
  }
}
