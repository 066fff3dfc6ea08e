import { errorEnvelope } from '../claude/error-body.ts';
import type { MessagesRequest } from '../claude/request.ts';
import { SkilltapeError } from '../errors.ts';
import { Answer } from './answer.ts';
import type { Ending } from './broken-off.ts';
import { envoyAnswered, envoyAnsweredHeader } from './envoy-answer.ts';
import { errorEvent } from './error-event.ts';
import type { Action, FrameOf } from './frame.ts';
import { headerValue, joinedValue } from './headers.ts';
import { heldDetails, unanswered } from './held-answer.ts';
import type { HoldEnd } from './hold.ts';
import type { Told } from './hold-reply.ts';
import type { Held } from './holding.ts';
import type { Intake } from './intake.ts';
import type { Judging } from './judging.ts';
import type { Ledger } from './ledger.ts';
import type { ExchangeContext } from './ports.ts';
import type { ReleasePasses } from './release-pass.ts';
import { releasePassHeader, releaseRefusedHeader } from './release-pass.ts';
import { releasedHeaders } from './release-request.ts';
import type { ReleaseResult, Releaser } from './releaser.ts';
import type { RequestBody } from './request-body.ts';
import { type Session, sessionHeaders } from './session.ts';
import { type Stop, stopDetail, stoppedReply } from './stopping.ts';
import type { StreamedHolds, StreamedPlace } from './streamed-holds.ts';
import { ReleaseBroke, relayed } from './streamed-release.ts';
import { rulesOf } from './verdicts.ts';

/** What streamed holds of a process share. */
export type StreamedRelease = { holds: StreamedHolds; passes: ReleasePasses; releaser: Releaser };

/** The rest of the exchange, as far as it is needed for an answer. */
export type HeldExchange = {
  id: string;
  ledger: Ledger;
  session: Session | undefined;
  request: MessagesRequest | null;
  judging: Judging | undefined;
  policyRevision: string;
};

type Parts = {
  context: ExchangeContext;
  streamed: StreamedRelease;
  place: StreamedPlace;
  known: Intake;
  body: RequestBody;
  exchange: HeldExchange;
  held: Held;
  end: Promise<HoldEnd>;
  told: (end: Exclude<HoldEnd, { kind: 'left' }>) => Told;
};

const nothing = new Uint8Array(0);

/**
 * A held request whose answer has begun: comments keep its client waiting until people decided. Approved, it goes
 * upstream by a way of its own, because this stream cannot release it any more, and the upstream's answer follows the
 * comments. Everything that the caller is given is recorded before, by the one way that all answers take (inv. 1).
 */
