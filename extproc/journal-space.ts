import type { Config } from './config/config.ts';
import type { Journal } from './journal/journal.ts';
import type { Position } from './journal/position.ts';
import type { Log } from './log.ts';

const hourMs = 3_600_000;
const looksPerAge = 24;

export type JournalSpaceParts = {
  journal: Pick<Journal, 'usage' | 'free' | 'rotate'>;
  limits: Pick<Config['journal'], 'maxAgeHours'>;
  log: Pick<Log, 'error'>;
  nowMs?: () => number;
};

/**
 * Frees a journal behind what archive and index have: when half of its room is used, and what is older than it may be.
 * Erasing, retention and holds reach the archive and the index, not the journal: its age bounds what they miss (inv. 9).
 */
export class JournalSpace {
  readonly #parts: JournalSpaceParts;
  readonly #maxAgeMs: number;
  readonly #timer: NodeJS.Timeout;
  #delivered: Position | null = null;

  constructor(parts: JournalSpaceParts) {
    this.#parts = parts;
    this.#maxAgeMs = parts.limits.maxAgeHours * hourMs;
    this.#timer = setInterval(() => void this.age(), this.#maxAgeMs / looksPerAge).unref();
  }

  /** Everything before this position is in archive and index, and a restart reads on from there. */
  delivered(position: Position | null): void {
    if (position === null) return;
    const isFirst = this.#delivered === null;
    this.#delivered = position;
    // One that is started again and again may not live until the timer.
    if (isFirst) void this.age();
    const { bytes, maxBytes } = this.#parts.journal.usage();
    if (bytes >= maxBytes / 2) void this.#free(0);
  }

  /** The segment that is written to is ended at half the age: nobody else ends it where there is little traffic. */
  async age(): Promise<void> {
    const { journal, nowMs = Date.now } = this.#parts;
    const now = nowMs();
    await journal.rotate(now - this.#maxAgeMs / 2);
    await this.#free(now - this.#maxAgeMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #free(createdBeforeMs: number): Promise<void> {
    const { journal, log } = this.#parts;
    if (this.#delivered === null) return;
    const until = { downToBytes: journal.usage().maxBytes / 2, createdBeforeMs };
    await journal.free(this.#delivered, until).catch((err) => log.error({ err }, 'journal space could not be freed'));
  }
}
