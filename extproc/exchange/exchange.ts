import type { MessagesRequest } from '../claude/request.ts';
import { SkilltapeError } from '../errors.ts';
import { Answer, continueUnseen, isFromUpstream } from './answer.ts';
import { handlingOf } from './answer-handling.ts';
import { type BodyFacts, unreadBody } from './body.ts';
import { brokenOff, type StreamEnding } from './broken-off.ts';
import { withDeadline } from './deadline.ts';
import { newExchangeId } from './exchange-id.ts';
import type { Action, Frame, LocalReply } from './frame.ts';
import { callerCredentialHeaders, recordableHeaders } from './headers.ts';
import { Intake } from './intake.ts';
import { Ledger } from './ledger.ts';
import type { Outcome } from './outcome.ts';
import type { Phase } from './phase.ts';
import { stepOf } from './phase.ts';
import type { Connection, ExchangeContext, Judge, Verdict } from './ports.ts';
import type { RefusalReason } from './refusal.ts';
import { denialReply, refusalReply } from './refusal.ts';
import { RequestBody } from './request-body.ts';
import type { Session } from './session.ts';
import type { SessionLearning } from './session-learning.ts';
import { Share } from './share.ts';

type HeadersFrame = Extract<Frame, { kind: 'request_headers' }>;
type BodyFrame = Extract<Frame, { kind: 'request_body' }>;

/**
 * One HTTP request and its answer: takes Envoy's frames one at a time and says what happens next. The order that
 * invariant 1 asks for is held here: record, sync, then the action that lets bytes pass.
 */
export class Exchange {
  readonly id: string;
  readonly #context: ExchangeContext;
  readonly #connection: Connection;
  readonly #pathPrefix: string;
  /** The policy in force when the exchange began judges it to its end. */
  readonly #judge: Judge;
  readonly #ledger: Ledger;
  readonly #share: Share;
  readonly #body: RequestBody;
  #phase: Phase = 'opened';
  #intake: Intake | undefined;
  #session: Session | undefined;
  #learning: SessionLearning | null = null;
  #answer: Answer | undefined;
  /** Our own answer, once its record is written. */
  #replied: Action | undefined;
  #released = false;

  /** `pathPrefix` is the route's own (`/sandbox`, or empty), which Envoy takes off on the way up. */
  constructor(context: ExchangeContext, connection: Connection, pathPrefix: string) {
    this.id = newExchangeId(context.clock.nowMs());
    this.#context = context;
    this.#connection = connection;
    this.#pathPrefix = pathPrefix;
    this.#judge = context.judge();
    this.#ledger = new Ledger(context.log, context.clock, this.id, (how) => context.onFinished(connection.name, how));
    this.#share = new Share(context);
    this.#body = new RequestBody(context, this.#share, this.id);
  }

  /** Never rejects: what fails while the request is held is refused, what fails later cuts the answer (inv. 2). */
  async accept(frame: Frame): Promise<Action> {
    const action = await this.#stepInTime(frame).catch((error) => this.#failed(SkilltapeError.from(error)));
    // A cut is final: whatever still came must not be taken for the rest of a request.
    if (action.kind === 'cut') this.#phase = 'ended';
    return action;
  }

  /** No timer of Envoy's runs while it waits for us with a request, so each step of a held one has ours. */
  async #stepInTime(frame: Frame): Promise<Action> {
    if (!this.#isHeld() || frame.kind.startsWith('response_')) return this.#step(frame);
    const isUnreleased = () => !this.#released;
    const action = await withDeadline(this.#step(frame), this.#context.limits.decisionTimeoutMs, isUnreleased);
    // A denial whose sync is late is given all the same: its record, which is written, says what the caller heard.
    return action ?? this.#replied ?? this.#refuseUnrecorded('decision_timeout');
  }

  #failed(fault: SkilltapeError): Action {
    if (!this.#isHeld()) return { kind: 'cut', reason: fault.message };
    this.#context.onFault(this.id, fault);
    return this.#refuseUnrecorded('journal_unavailable');
  }

  #isHeld(): boolean {
    return this.#phase === 'opened' || this.#phase === 'receiving';
  }