export class StreamedHold {
  readonly #parts: Parts;
  readonly #gone = new AbortController();
  #answer: Answer | undefined;
  #isReleased = false;
  #stop: Stop | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What is said of its end when its stream was over before. */
  get known(): { answer: Answer | undefined; released: boolean; isOwnAnswer: true; stop: Stop | null } {
    return { answer: this.#answer, released: this.#isReleased, isOwnAnswer: true, stop: this.#stop };
  }

  /** The caller left, or an operator ended it. */
  get isGone(): boolean {
    return this.#gone.signal.aborted;
  }

  /** The caller is gone: what waits is given up, the upstream too. */
  leave(): void {
    this.#gone.abort();
  }

  /** An operator ends it; false where its answer has not begun. */
  stop(stop: Stop): boolean {
    this.#stop = stop;
    this.leave();
    return this.#answer !== undefined;
  }

  /** Gives back what it took; safe to call more than once. */
  close(): void {
    this.leave();
    this.#parts.place.giveBack();
  }

  async begin(ticket: string): Promise<Action> {
    const { context, known, exchange } = this.#parts;
    const headers = {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-skilltape-exchange': exchange.id,
      'request-id': exchange.id,
      ...sessionHeaders(exchange.session),
    };
    const head: FrameOf<'response_headers'> = {
      ...{ kind: 'response_headers', headers: Object.entries({ ':status': '200', ...headers }), endOfStream: false },
      attributes: { 'response.code_details': heldDetails },
    };
    this.#answer = new Answer(head, exchange.ledger, known.handlingOf(head, context, exchange));
    await this.#answer.take(head, { last: false, released: false, setHeaders: {} });
    // As long as nothing was given it can still be refused.
    await exchange.ledger.written();
    const accessLog = { exchange: exchange.id, connection: known.connection, verdict: 'held' };
    return { kind: 'streamed_reply', headers, body: this.#pieces(ticket), accessLog };
  }

  async *#pieces(ticket: string): AsyncGenerator<Uint8Array> {
    const { exchange, held } = this.#parts;
    try {
      yield* this.#commentsUntil(this.#parts.end, `held for an approval, ticket ${ticket}`);
      const end = await this.#parts.end;
      this.#parts.place.decided();
      if (end.kind === 'left') {
        yield* this.#stopped();
        return;
      }
      const { verdict, ...told } = this.#parts.told(end);
      if (verdict !== null) {
        const { policyRevision, session } = exchange;
        const rest = { input: held.input, policyRevision, session: session ?? { id: exchange.id, source: 'exchange' } };
        exchange.ledger.noteDecision('request', verdict, rest);
      }
      if (told.kind === 'release') yield* this.#release(end.kind === 'granted' ? end.ticket : '');
      else {
        const ending = { outcome: told.outcome, detail: rulesOf(verdict ?? held.verdict) };
        yield await this.#taken(errorEvent(told.event), ending);
      }
    } finally {
      this.close();
    }
  }

  /** The whole request and its verdict are on disk before any of it goes upstream (inv. 1). */
  async *#release(ticket: string): AsyncGenerator<Uint8Array> {
    const { context, exchange, streamed } = this.#parts;
    await exchange.ledger.sync();
    const sent = streamed.holds.turns.run(() => this.#send());
    yield* this.#commentsUntil(sent, 'approved');
    const result = await sent;
    // Nothing of it went anywhere: the approval serves its retry.
    if (result === null || result.kind === 'unsent') context.approvals.leave(ticket, exchange.id);
    if (result === null || this.#gone.signal.aborted) {
      yield* this.#stopped();
      return;
    }
    if (result.kind !== 'answered') {
      yield* this.#unanswered(result);
      return;
    }
    const { answerMaxBytes } = streamed.holds.limits;
    const { id: exchangeId, ledger } = exchange;
    const relay = relayed({ ...result, exchangeId, answerMaxBytes, ledger, reports: context.endReports });
    try {
      for await (const piece of relay) {
        yield 'last' in piece ? await this.#taken(piece.last, piece.ending) : await this.#taken(piece.bytes);
        if ('last' in piece) return;
      }
      // The end is recorded and synced before it is given.
      await this.#taken(nothing, null);
    } catch (thrown) {
      // The caller went first, and the upstream was given up for that; or an operator wants it so.
      if (this.#gone.signal.aborted && this.#stop === null) return;
      if (this.#stop !== null) await this.#finish({ outcome: 'stopped', detail: stopDetail(this.#stop) });
      else if (thrown instanceof ReleaseBroke) await this.#broke(thrown);
      throw thrown;
    } finally {
      result.answer.abort();
    }
  }

  /** Null when the caller left while it waited for its turn. */
  async #send(): Promise<ReleaseResult | null> {
    if (this.#gone.signal.aborted) return null;
    this.#isReleased = true;
    this.#parts.exchange.judging?.letThrough();
    const { context, known, body, exchange, streamed } = this.#parts;
    context.endReports.expect(exchange.id);
    const { headers, method } = known.facts;
    const { bytes } = body;
    const target = headerValue(headers, ':path') ?? '';
    const request = { exchangeId: exchange.id, connection: known.connection, method, target, bytes };
    const pass = streamed.passes.write(request);
    const shown = [...releasedHeaders(headers, bytes), [releasePassHeader, pass] as const];
    const sent = { method, target, headers: shown, body: body.release() };
    return this.#ofUpstream(await streamed.releaser.send(sent, this.#gone.signal), pass);
  }

  /** What the gate of the release listener refused, or Envoy answered there by itself, is no answer of the upstream. */
  #ofUpstream(result: ReleaseResult, pass: string): ReleaseResult {
    if (result.kind !== 'answered') return result;
    const { answer } = result;
    const isRefused = joinedValue(answer.headers, releaseRefusedHeader) === this.#parts.streamed.passes.refusalOf(pass);
    const details = joinedValue(answer.headers, envoyAnsweredHeader);
    if (!isRefused && details === '') return result;
    answer.abort();
    const why = isRefused ? 'refused at the release listener' : `answered by Envoy: ${details}`;
    return { kind: isRefused ? 'unsent' : envoyAnswered(details), fault: new SkilltapeError('internal', why) };
  }

  async *#unanswered(result: Exclude<ReleaseResult, { kind: 'answered' }>): AsyncGenerator<Uint8Array> {
    const { context, exchange } = this.#parts;
    const { id } = exchange;
    const fault = SkilltapeError.from(result.fault);
    if (result.kind === 'unsent') context.onFault(id, fault);
    const { outcome, type, message } = unanswered[result.kind];
    const last = errorEvent(errorEnvelope({ type, message: `${message} (exchange ${id})`, requestId: id }));
    yield await this.#taken(last, { outcome, detail: `release: ${fault.message}` });
  }

  /** The record says who it was, and not that we cut what the caller was given. */
  async #broke({ ending }: ReleaseBroke): Promise<void> {
    await this.#finish(this.#answer?.endingLetThrough() ?? ending);
  }

