/** Counts what one of many does, a minute at a time (inv. 10). */
const windowMs = 60_000;

/** `maxPerMinute` of each; more than `keysMax` are counted together. */
export type AttemptLimits = { maxPerMinute: number; keysMax: number };

export class Attempts {
  readonly #limits: AttemptLimits;
  readonly #now: () => number;
  readonly #counts = new Map<string, number>();
  #sinceMs = 0;

  constructor(limits: AttemptLimits, now = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Until when what was one too many is one too many. */
  get secondsLeft(): number {
    return Math.max(1, Math.ceil((this.#sinceMs + windowMs - this.#now()) / 1_000));
  }

  /** False: it was one too many. */
  take(key: string): boolean {
    const nowMs = this.#now();
    // A clock that was set back begins a minute as well.
    if (Math.abs(nowMs - this.#sinceMs) >= windowMs) {
      this.#counts.clear();
      this.#sinceMs = nowMs;
    }
    const counted = this.#counts.has(key) || this.#counts.size < this.#limits.keysMax ? key : 'others';
    const count = (this.#counts.get(counted) ?? 0) + 1;
    this.#counts.set(counted, count);
    return count <= this.#limits.maxPerMinute;
  }
}