  /**
   * The stream is over, however it went; an exchange that already has its end keeps it. `undelivered`: what was last
   * let through found nobody to take it.
   */
  async abandon(how: StreamEnding, detail: string, undelivered = false): Promise<void> {
    const answer = this.#answer;
    const { endReports } = this.#context;
    this.#phase = 'ended';
    this.#body.forget();
    answer?.forget();
    try {
      const known = { answer, released: this.#released, exchangeId: this.id };
      if (this.#ledger.isOpen)
        await this.#ledger.finish(await brokenOff({ how, detail, undelivered }, known, endReports));
    } finally {
      endReports.forget(this.id);
      this.#share.close();
    }
  }

  async #step(frame: Frame): Promise<Action> {
    const step = stepOf(this.#phase, frame.kind, 'endOfStream' in frame && frame.endOfStream);
    switch (step) {
      case 'begin':
        return this.#beginInTurn(frame as HeadersFrame);
      case 'collect':
        return this.#collect(frame as BodyFrame);
      case 'judge':
        return this.#takeLastAndJudge(frame);
      case 'answer':
        return this.#takeAnswer(frame, false);
      case 'end':
        return this.#takeAnswer(frame, true);
      case 'pass':
        this.#phase = 'unseen';
        return continueUnseen(frame);
      case 'ignore':
        return { kind: 'wait' };
      case 'violation':
        return { kind: 'cut', reason: `${frame.kind} came out of order in phase ${this.#phase}` };
      default:
        return step satisfies never;
    }
  }

  /** Many requests may come in one turn of the event loop, which must stay short. */
  #beginInTurn(frame: HeadersFrame): Promise<Action> {
    this.#phase = 'receiving';
    return this.#context.loopShare.run(() => (this.#isHeld() ? this.#begin(frame) : { kind: 'wait' as const }));
  }

  async #begin(frame: HeadersFrame): Promise<Action> {
    const { limits, log, clock, attempts, refusals } = this.#context;
    const intake = new Intake(frame, this.#connection, this.#pathPrefix, clock.nowMs());
    this.#intake = intake;
    if (!log.admits()) return this.#refuseUnrecorded('journal_full');
    const counted = refusals.refuse(intake, this.#judge);
    if (counted !== null) this.#phase = 'replied';
    if (counted !== null) return counted;
    const noPlace = this.#share.open(intake.caller);
    const attemptOf = attempts.linkTo(intake.facts.envoyRequestId, this.id);
    // While the request is held nobody hears of it: its records are waited for together, before the release.
    this.#ledger.note({ kind: 'started', started: intake.started(attemptOf) });
    if (noPlace !== null) return this.#refuse(noPlace);
    const verdict = this.#judge.access(intake.access);
    if (verdict.verdict !== 'allow') return this.#deny('access', verdict, intake.access);
    const refusal = intake.refusal(limits);
    return refusal === null ? { kind: 'wait' } : this.#refuse(refusal.reason, refusal.detail);
  }

  async #collect(frame: BodyFrame): Promise<Action> {
    const taken = await this.#body.add(frame.body, this.#ledger);
    return taken === 'taken' ? { kind: 'wait' } : this.#refuse(taken);
  }

  async #takeLastAndJudge(frame: Frame): Promise<Action> {
    if (frame.kind === 'request_trailers') {
      this.#ledger.note({ kind: 'request_trailers', headers: recordableHeaders(frame.headers) });
    } else {
      const first = frame.kind === 'request_headers';
      const taken = first ? await this.#beginInTurn(frame) : await this.#collect(frame as BodyFrame);
      if (taken.kind !== 'wait') return taken;
    }
    // The deadline may have refused it while the disk was slow.
    return this.#isHeld() ? this.#judgeRequest(frame) : { kind: 'wait' };
  }

