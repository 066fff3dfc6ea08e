/**
 * Shipping gives way to recording: while the threads that answer Envoy are busy, it waits and then takes many exchanges
 * at once, which costs less for each. Nothing waits longer than `yieldMaxMs` after its end, however busy they are.
 */

/**
 * A thread that is busy says so again with the next ends of exchanges; this long after the last time it is idle. One that
 * waits for a slow disk looks idle for some looks: shipping would wear the same disk then, and make that wait longer.
 */
const idleAfterMs = 500;
const sliceMs = 50;

export type BrakeParts = {
  /** 0: there is no brake. */
  yieldMaxMs: number;
  /** Monotonic. */
  nowMs: () => number;
  /** By which ends of exchanges are recorded. */
  wallClockMs: () => number;
  /** Resolves after so many milliseconds, or when shipping has to end. */
  pause: (ms: number) => Promise<void>;
  isStopping: () => boolean;
};

export class Brake {
  readonly #parts: BrakeParts;
  #busyAtMs = Number.NEGATIVE_INFINITY;
  /** When something came first that may not be read yet. */
  #wokenAtMs: number | null = null;

  constructor(parts: BrakeParts) {
    this.#parts = parts;
  }

  /** Exchanges ended. */
  woken(isRecordingBusy: boolean): void {
    const nowMs = this.#parts.nowMs();
    this.#wokenAtMs ??= nowMs;
    if (isRecordingBusy) this.#busyAtMs = nowMs;
  }

  /** The journals are read to their ends now: what is there already is known from then on. */
  reading(): void {
    this.#wokenAtMs = null;
  }

  /** Whether to wait. @param undeliveredSinceMs when the oldest one ended that is not delivered; null where none is known */
  isOn(undeliveredSinceMs: number | null): boolean {
    return this.#leftMs(undeliveredSinceMs) > 0;
  }

  /** Resolves when shipping may go on. */
  async released(undeliveredSinceMs: number | null): Promise<void> {
    // A clock that was set back must not make this longer.
    const untilMs = this.#parts.nowMs() + this.#parts.yieldMaxMs;
    for (;;) {
      const leftMs = Math.min(this.#leftMs(undeliveredSinceMs), untilMs - this.#parts.nowMs());
      if (leftMs <= 0) return;
      await this.#parts.pause(Math.min(sliceMs, leftMs));
    }
  }

  #leftMs(undeliveredSinceMs: number | null): number {
    const { yieldMaxMs, nowMs, wallClockMs, isStopping } = this.#parts;
    if (isStopping() || nowMs() - this.#busyAtMs >= idleAfterMs) return 0;
    const ageMs =
      undeliveredSinceMs === null ? nowMs() - (this.#wokenAtMs ?? nowMs()) : wallClockMs() - undeliveredSinceMs;
    return yieldMaxMs - Math.max(0, ageMs);
  }
}
