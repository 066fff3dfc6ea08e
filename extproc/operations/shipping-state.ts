import type { ShipReport } from '../ship/protocol.ts';

/** What the shipping thread said last, and when: a dead thread reports no lag, so its silence is told as well. */
export class ShippingState {
  readonly #nowMs: () => number;
  readonly #counted = new Map<string, number>();
  #reportedAt = performance.now();
  #undeliveredSinceMs: number | null = null;
  #waitingExchanges = 0;
  #isIndexAway = false;
  #isArchiveAway = false;

  /** @param nowMs the wall clock, by which ends of exchanges are recorded */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  heed(report: ShipReport): void {
    this.#reportedAt = performance.now();
    if (report.kind === 'waiting' && report.waitsFor === 'archive') this.#isArchiveAway = true;
    else if (report.kind === 'waiting') this.#isIndexAway = true;
    // It was opened again: what it did not take is given to it now.
    if (report.kind === 'archive_recovered') this.#isArchiveAway = false;
    if (report.kind !== 'progress') return;
    const { waitingExchanges, undeliveredSinceMs } = report;
    this.#waitingExchanges = waitingExchanges;
    this.#undeliveredSinceMs = undeliveredSinceMs;
    if (waitingExchanges > 0) return;
    this.#isIndexAway = false;
    this.#isArchiveAway = false;
  }

  /**
   * By how much a count of the thread, one of few, grew since it was last asked here; a new thread counts from 0 again.
   */
  grown(what: string, count: number): number {
    const before = this.#counted.get(what) ?? 0;
    this.#counted.set(what, count);
    return count < before ? count : count - before;
  }

  /** Age of the oldest ended exchange that the index does not have, as far as the journal was read. */
  lagSeconds(): number {
    return this.#undeliveredSinceMs === null ? 0 : Math.max(0, this.#nowMs() - this.#undeliveredSinceMs) / 1_000;
  }

  silenceSeconds(): number {
    return (performance.now() - this.#reportedAt) / 1_000;
  }

  get waitingExchanges(): number {
    return this.#waitingExchanges;
  }

  /** The archive could not be written when it was last given something. */
  get isArchiveAway(): boolean {
    return this.#isArchiveAway;
  }

  /** The index did not take what it was last given. */
  get isIndexAway(): boolean {
    return this.#isIndexAway;
  }
}
