type Waiting = () => void;

/**
 * Lets work begin a few at a time: what was approved in one moment must not keep the event loop from the health check of
 * Envoy, which would take this process for dead. Work that takes longer than a turn gives its turn on and goes on.
 */
export class Turns {
  readonly #atOnceMax: number;
  readonly #turnMaxMs: number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  constructor({ atOnceMax, turnMaxMs }: { atOnceMax: number; turnMaxMs: number }) {
    this.#atOnceMax = atOnceMax;
    this.#turnMaxMs = turnMaxMs;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken < this.#atOnceMax) this.#taken += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#next();
    };
    const timer = setTimeout(over, this.#turnMaxMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      over();
    }
  }

  /** Whoever waited longest takes the turn over. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
