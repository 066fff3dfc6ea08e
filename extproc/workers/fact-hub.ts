import type { SharedFact, ToWorker } from './protocol.ts';

/** Given to a worker that starts later; older ones are found in the index' memory. */
const rememberedFactsMax = 10_000;
/** Facts that a worker has not noted yet; it is told no more of them until it answers again (inv. 10). */
const unnotedFactsMax = 1_000;

type Waiting = { from: number; ask: number; unnoted: Set<number> };

/** In the primary: passes on what one worker learnt, and tells it when the others have it. */
export class FactHub {
  readonly #send: (worker: number, message: ToWorker) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #unnoted = new Map<number, number>();
  readonly #remembered = new Map<string, SharedFact>();
  #lastId = 0;

  constructor(send: (worker: number, message: ToWorker) => void) {
    this.#send = send;
  }

  /** What a worker that starts now has to be given, oldest first. */
  get remembered(): readonly SharedFact[] {
    return [...this.#remembered.values()];
  }

  /** @param others `answering` are waited for; those that start or are silent are told too */
  share(from: number, ask: number, fact: SharedFact, others: readonly { worker: number; answering: boolean }[]): void {
    this.#remember(fact);
    this.#lastId += 1;
    const id = this.#lastId;
    const unnoted = new Set<number>();
    for (const { worker, answering } of others) {
      const count = this.#unnoted.get(worker) ?? 0;
      if (worker === from || count >= unnotedFactsMax) continue;
      this.#unnoted.set(worker, count + 1);
      this.#send(worker, { kind: 'fact', id, fact });
      if (answering) unnoted.add(worker);
    }
    this.#waiting.set(id, { from, ask, unnoted });
    this.#answerIfNoted(id);
  }

  noted(worker: number, id: number): void {
    this.#unnoted.set(worker, Math.max(0, (this.#unnoted.get(worker) ?? 0) - 1));
    this.#waiting.get(id)?.unnoted.delete(worker);
    this.#answerIfNoted(id);
  }

  /** Nobody waits for a worker that died or is silent. */
  gone(worker: number): void {
    for (const [id, { unnoted }] of this.#waiting) if (unnoted.delete(worker)) this.#answerIfNoted(id);
  }

  /** A new process has nothing to note, and what the one before it asked is not its own. */
  began(worker: number): void {
    this.#unnoted.delete(worker);
    for (const [id, { from }] of this.#waiting) if (from === worker) this.#waiting.delete(id);
  }

  #answerIfNoted(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || waiting.unnoted.size > 0) return;
    this.#waiting.delete(id);
    this.#send(waiting.from, { kind: 'shared', ask: waiting.ask });
  }

  #remember(fact: SharedFact): void {
    // A worker that starts later has none of the exchanges that were open before.
    if (fact.kind === 'end_report') return;
    // What was used before it began, it finds stored.
    if (fact.kind === 'usage') return;
    this.#remembered.delete(fact.key);
    this.#remembered.set(fact.key, fact);
    if (this.#remembered.size <= rememberedFactsMax) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      break;
    }
  }
}
