import type { ExchangeContext } from './ports.ts';

/** What the open exchanges of one caller take, while there are any. */
export type CallerUse = { openExchanges: number; heldBytes: number };

/**
 * What one exchange takes of what all exchanges share, counted for all together and for its caller: one caller must not
 * take all of it (inv. 10).
 */
export class Share {
  readonly #context: Pick<ExchangeContext, 'budget' | 'limits' | 'callers' | 'volume'>;
  #caller: string | undefined;
  #heldBytes = 0;

  constructor(context: Pick<ExchangeContext, 'budget' | 'limits' | 'callers' | 'volume'>) {
    this.#context = context;
  }

  /** Counts the exchange as one of this caller's open ones, or says which limit stands against it. */
  open(caller: string): 'volume_full' | 'open_exchanges_at_limit' | 'caller_open_exchanges_at_limit' | null {
    const { budget, limits, callers, volume } = this.#context;
    if (volume.isRefusing) return 'volume_full';
    if (budget.openExchanges >= limits.openExchangesMax) return 'open_exchanges_at_limit';
    const use = callers.get(caller) ?? { openExchanges: 0, heldBytes: 0 };
    if (use.openExchanges >= limits.openExchangesPerCallerMax) return 'caller_open_exchanges_at_limit';
    callers.set(caller, use);
    this.#caller = caller;
    budget.openExchanges += 1;
    use.openExchanges += 1;
    return null;
  }

  /** Counts bytes of the request's body, wherever they are kept. */
  hold(bytes: number): 'caller_held_bodies_at_limit' | null {
    const use = this.#use();
    if (use === undefined) return null;
    if (use.heldBytes + bytes > this.#context.limits.heldBodyPerCallerMaxBytes) return 'caller_held_bodies_at_limit';
    use.heldBytes += bytes;
    this.#heldBytes += bytes;
    return null;
  }

  giveBack(bytes: number): void {
    const given = Math.min(bytes, this.#heldBytes);
    const use = this.#use();
    if (use !== undefined) use.heldBytes -= given;
    this.#heldBytes -= given;
  }

  /** Safe to call more than once. */
  close(): void {
    this.giveBack(this.#heldBytes);
    const use = this.#use();
    if (use === undefined || this.#caller === undefined) return;
    this.#context.budget.openExchanges -= 1;
    use.openExchanges -= 1;
    if (use.openExchanges === 0) this.#context.callers.delete(this.#caller);
    this.#caller = undefined;
  }

  #use(): CallerUse | undefined {
    return this.#caller === undefined ? undefined : this.#context.callers.get(this.#caller);
  }
}
