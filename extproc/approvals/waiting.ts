import type { ApprovalAnswer, ApprovalDecision, ApprovalRequest } from '../exchange/approval-desk.ts';
import type { Tickets } from './tickets.ts';

/** Of grants that were used so many are known, so that they can be given back (inv. 10). */
const usedMax = 1_000;

type Waiting = { ticket: string; request: ApprovalRequest };

/**
 * The exchanges of one process that wait for a decision. Another process may write one at any time, so the tickets are
 * looked at again whenever their file has changed or a time has come.
 */
export class WaitingExchanges {
  readonly #tickets: Tickets;
  readonly #onDecided: (exchangeId: string, decision: ApprovalDecision) => void;
  /** In the order in which they came; of several that wait for one ticket the last is the client's newest attempt. */
  readonly #waiting = new Map<string, Waiting>();
  /** The tickets whose grants exchanges of this process used, the newest last. */
  readonly #used = new Map<string, string>();
  #version = -1;
  #nextEndMs = Number.POSITIVE_INFINITY;

  constructor(tickets: Tickets, onDecided: (exchangeId: string, decision: ApprovalDecision) => void) {
    this.#tickets = tickets;
    this.#onDecided = onDecided;
  }

  get count(): number {
    return this.#waiting.size;
  }

  ask(request: ApprovalRequest, nowMs: number): ApprovalAnswer {
    this.#tickets.sweep(nowMs);
    const answer = this.#tickets.ask(request, nowMs);
    if (answer.kind === 'pending') this.#wait(request, answer);
    if (answer.kind === 'granted') this.#use(request.exchangeId, answer.ticket);
    return answer;
  }

  /** Nothing of it goes upstream: a grant that it used just before it left serves its retry. */
  leave(exchangeId: string, nowMs: number): void {
    const used = this.#used.get(exchangeId);
    if (used !== undefined) {
      this.#used.delete(exchangeId);
      this.#tickets.giveBack(used, exchangeId, nowMs);
    }
    const found = this.#waiting.get(exchangeId);
    if (found === undefined) return;
    this.#waiting.delete(exchangeId);
    this.#tickets.leave(found.ticket, exchangeId, nowMs);
  }

  /** To be called often: costs next to nothing while nothing happened. */
  look(nowMs: number): void {
    const version = this.#tickets.version;
    if (version === this.#version && nowMs < this.#nextEndMs) return;
    this.#version = version;
    this.#nextEndMs = Number.POSITIVE_INFINITY;
    this.#tickets.sweep(nowMs);
    for (const [exchangeId, { ticket, request }] of [...this.#waiting].reverse()) {
      this.#lookAt(exchangeId, ticket, request, nowMs);
    }
  }

  #lookAt(exchangeId: string, ticket: string, request: ApprovalRequest, nowMs: number): void {
    // Where another exchange has used the grant, this one is held anew.
    const answer = this.#tickets.askAgain(ticket, exchangeId, nowMs) ?? this.#tickets.ask(request, nowMs);
    if (answer.kind === 'pending') {
      this.#wait(request, answer);
      return;
    }
    this.#waiting.delete(exchangeId);
    if (answer.kind === 'granted') this.#use(exchangeId, answer.ticket);
    this.#onDecided(exchangeId, answer);
  }

  #use(exchangeId: string, ticket: string): void {
    this.#used.set(exchangeId, ticket);
    const [oldest] = this.#used.keys();
    if (this.#used.size > usedMax && oldest !== undefined) this.#used.delete(oldest);
  }

  #wait(request: ApprovalRequest, { ticket, untilMs }: { ticket: string; untilMs: number }): void {
    this.#waiting.set(request.exchangeId, { ticket, request });
    this.#nextEndMs = Math.min(this.#nextEndMs, untilMs);
  }
}
