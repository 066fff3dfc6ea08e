const periodMs = 60_000;
const differentMax = 10;

/**
 * For what may happen again every second for days: the log has it at once, and then once a minute. What is different
 * each time is in it too, up to a bound (inv. 10).
 */
export class Seldom {
  readonly #now: () => number;
  readonly #said = new Set<string>();
  #sinceMs = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Null when it is not to be said now; else how often something was left unsaid since the last time. */
  take(text: string): { unsaid: number } | null {
    if (this.#now() - this.#sinceMs >= periodMs) {
      this.#said.clear();
      this.#sinceMs = this.#now();
    }
    if (this.#said.has(text) || this.#said.size >= differentMax) {
      this.#unsaid += 1;
      return null;
    }
    this.#said.add(text);
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    return { unsaid };
  }
}
