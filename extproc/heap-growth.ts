/** How much garbage the heaps of a process may gather, by how much of its memory is needed for something else. */
import { setFlagsFromString } from 'node:v8';
import { collectGarbage } from './large-work.ts';

/** What asks for memory: requests that are open, the bytes that are held of them, and what the process has altogether. */
export type MemoryUse = { openExchanges: number; heldBodyBytes: number; residentBytes: number };

/** By how much a heap grows, in percent of what lives in it, before it is collected as a whole; `few` as in tools/runtime.json. */
export const growthPercents = { few: 30, ample: 100 } as const;

/** Beyond these, memory is for the requests (inv. 10). */
const ampleUpTo: MemoryUse = { openExchanges: 128, heldBodyBytes: 8 * 1024 * 1024, residentBytes: 320e6 };
/** A request for memory rarely comes alone, and going back and forth collects each time. */
const fewForMs = 5_000;
const lookEveryMs = 250;

type Parts = {
  use: () => MemoryUse;
  nowMs: () => number;
  /** Takes effect in each thread with its next collection. */
  setGrowthPercent: (percent: number) => void;
  /** Of the calling thread. */
  collect: () => void;
};

/**
 * Collecting a whole heap costs as much however little it finds, so a heap that may grow is collected less often: with
 * small exchanges alone that saves a tenth of the processor's CPU (`npm run bench`). As soon as many requests are open
 * or large ones are held, the room is theirs, and what the calling thread gathered is given back: a pause of some tens of
 * milliseconds at a heap's size below `residentBytes`, at most once in `fewForMs`.
 */
export class HeapGrowth {
  readonly #parts: Parts;
  #isAmple = false;
  #fewUntilMs = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  look(): void {
    const nowMs = this.#parts.nowMs();
    const { openExchanges, heldBodyBytes, residentBytes } = this.#parts.use();
    const isNeeded =
      openExchanges > ampleUpTo.openExchanges ||
      heldBodyBytes > ampleUpTo.heldBodyBytes ||
      residentBytes > ampleUpTo.residentBytes;
    if (isNeeded) this.#fewUntilMs = nowMs + fewForMs;
    const isAmple = nowMs >= this.#fewUntilMs;
    if (isAmple === this.#isAmple) return;
    this.#isAmple = isAmple;
    this.#parts.setGrowthPercent(isAmple ? growthPercents.ample : growthPercents.few);
    if (!isAmple) this.#parts.collect();
  }
}

/** Looks after the heaps of this process until what it gives is called. */
export function watchHeapGrowth(budget: Omit<MemoryUse, 'residentBytes'>): () => void {
  const growth = new HeapGrowth({
    use: () => ({ ...budget, residentBytes: process.memoryUsage.rss() }),
    nowMs: () => performance.now(),
    setGrowthPercent: (percent) => setFlagsFromString(`--heap-growing-percent=${percent}`),
    collect: collectGarbage,
  });
  const timer = setInterval(() => growth.look(), lookEveryMs).unref();
  return () => clearInterval(timer);
}
