/**
 * Holds back what is begun until everything that came in the same read has been taken. Answers among it are on their way
 * to Envoy then, which works on them while requests are judged here; otherwise each of the two waits for the other.
 * What waits goes on together, in its order: a task of the event loop for each would cost as much as it gains.
 */
export class NextTurn {
  #waiting: (() => void)[] = [];

  /** Resolves when it has come. */
  come(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) > 1) return;
      // Two turns: what the answers leave to be written goes to the disk at the end of the first.
      setImmediate(() => setImmediate(() => this.#goOn()));
    });
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn();
  }
}
