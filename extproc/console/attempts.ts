/** Counts what one address tries before it is known who is there, a minute at a time (inv. 10). */
const windowMs = 60_000;

export class Attempts {
  readonly #maxPerMinute: number;
  readonly #addressesMax: number;
  readonly #now: () => number;
  readonly #counts = new Map<string, number>();
  #sinceMs = 0;

  constructor({ maxPerMinute, addressesMax }: { maxPerMinute: number; addressesMax: number }, now = Date.now) {
    this.#maxPerMinute = maxPerMinute;
    this.#addressesMax = addressesMax;
    this.#now = now;
  }

  /** False: it was one too many. More addresses than are counted apart are counted together. */
  take(address: string): boolean {
    const nowMs = this.#now();
    if (nowMs - this.#sinceMs >= windowMs) {
      this.#counts.clear();
      this.#sinceMs = nowMs;
    }
    const key = this.#counts.has(address) || this.#counts.size < this.#addressesMax ? address : 'others';
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count <= this.#maxPerMinute;
  }
}
