import type { ApprovalAnswer, ApprovalDecision, ApprovalDesk, ApprovalRequest } from './approval-desk.ts';

/**
 * How the holding of a request ended.
 * - `waiting`: it is still undecided, and the caller is told to come again before its own time runs out
 * - `left`: the caller went, or the gateway stops
 * - `unavailable`: nobody can be asked
 */
export type HoldEnd =
  | ApprovalDecision
  | { kind: 'waiting'; ticket: string }
  | { kind: 'left' }
  | { kind: 'unavailable'; fault: unknown };

/** One request that waits for people, at most `maxMs`; its ticket outlives it. */
export class Hold {
  readonly #desk: ApprovalDesk;
  readonly #exchangeId: string;
  readonly #gone = Promise.withResolvers<{ kind: 'left' }>();
  #isGone = false;
  /** The ticket once it is on disk; null where there is nothing to wait for. */
  readonly opened: Promise<string | null>;
  readonly end: Promise<HoldEnd>;

  /** Neither promise rejects. */
  constructor(desk: ApprovalDesk, exchangeId: string, request: Promise<ApprovalRequest>, maxMs: number) {
    this.#desk = desk;
    this.#exchangeId = exchangeId;
    const answer = request.then((asked) => desk.ask(asked));
    this.opened = answer.then(
      (given) => (given.kind === 'pending' ? given.ticket : null),
      () => null,
    );
    this.end = this.#run(answer, maxMs).catch((fault: unknown) => ({ kind: 'unavailable', fault }));
  }

  /** The caller does not wait any more. */
  leave(): void {
    this.#isGone = true;
    this.#gone.resolve({ kind: 'left' });
  }

  async #run(asked: Promise<ApprovalAnswer>, maxMs: number): Promise<HoldEnd> {
    const answer = await asked;
    if (answer.kind === 'granted' && this.#isGone) return this.#givenBack(answer.ticket);
    if (answer.kind !== 'pending') return answer;
    const { ticket } = answer;
    const { promise: late, resolve } = Promise.withResolvers<HoldEnd>();
    const timer = setTimeout(() => resolve({ kind: 'waiting', ticket }), maxMs);
    const decided = this.#desk.decided(ticket, this.#exchangeId);
    const end = await Promise.race([decided, late, this.#gone.promise]);
    clearTimeout(timer);
    if (end === null || end.kind === 'waiting' || end.kind === 'left') this.#desk.leave(ticket, this.#exchangeId);
    return end ?? { kind: 'waiting', ticket };
  }

  #givenBack(ticket: string): HoldEnd {
    this.#desk.leave(ticket, this.#exchangeId);
    return { kind: 'left' };
  }
}
