import type { ApprovalAnswer, ApprovalDecision, ApprovalRequest } from '../exchange/approval-desk.ts';
import type { Tickets } from './tickets.ts';

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
    return answer;
  }

  leave(exchangeId: string, nowMs: number): void {
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
    this.#onDecided(exchangeId, answer.kind === 'full' ? { kind: 'expired', ticket } : answer);
  }

  #wait(request: ApprovalRequest, { ticket, untilMs }: { ticket: string; untilMs: number }): void {
    this.#waiting.set(request.exchangeId, { ticket, request });
    this.#nextEndMs = Math.min(this.#nextEndMs, untilMs);
  }
}
