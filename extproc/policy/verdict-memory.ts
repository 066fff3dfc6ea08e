/** Decisions that were reckoned, by the text of what their rules could see. It ends with the policy that decided. */
import { LRUCache } from 'lru-cache';

/** What is kept of one stage, of keys and decisions together: one caller who varies a field pushes others out, no more. */
const entriesMax = 2_000;
const charsMax = 2 * 1024 * 1024;
/** Longer ones would push out many. */
const entryMaxChars = 16 * 1024;

export class VerdictMemory<Decision extends object> {
  readonly #entries = new LRUCache<string, Decision>({
    max: entriesMax,
    maxSize: charsMax,
    maxEntrySize: entryMaxChars,
    sizeCalculation: (decision, seen) => seen.length + JSON.stringify(decision).length,
  });

  get size(): number {
    return this.#entries.size;
  }

  /** @param seen the whole text, so that no two inputs can be taken for each other */
  recall(seen: string): Decision | undefined {
    return this.#entries.get(seen);
  }

  /** Nobody can change the decision from then on. */
  remember(seen: string, decision: Decision): void {
    freeze(decision);
    this.#entries.set(seen, decision);
  }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
}
