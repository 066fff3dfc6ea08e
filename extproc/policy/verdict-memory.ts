/** Decisions that were reckoned, by the text of what their rules could see. It ends with the policy that decided. */

/** What is kept of one stage, of keys and decisions together: one caller who varies a field pushes others out, no more. */
const entriesMax = 2_000;
const charsMax = 2 * 1024 * 1024;
/** Longer ones would push out many. */
const entryMaxChars = 16 * 1024;

type Entry<Decision> = { decision: Decision; chars: number };

export class VerdictMemory<Decision extends object> {
  /** The one that was asked for last stands last. */
  readonly #entries = new Map<string, Entry<Decision>>();
  #chars = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** @param seen the whole text, so that no two inputs can be taken for each other */
  recall(seen: string): Decision | undefined {
    const entry = this.#entries.get(seen);
    if (entry === undefined) return undefined;
    this.#entries.delete(seen);
    this.#entries.set(seen, entry);
    return entry.decision;
  }

  /** Nobody can change the decision from then on. */
  remember(seen: string, decision: Decision): void {
    freeze(decision);
    const chars = seen.length + JSON.stringify(decision).length;
    if (chars > entryMaxChars) return;
    this.#chars -= this.#entries.get(seen)?.chars ?? 0;
    this.#entries.delete(seen);
    this.#entries.set(seen, { decision, chars });
    this.#chars += chars;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= entriesMax && this.#chars <= charsMax) break;
      this.#entries.delete(oldest);
      this.#chars -= entry.chars;
    }
  }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
}
