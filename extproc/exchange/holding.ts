import { SkilltapeError } from '../errors.ts';
import type { RequestInput } from '../policy/input.ts';
import { approvalRequestOf, summaryOf } from './approval-request.ts';
import { withDeadline } from './deadline.ts';
import type { Action, Frame } from './frame.ts';
import { headerValue } from './headers.ts';
import { Hold, type HoldEnd } from './hold.ts';
import { type Told, toldOf } from './hold-reply.ts';
import type { Intake } from './intake.ts';
import type { ExchangeContext, Verdict } from './ports.ts';
import type { RequestBody } from './request-body.ts';
import type { Stop } from './stopping.ts';
import { type HeldExchange, StreamedHold } from './streamed-hold.ts';
import type { StreamedPlace } from './streamed-holds.ts';

/** A request that policy holds; `lastFrame` is the one with its end. */
export type Held = { verdict: Verdict; input: RequestInput; lastFrame: Frame };

/** People are shown the masked summary alone. */
const unlooked = { looksAtFindings: false, looksAtExcerpt: false } as const;

/** One exchange's asking for an approval: what is asked, the waiting, and what its caller is told after it. */
export class Holding {
  readonly held: Held;
  readonly #exchange: HeldExchange;
  readonly #hold: Hold;
  readonly #userAgent: string;
  readonly #decisionTimeoutMs: number;
  readonly #onFault: ExchangeContext['onFault'];
  readonly #place: StreamedPlace | null;
  readonly #streamed: StreamedHold | null;

  constructor(context: ExchangeContext, known: Intake, body: RequestBody, held: Held, exchange: HeldExchange) {
    const { approvals, limits, reader, keyedHash, streamed } = context;
    this.held = held;
    this.#exchange = exchange;
    this.#onFault = context.onFault;
    this.#decisionTimeoutMs = limits.decisionTimeoutMs;
    this.#userAgent = headerValue(known.facts.headers, 'user-agent') ?? '';
    const { id: exchangeId, policyRevision } = exchange;
    const asked = { ...held, exchangeId, policyRevision, session: exchange.session?.id ?? '', facts: known.facts };
    const place = { ...known.bodyPlace(limits, unlooked), summary: summaryOf(asked) };
    const summedUp = Promise.resolve().then(() => reader.read('held', place, body));
    const request = summedUp.then((summary) => approvalRequestOf(asked, summary, keyedHash));
    // Trailers have no place in a request that is sent anew.
    const isStreaming = exchange.request?.stream === true && held.lastFrame.kind !== 'request_trailers';
    this.#place = (isStreaming && streamed?.holds.take(body.bytes)) || null;
    const maxMs = this.#place === null ? limits.holdMaxMs : (streamed?.holds.limits.maxMs ?? limits.holdMaxMs);
    this.#hold = new Hold(approvals, exchangeId, request, maxMs);
    const parts = { context, known, body, held, exchange, end: this.#hold.end };
    this.#streamed =
      this.#place === null || streamed === undefined
        ? null
        : new StreamedHold({ ...parts, streamed, place: this.#place, told: (end) => this.told(end) });
  }

  /** Never rejects. */
  get end(): Promise<HoldEnd> {
    return this.#hold.end;
  }

  /**
   * The answer that begins while people are asked; null where the request is held in silence, was decided at once, or is
   * over. Rejects when its begin cannot be recorded.
   */
  async streamed(): Promise<Action | null> {
    if (this.#streamed === null) return null;
    const ticket = await this.#hold.opened;
    // Whoever left or was stopped meanwhile may have its end recorded already: nothing begins behind that (inv. 4).
    if (ticket === null || this.#streamed.isGone) {
      this.#place?.giveBack();
      return null;
    }
    const begun = await withDeadline(this.#streamed.begin(ticket), this.#decisionTimeoutMs, () => true);
    if (begun === undefined)
      throw new SkilltapeError('internal', 'the begin of an answer could not be recorded in time');
    return begun;
  }

  /** Of an answer that began; nothing where none did. */
  get known(): Partial<StreamedHold['known']> {
    return this.#streamed?.known.answer === undefined ? {} : this.#streamed.known;
  }

  leave(): void {
    this.#hold.leave();
    this.#streamed?.leave();
  }

  /** An operator ends it; true where the answer that began says so itself. */
  stop(stop: Stop): boolean {
    const isTold = this.#streamed?.stop(stop) ?? false;
    this.#hold.leave();
    return isTold;
  }

  /** The exchange is over. */
  close(): void {
    this.#hold.leave();
    this.#streamed?.close();
  }

  told(end: Exclude<HoldEnd, { kind: 'left' }>): Told {
    if (end.kind === 'unavailable') this.#onFault(this.#exchange.id, SkilltapeError.from(end.fault));
    return toldOf(end, this.held.verdict, { exchangeId: this.#exchange.id, userAgent: this.#userAgent });
  }
}
