import type { ProcessReport } from '../operations/operations.ts';

/** Longest that somebody who asks for health or figures waits for a worker. */
export const reportTimeoutMs = 1_000;

/** In the primary: asks workers how they are. One that says nothing in time has null in its place. */
export class ReportDesk {
  readonly #asked = new Map<number, (report: ProcessReport) => void>();
  #lastAsk = 0;

  async ask(send: (ask: number) => void): Promise<ProcessReport | null> {
    this.#lastAsk += 1;
    const ask = this.#lastAsk;
    const { promise, resolve } = Promise.withResolvers<ProcessReport | null>();
    this.#asked.set(ask, resolve);
    const timer = setTimeout(() => resolve(null), reportTimeoutMs);
    send(ask);
    const report = await promise;
    clearTimeout(timer);
    this.#asked.delete(ask);
    return report;
  }

  /** A report that came too late is nobody's any more. */
  heed(ask: number, report: ProcessReport): void {
    this.#asked.get(ask)?.(report);
  }
}
