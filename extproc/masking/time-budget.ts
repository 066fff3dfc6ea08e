import { SkilltapeError } from '../errors.ts';

/** The clock is looked at after so many characters, and after so many texts however short they are. */
const charsBetweenLooks = 64 * 1024;
const textsBetweenLooks = 256;

/**
 * The processor time that masking of one exchange may take, over all its documents. Of the processor and not of the
 * clock on the wall: shipping gives way to recording, and a busy machine must not make a readable exchange unreadable.
 */
export class TimeBudget {
  readonly #maxMs: number;
  readonly #threadMs: () => number;
  #spentMs = 0;
  #sinceMs = 0;
  #chars = 0;
  #texts = 0;

  constructor(maxMs: number, threadMs: () => number = threadCpuMs) {
    this.#maxMs = maxMs;
    this.#threadMs = threadMs;
  }

  /** Runs a part of the masking, and counts its time. */
  timed<T>(work: () => T): T {
    this.#sinceMs = this.#threadMs();
    try {
      return work();
    } finally {
      this.#spentMs += this.#threadMs() - this.#sinceMs;
    }
  }

  /** Called before each text; throws SkilltapeError `masking_failed` when the time is used up. */
  spend(chars: number): void {
    this.#chars += chars;
    this.#texts += 1;
    if (this.#chars < charsBetweenLooks && this.#texts < textsBetweenLooks) return;
    this.#chars = 0;
    this.#texts = 0;
    if (this.#spentMs + this.#threadMs() - this.#sinceMs <= this.#maxMs) return;
    throw new SkilltapeError(
      'masking_failed',
      `masking took longer than masking.exchangeBudgetMs allows (${this.#maxMs} ms)`,
    );
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
