/** Lets a sweep be made when the last one is long enough ago, whoever made that one. */
import type { LastSweep } from './last-sweep.ts';

export type SweepTimerParts = {
  /** From the beginning of one to the beginning of the next. */
  intervalMs: number;
  last: () => Pick<LastSweep, 'begunMs'>;
  /** Resolves when it ended, however. */
  sweep: () => Promise<void>;
  nowMs: () => number;
  /** A start has other things to do at first, and what dies at once must not sweep each time. */
  quietMs?: number;
  checkIntervalMs?: number;
};

/** Of one that did not come to its beginning, as while another command has the lock. */
const retryMs = 15 * 60_000;

export class SweepTimer {
  readonly #parts: Required<SweepTimerParts>;
  #notBeforeMs: number;
  #underWay = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SweepTimerParts) {
    this.#parts = { quietMs: 10 * 60_000, checkIntervalMs: 60_000, ...parts };
    this.#notBeforeMs = parts.nowMs() + this.#parts.quietMs;
  }

  start(): void {
    this.#timer = setInterval(() => void this.check(), this.#parts.checkIntervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One at a time. */
  async check(): Promise<void> {
    const { sweep, nowMs } = this.#parts;
    if (this.#underWay || !this.#isDue(nowMs())) return;
    this.#underWay = true;
    try {
      await sweep();
    } finally {
      this.#underWay = false;
      this.#notBeforeMs = nowMs() + retryMs;
    }
  }

  #isDue(now: number): boolean {
    if (now < this.#notBeforeMs) return false;
    const { begunMs } = this.#parts.last();
    // A clock that was ahead must not put it off until its time.
    return begunMs === null || begunMs > now || now - begunMs >= this.#parts.intervalMs;
  }
}
