/** Whether the thread that answers Envoy could do with the processor that shipping takes. */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/**
 * Of the time since it was last asked. Envoy takes about as much beside it, and so do the callers of a machine that has
 * them too: from there on, two cores have little left.
 */
const busyShare = 0.25;
/** Where it is so full, freeing what was shipped makes no more room: then only shipping does. */
const fullShare = 0.5;

export class RecordingLoad {
  readonly #journalSpace: () => { bytes: number; maxBytes: number };
  #before: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(journalSpace: () => { bytes: number; maxBytes: number }) {
    this.#journalSpace = journalSpace;
  }

  /** Since it was last asked. Never while the journal runs full: a refused request is worse than a slow one. */
  isBusy(): boolean {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#before);
    this.#before = now;
    const { bytes, maxBytes } = this.#journalSpace();
    return utilization >= busyShare && bytes < maxBytes * fullShare;
  }
}
