/**
 * What Envoy itself says about an exchange that did not end in the regular way. ext_proc shows the same for a caller
 * who left and an upstream that broke off; Envoy knows (`wire/access-log.ts`).
 */
export type EndReport = {
  by: 'client' | 'upstream' | 'gateway';
  /** Envoy's flag and reason, as `DC downstream_remote_disconnect`. */
  detail: string;
};

/** What an exchange needs: its report, when there is one. */
export type AwaitedEnds = {
  /** From here on a report of this exchange is kept. */
  expect(exchangeId: string): void;
  /** The report, or null when none came in time; for an exchange that is expected. */
  reportOf(exchangeId: string): Promise<EndReport | null>;
  forget(exchangeId: string): void;
};

type Expected = { report: EndReport | null; arrived: PromiseWithResolvers<EndReport | null> };

/**
 * Brings reports and exchanges together; a report may come before or after the end of its ext_proc stream. One is kept
 * for each open exchange that was released, none else, so the limit on open exchanges bounds them (inv. 10).
 */
export class EndReports implements AwaitedEnds {
  readonly #maxWaitMs: number;
  readonly #expected = new Map<string, Expected>();
  #closed = false;

  constructor({ maxWaitMs }: { maxWaitMs: number }) {
    this.#maxWaitMs = maxWaitMs;
  }

  /** False when no exchange here waits for it: it has its end already, or another process has it. */
  take(exchangeId: string, report: EndReport): boolean {
    const expected = this.#expected.get(exchangeId);
    if (expected === undefined) return false;
    // Envoy writes one entry for each request, at its end: the first one stands.
    expected.report ??= report;
    expected.arrived.resolve(expected.report);
    return true;
  }

  expect(exchangeId: string): void {
    this.#expected.set(exchangeId, { report: null, arrived: Promise.withResolvers() });
  }

  async reportOf(exchangeId: string): Promise<EndReport | null> {
    const expected = this.#expected.get(exchangeId);
    if (expected === undefined || expected.report !== null || this.#closed) return expected?.report ?? null;
    const timer = setTimeout(() => expected.arrived.resolve(null), this.#maxWaitMs);
    try {
      return await expected.arrived.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  forget(exchangeId: string): void {
    this.#expected.delete(exchangeId);
  }

  /** Nobody waits any longer: the processor stops. */
  close(): void {
    this.#closed = true;
    for (const { report, arrived } of this.#expected.values()) arrived.resolve(report);
  }
}