  /** The release is made only when the whole request and its verdict are on disk (inv. 1). */
  async #judgeRequest(lastFrame: Frame): Promise<Action> {
    const read = await this.#read();
    if (!this.#isHeld()) return { kind: 'wait' };
    if (read.fault !== '') return this.#refuse(read.reason, read.fault);
    this.#session = this.#sessionFor(read.request);
    const input = this.#known().requestInput(read, this.#body.bytes);
    const verdict = await this.#context.loopShare.run(() => this.#judge.request(input));
    if (!this.#isHeld()) return { kind: 'wait' };
    if (verdict.verdict !== 'allow') return this.#deny('request', verdict, input);
    this.#noteDecision('request', verdict, input);
    await this.#ledger.sync();
    if (!this.#isHeld()) return { kind: 'wait' };
    this.#phase = 'released';
    this.#released = true;
    this.#context.endReports.expect(this.id);
    return {
      kind: 'release',
      removeHeaders: callerCredentialHeaders,
      body: this.#body.release(),
      hadBody: lastFrame.kind !== 'request_headers',
      hadTrailers: lastFrame.kind === 'request_trailers',
      accessLog: this.#accessLog('allow'),
    };
  }

  async #read(): Promise<BodyFacts> {
    const { reader, loopShare, limits } = this.#context;
    const place = this.#known().bodyPlace(limits, this.#judge.looksAtFindings);
    try {
      return await loopShare.run(() => reader.read('body', place, this.#body));
    } catch (thrown) {
      if (SkilltapeError.from(thrown).code === 'journal_corrupt') throw thrown;
      // A body that ends the thread which reads it is not to be sent again, so the caller is not told to retry.
      this.#context.onFault(this.id, SkilltapeError.from(thrown));
      return unreadBody('body_malformed', unreadable);
    }
  }

  async #takeAnswer(frame: Frame, last: boolean): Promise<Action> {
    if (frame.kind === 'response_headers') {
      if (!this.#released && isFromUpstream(frame)) {
        return { kind: 'cut', reason: 'an answer of the upstream came to a request that was not released' };
      }
      this.#answer = this.#answerOf(frame);
    }
    const answer = this.#answer;
    if (answer === undefined) return { kind: 'cut', reason: `${frame.kind} came before the answer's headers` };
    this.#phase = last ? 'ended' : 'answering';
    const session = this.#session === undefined ? {} : { 'x-skilltape-session': this.#session.id };
    const setHeaders = { 'x-skilltape-exchange': this.id, ...session };
    return answer.take(frame, { last, released: this.#released, setHeaders });
  }

  #answerOf(frame: Extract<Frame, { kind: 'response_headers' }>): Answer {
    const { budget, limits, reader } = this.#context;
    const rest = { connection: this.#connection, budget, reader, heldBodyMaxBytes: limits.heldBodyMaxBytes };
    const handling = handlingOf(frame, this.#known().facts.endpoint, { ...rest, learning: this.#learning });
    return new Answer(frame, this.#ledger, handling);
  }

  async #deny(stage: 'access' | 'request', verdict: Verdict, input: unknown): Promise<Action> {
    this.#noteDecision(stage, verdict, input);
    const rules = verdict.reasons.map(({ rule }) => rule).join(' ');
    const outcome = verdict.verdict === 'hold' ? 'held' : 'denied';
    return this.#replyRecorded(outcome, rules, denialReply(verdict, this.id));
  }

  async #refuse(reason: RefusalReason, detail = this.#limitText(reason)): Promise<Action> {
    return this.#replyRecorded('refused', `${reason} ${detail}`.trim(), refusalReply(reason, detail, this.id));
  }

  /** The caller hears of a refusal when its record is on disk. */
  async #replyRecorded(outcome: Outcome, detail: string, reply: LocalReply): Promise<Action> {
    this.#phase = 'replied';
    this.#body.forget();
    await this.#ledger.finish({ outcome, detail, status: reply.status, localReply: reply.body });
    const session = this.#session === undefined ? {} : { 'x-skilltape-session': this.#session.id };
    const headers = { ...reply.headers, ...session };
    this.#replied = { kind: 'local_reply', reply: { ...reply, headers }, accessLog: this.#accessLog(outcome) };
    await this.#ledger.sync();
    return this.#replied;
  }

  /** A refusal when the journal cannot take it, or takes too long: it must not wait for the disk again. */
  #refuseUnrecorded(reason: RefusalReason): Action {
    this.#phase = 'replied';
    this.#body.forget();
    const reply = refusalReply(reason, '', this.id);
    const end = { outcome: 'refused', detail: reason, status: reply.status, localReply: reply.body } as const;
    if (!this.#ledger.begun) this.#context.onUnrecorded(reason);
    this.#ledger.finish(end).catch(() => {});
    return { kind: 'local_reply', reply, accessLog: this.#accessLog('refused') };
  }

  #noteDecision(stage: 'access' | 'request', verdict: Verdict, input: unknown): void {
    this.#session ??= this.#sessionFor(null);
    const { revision } = this.#judge;
    this.#ledger.noteDecision(stage, verdict, { input, policyRevision: revision, session: this.#session });
  }

  #sessionFor(request: MessagesRequest | null): Session {
    const session = this.#known().sessionFor(request, this.id, this.#context);
    this.#learning = this.#known().learningFor(request, session.id, this.#context);
    return session;
  }

  #limitText(reason: RefusalReason): string {
    return reason === 'request_body_too_large' ? `${this.#context.limits.requestBodyMaxBytes} bytes` : '';
  }

  /** `refusal` tells Envoy's local reply format that the body already is in Claude's envelope. */
  #accessLog(verdict: string): Record<string, string> {
    const refusal: Record<string, string> = verdict === 'allow' ? {} : { refusal: verdict };
    return { exchange: this.id, connection: this.#connection.name, verdict, ...refusal };
  }

  #known(): Intake {
    if (this.#intake === undefined) throw new Error('the request headers were not read yet');
    return this.#intake;
  }
}

const unreadable = 'reading it takes more time or memory than there is';
