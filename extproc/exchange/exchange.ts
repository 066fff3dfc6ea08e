import type { MessagesRequest } from '../claude/request.ts';
import { SkilltapeError } from '../errors.ts';
import { Answer, answeredUnreleased, continueUnseen, isFromUpstream } from './answer.ts';
import { brokenOff, type StreamEnding } from './broken-off.ts';
import { withDeadline } from './deadline.ts';
import { newExchangeId } from './exchange-id.ts';
import type { Action, Frame, FrameOf, LocalReply } from './frame.ts';
import { recordableHeaders } from './headers.ts';
import type { HoldEnd } from './hold.ts';
import { type Held, Holding } from './holding.ts';
import { Intake } from './intake.ts';
import { Judging } from './judging.ts';
import { Ledger } from './ledger.ts';
import type { Outcome } from './outcome.ts';
import { OwnReply } from './own-reply.ts';
import { isHeld, type Phase, phaseAfter, stepOf } from './phase.ts';
import type { Connection, ExchangeContext, Judge, Verdict } from './ports.ts';
import { denialReply, type RefusalReason, refusalReply } from './refusal.ts';
import { accessLogOf, releaseOf } from './release.ts';
import { RequestBody, refusedDetail } from './request-body.ts';
import { readRequest } from './request-reading.ts';
import { ownHeaders, type Session } from './session.ts';
import { Share } from './share.ts';
import { type Soon, whenThere } from './soon.ts';
import { type Stop, stopDetail, stopIn, stoppedReply } from './stopping.ts';
import { rulesOf } from './verdicts.ts';

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
  /** Of a messages request that was read, without its messages. */
  #request: MessagesRequest | null = null;
  #answer: Answer | undefined;
  readonly #own: OwnReply;
  #released = false;
  #judging: Judging | undefined;
  #holding: Holding | undefined;

  /** `pathPrefix` is the route's own (`/sandbox`, or empty), which Envoy takes off on the way up. */
  constructor(context: ExchangeContext, connection: Connection, pathPrefix: string) {
    this.id = newExchangeId(context.clock.nowMs());
    this.#context = context;
    this.#connection = connection;
    this.#pathPrefix = pathPrefix;
    this.#judge = context.judge();
    this.#ledger = new Ledger(context.log, context.clock, this.id, (how) => context.onFinished(connection.name, how));
    this.#own = new OwnReply(this.#ledger, connection.name, this.id, context.onUnrecorded);
    this.#share = new Share(context);
    this.#body = new RequestBody(context, this.#share, this.id);
  }

  /** Never throws or rejects: what fails while the request is held is refused, what fails later cuts the answer (inv. 2). */
  accept(frame: Frame): Soon<Action> {
    const isHurried = isHeld(this.#phase) && !frame.kind.startsWith('response_');
    try {
      const step = this.#step(frame);
      if (!(step instanceof Promise)) return this.#next(step);
      return (isHurried ? this.#inHurry(step) : step).then(
        (action) => this.#next(action),
        (error) => this.#next(this.#failed(error)),
      );
    } catch (error) {
      return this.#next(this.#failed(error));
    }
  }

  #next(action: Action): Action {
    this.#phase = phaseAfter(action, this.#phase);
    return action;
  }

  /** People take their time: only what comes before and after them is in a hurry. */
  async #inHurry(step: Promise<Action>): Promise<Action> {
    const action = await this.#inTime(step);
    const holding = this.#holding;
    if (holding === undefined) return action;
    const begun = await holding.streamed();
    if (begun !== null) return begun;
    const end = await holding.end;
    this.#holding = undefined;
    return this.#inTime(this.#afterHold(holding, end));
  }

  /** No timer of Envoy's runs while it waits for us with a request, so each step of a held one has ours. */
  async #inTime(step: Promise<Action>): Promise<Action> {
    const action = await withDeadline(step, this.#context.limits.decisionTimeoutMs, () => !this.#released);
    // A denial whose sync is late is given all the same: its record, which is written, says what the caller heard.
    return action ?? this.#own.given ?? this.#refuseUnrecorded('decision_timeout');
  }

  #failed(thrown: unknown): Action {
    const fault = SkilltapeError.from(thrown);
    if (!isHeld(this.#phase)) return { kind: 'cut', reason: fault.message };
    this.#context.onFault(this.id, fault);
    return this.#refuseUnrecorded('journal_unavailable');
  }

  /** Envoy gives the request up: nobody is to decide for it any more. */
  left(): void {
    this.#holding?.leave();
  }

  /** An operator ends it: with an answer of ours as long as none has begun, else by a cut. */
  async stop(stop: Stop): Promise<Action> {
    if (this.#holding?.stop(stop) === true) return { kind: 'wait' };
    return stopIn(this.#phase, stop) ?? this.#replyRecorded('stopped', stopDetail(stop), stoppedReply(stop, this.id));
  }

  /**
   * The stream is over, however it went; an exchange that already has its end keeps it. `undelivered`: what was last
   * let through found nobody to take it.
   */
  async abandon(how: StreamEnding, detail: string, undelivered = false): Promise<void> {
    this.#phase = 'ended';
    this.#body.forget();
    this.#answer?.forget();
    const known = { answer: this.#answer, released: this.#released, exchangeId: this.id, ...this.#holding?.known };
    try {
      if (this.#ledger.isOpen)
        await this.#ledger.finish(await brokenOff({ how, detail, undelivered }, known, this.#context.endReports), true);
    } finally {
      this.#context.endReports.forget(this.id);
      this.#holding?.close();
      this.#share.close();
    }
  }

  #step(frame: Frame): Soon<Action> {
    const step = stepOf(this.#phase, frame.kind, 'endOfStream' in frame && frame.endOfStream);
    switch (step) {
      case 'begin':
        return this.#beginInTurn(frame as FrameOf<'request_headers'>);
      case 'collect':
        return this.#collect(frame as FrameOf<'request_body'>);
      case 'judge':
        return this.#takeLastAndJudge(frame);
      case 'answer':
      case 'end':
        return this.#takeAnswer(frame, step === 'end');
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
  #beginInTurn(frame: FrameOf<'request_headers'>): Soon<Action> {
    this.#phase = 'receiving';
    return this.#context.loopShare.run(() => (isHeld(this.#phase) ? this.#begin(frame) : { kind: 'wait' as const }));
  }

  #begin(frame: FrameOf<'request_headers'>): Soon<Action> {
    const { limits, log, attempts, refusals } = this.#context;
    const intake = new Intake(frame, this.#context, this.#connection, this.#pathPrefix, this.#judge.timeZones);
    this.#intake = intake;
    const unrecorded = log.admits() ? refusals.refuse(intake, this.#judge) : this.#refuseUnrecorded('journal_full');
    if (unrecorded !== null) return unrecorded;
    const noPlace = this.#share.open(intake.caller);
    // While the request is held nobody hears of it: its records are waited for together, before the release.
    this.#ledger.note({ kind: 'started', started: intake.started(attempts, this.id, this.#judge.revision) });
    if (noPlace !== null) return this.#refuse(noPlace);
    this.#judging = new Judging(this.#judge, intake, this.#context);
    const verdict = this.#judging.access();
    // Nobody can decide about a hold yet: the request is not there.
    if (verdict.verdict === 'deny') {
      refusals.denied(intake);
      return this.#deny('access', verdict, intake.access);
    }
    const refusal = intake.refusal(limits);
    return refusal === null ? { kind: 'wait' } : this.#refuse(refusal.reason, refusal.detail);
  }

  #collect(frame: FrameOf<'request_body'>): Soon<Action> {
    return whenThere(this.#body.add(frame.body, this.#ledger), (taken) =>
      taken === 'taken' ? { kind: 'wait' } : this.#refuse(taken, refusedDetail(taken, this.#context.limits)),
    );
  }

  #takeLast(frame: Frame): Soon<Action> {
    if (frame.kind === 'request_headers') return this.#beginInTurn(frame);
    if (frame.kind !== 'request_trailers') return this.#collect(frame as FrameOf<'request_body'>);
    this.#ledger.note({ kind: 'request_trailers', headers: recordableHeaders(frame.headers) });
    return { kind: 'wait' };
  }

  async #takeLastAndJudge(lastFrame: Frame): Promise<Action> {
    const taken = await this.#takeLast(lastFrame);
    // The deadline may have refused it while the disk was slow.
    if (taken.kind !== 'wait' || !isHeld(this.#phase)) return taken;
    const place = this.#known().bodyPlace(this.#context.limits, this.#judge);
    const read = await readRequest(this.#context, this.id, place, this.#body);
    if (!isHeld(this.#phase)) return { kind: 'wait' };
    if (read.fault !== '') return this.#refuse(read.reason, read.fault);
    this.#request = read.request;
    this.#session = this.#known().sessionFor(read.request, this.id, this.#context);
    const own = { exchangeId: this.id, session: this.#session.id, requestBytes: this.#body.bytes };
    const judged = await this.#judging?.request(read, { ...own, isHeld: () => isHeld(this.#phase) });
    if (!judged || !isHeld(this.#phase)) return { kind: 'wait' };
    const { input, verdict } = judged;
    if (verdict.verdict === 'hold') return this.#hold({ verdict, input, lastFrame });
    if (verdict.verdict === 'deny') return this.#deny('request', verdict, input);
    this.#noteDecision('request', verdict, input);
    return this.#release(lastFrame);
  }

  /** People are asked about what is on disk. */
  async #hold(held: Held): Promise<Action> {
    this.#noteDecision('request', held.verdict, held.input);
    await this.#ledger.sync();
    if (!isHeld(this.#phase)) return { kind: 'wait' };
    const own = { id: this.id, ledger: this.#ledger, session: this.#session, request: this.#request };
    const rest = { ...own, judging: this.#judging, policyRevision: this.#judge.revision };
    this.#holding = new Holding(this.#context, this.#known(), this.#body, held, rest);
    return { kind: 'wait' };
  }

  async #afterHold(holding: Holding, end: HoldEnd): Promise<Action> {
    if (!isHeld(this.#phase) || end.kind === 'left') return { kind: 'wait' };
    const { input, lastFrame, verdict: held } = holding.held;
    const { verdict, ...told } = holding.told(end);
    if (verdict !== null) this.#noteDecision('request', verdict, input);
    if (told.kind === 'release') return this.#release(lastFrame);
    return this.#replyRecorded(told.outcome, rulesOf(verdict ?? held), told.reply);
  }

  /** Made only when the whole request and its verdict are on disk (inv. 1). */
  async #release(lastFrame: Frame): Promise<Action> {
    await this.#ledger.sync();
    if (!isHeld(this.#phase)) return { kind: 'wait' };
    this.#phase = 'released';
    this.#released = true;
    this.#judging?.letThrough();
    this.#context.endReports.expect(this.id);
    return releaseOf(this.#body, lastFrame, accessLogOf(this.id, this.#connection.name, 'allow'));
  }

  #takeAnswer(frame: Frame, last: boolean): Soon<Action> {
    if (frame.kind === 'response_headers') {
      if (!this.#released && isFromUpstream(frame)) return answeredUnreleased;
      const known = { request: this.#request, session: this.#session, judging: this.#judging };
      this.#answer = new Answer(frame, this.#ledger, this.#known().handlingOf(frame, this.#context, known));
    }
    const answer = this.#answer;
    if (answer === undefined) return { kind: 'cut', reason: `${frame.kind} came before the answer's headers` };
    this.#phase = last ? 'ended' : 'answering';
    const setHeaders = frame.kind === 'response_headers' ? ownHeaders(this.id, this.#session) : {};
    return answer.take(frame, { last, released: this.#released, setHeaders });
  }

  #deny(stage: 'access' | 'request', verdict: Verdict, input: unknown): Promise<Action> {
    this.#noteDecision(stage, verdict, input);
    return this.#replyRecorded('denied', rulesOf(verdict), denialReply(verdict, this.id));
  }

  #refuse(reason: RefusalReason, detail = ''): Promise<Action> {
    return this.#replyRecorded('refused', `${reason} ${detail}`.trim(), refusalReply(reason, detail, this.id));
  }

  #replyRecorded(outcome: Outcome, detail: string, reply: LocalReply): Promise<Action> {
    this.#phase = 'replied';
    this.#body.forget();
    return this.#own.recorded(outcome, detail, reply, this.#session);
  }

  #refuseUnrecorded(reason: RefusalReason): Action {
    this.#phase = 'replied';
    this.#body.forget();
    return this.#own.unrecorded(reason);
  }

  #noteDecision(stage: 'access' | 'request', verdict: Verdict, input: unknown): void {
    this.#session ??= this.#known().sessionFor(null, this.id, this.#context);
    this.#ledger.noteDecision(stage, verdict, { input, policyRevision: this.#judge.revision, session: this.#session });
  }

  #known(): Intake {
    if (this.#intake === undefined) throw new Error('the request headers were not read yet');
    return this.#intake;
  }
}