  #finish(ending: Ending): Promise<void> {
    return this.#parts.exchange.ledger.finish({ ...ending, status: 200, localReply: '' });
  }

  /** On disk before the last words are given. */
  async #ended(ending: Ending): Promise<void> {
    try {
      await this.#finish(ending);
      await this.#parts.exchange.ledger.sync();
    } catch (thrown) {
      this.#answer?.takeBack();
      throw thrown;
    }
  }

  /** In words, because nothing of the upstream's answer was given; nothing where the caller left. */
  async *#stopped(): AsyncGenerator<Uint8Array> {
    if (this.#stop === null) return;
    const { body } = stoppedReply(this.#stop, this.#parts.exchange.id);
    yield await this.#taken(errorEvent(body), { outcome: 'stopped', detail: stopDetail(this.#stop) });
  }

  /** Well below the silence that clients and Envoy take for a broken connection. */
  async *#commentsUntil(settled: Promise<unknown>, text: string): AsyncGenerator<Uint8Array> {
    const { commentIntervalMs } = this.#parts.streamed.holds.limits;
    const comment = new TextEncoder().encode(`: ${text}\n\n`);
    let isSettled = false;
    let wake = () => {};
    const done = () => {
      isSettled = true;
      wake();
    };
    settled.then(done, done);
    // Many are held at one moment: the comments to all of them must not come in one moment, too, again and again.
    let waitMs = Math.random() * commentIntervalMs;
    while (!isSettled) {
      yield await this.#taken(comment);
      if (isSettled) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const timer = setTimeout(resolve, waitMs);
      await promise;
      clearTimeout(timer);
      waitMs = commentIntervalMs;
    }
  }

  /**
   * The bytes once they are recorded. With `ending` they are the last, and synced with the end; null where the upstream's
   * answer says how it ended.
   */
  async #taken(bytes: Uint8Array, ending?: Ending | null): Promise<Uint8Array> {
    const last = ending !== undefined;
    const frame = { kind: 'response_body', body: bytes, endOfStream: last } as const;
    const how = { last, released: this.#isReleased, setHeaders: {} };
    const action = await this.#answer?.take(frame, how);
    if (action?.kind === 'cut') throw new SkilltapeError('internal', action.reason);
    const end = last ? (ending ?? this.#answer?.endingLetThrough()) : undefined;
    if (end !== undefined) await this.#ended(end);
    return bytes;
  }
}
