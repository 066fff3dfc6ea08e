import type { Action, Frame } from '../exchange/frame.ts';
import { refusalReasonOf } from '../exchange/refusal.ts';
import { type Soon, whenThere } from '../exchange/soon.ts';
import type { ExchangeMetrics } from './exchange-metrics.ts';
import { secondsSince } from './instruments.ts';

/** What is measured of an exchange (extproc/exchange); how it is ended goes through as it is. */
type Steps<End extends unknown[]> = {
  readonly id: string;
  accept(frame: Frame): Soon<Action>;
  left(): void;
  abandon(...end: End): Promise<void>;
};

/** Counts what passes an exchange, from outside: bytes, refusals, and the time until the request was decided. */
export class MeteredExchange<End extends unknown[]> implements Steps<End> {
  readonly #exchange: Steps<End>;
  readonly #metrics: ExchangeMetrics;
  readonly #requestBytes: { inc(bytes: number): void };
  readonly #answerBytes: { inc(bytes: number): void };
  #startMs = 0;
  #isDecided = false;

  /** @param connection a configured name */
  constructor(exchange: Steps<End>, connection: string, metrics: ExchangeMetrics) {
    this.#exchange = exchange;
    this.#metrics = metrics;
    this.#requestBytes = metrics.requestBytes.labels(connection);
    this.#answerBytes = metrics.answerBytes.labels(connection);
  }

  get id(): string {
    return this.#exchange.id;
  }

  /** An answer comes in many pieces: none of them waits longer for being counted. */
  accept(frame: Frame): Soon<Action> {
    if (frame.kind === 'response_body') this.#answerBytes.inc(frame.body.length);
    if (this.#isDecided) return this.#exchange.accept(frame);
    if (frame.kind === 'request_headers') this.#startMs = performance.now();
    else if (frame.kind === 'request_body') this.#requestBytes.inc(frame.body.length);
    return whenThere(this.#exchange.accept(frame), (action) => this.#counting(action));
  }

  left(): void {
    this.#exchange.left();
  }

  abandon(...end: End): Promise<void> {
    return this.#exchange.abandon(...end);
  }

  #counting(action: Action): Action {
    if (action.kind === 'streamed_reply') return { ...action, body: this.#counted(action.body) };
    if (action.kind === 'release' || action.kind === 'local_reply') this.#decided(action);
    return action;
  }

  async *#counted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.#answerBytes.inc(piece.length);
      yield piece;
    }
  }

  #decided(action: Extract<Action, { kind: 'release' | 'local_reply' }>): void {
    this.#isDecided = true;
    this.#metrics.decisionSeconds.observe(secondsSince(this.#startMs));
    const reason = action.kind === 'local_reply' ? refusalReasonOf(action.reply) : null;
    if (reason !== null) this.#metrics.refused.inc({ reason });
  }
}
