import { v7 as uuidv7 } from 'uuid';
import type { MessagesRequest } from '../claude/request.ts';
import type { AccessInput } from '../policy/input.ts';
import { AnswerWatch } from './answer.ts';
import { withDeadline } from './deadline.ts';
import type { RequestFacts } from './facts.ts';
import { accessInput, readBody, requestFacts, requestInput } from './facts.ts';
import type { Action, Frame, LocalReply } from './frame.ts';
import { callerCredentialHeaders, headerValue, recordableHeaders } from './headers.ts';
import { HeldBody } from './held-body.ts';
import { Ledger } from './ledger.ts';
import type { Outcome } from './outcome.ts';
import type { Phase } from './phase.ts';
import { stepOf } from './phase.ts';
import type { Connection, ExchangeContext, Judge, Verdict } from './ports.ts';
import type { Started } from './record.ts';
import type { RefusalReason } from './refusal.ts';
import { denialReply, refusalReply } from './refusal.ts';
import type { Session } from './session.ts';
import { sessionOf } from './session.ts';

type HeadersFrame = Extract<Frame, { kind: 'request_headers' }>;
type BodyFrame = Extract<Frame, { kind: 'request_body' }>;

/** What is known once the request headers were read. */
type Intake = { facts: RequestFacts; access: AccessInput };

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
  readonly #body: HeldBody;
  #phase: Phase = 'opened';
  #intake: Intake | undefined;
  #counted = false;
  #released = false;
  #answer: AnswerWatch | undefined;
  #session: Session | undefined;

  constructor(context: ExchangeContext, connection: Connection, pathPrefix: string) {
    this.id = uuidv7({ msecs: context.clock.nowMs() });
    this.#context = context;
    this.#connection = connection;
    this.#pathPrefix = pathPrefix;
    this.#judge = context.judge();
    this.#ledger = new Ledger(context.log, context.clock, this.id);
    this.#body = new HeldBody(context.budget);
  }

  /**
   * Never rejects: what fails while the request is held is refused, what fails later cuts the answer (inv. 2).
   */
  async accept(frame: Frame): Promise<Action> {
    try {
      return await this.#step(frame);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#phase === 'opened' || this.#phase === 'receiving') return this.#refuseUnrecorded('journal_unavailable');
      return { kind: 'cut', reason };
    }
  }

  /** The stream is over, however it went. Nothing happens when the exchange already has its end. */
  async abandon(how: 'stream_ended' | 'cut', detail: string): Promise<void> {
    try {
      if (how === 'cut') await this.#finish('cut', detail);
      else await this.#finish(this.#answer === undefined ? 'client_aborted' : 'aborted', detail);
    } finally {
      this.#body.forget();
      if (this.#counted) this.#context.budget.openExchanges -= 1;
      this.#counted = false;
    }
  }

  async #step(frame: Frame): Promise<Action> {
    const step = stepOf(this.#phase, frame.kind, 'endOfStream' in frame && frame.endOfStream);
    switch (step) {
      case 'begin':
        return this.#begin(frame as HeadersFrame);
      case 'collect':
        return this.#collect(frame as BodyFrame);
      case 'judge':
        return this.#takeLastAndJudge(frame);
      case 'answer':
        return this.#takeAnswer(frame, false);
      case 'end':
        return this.#takeAnswer(frame, true);
      case 'ignore':
        return { kind: 'wait' };
      case 'violation':
        return {
          kind: 'cut',
          reason: `${frame.kind} came out of order in phase ${this.#phase}`,
        };
      default:
        return step satisfies never;
    }
  }

  async #begin(frame: HeadersFrame): Promise<Action> {
    const { budget, limits, log, clock } = this.#context;
    this.#phase = 'receiving';
    const facts = requestFacts(frame, this.#connection, this.#pathPrefix);
    const access = accessInput(facts, this.#connection, clock.nowMs());
    this.#intake = { facts, access };
    if (!log.admits()) return this.#refuseUnrecorded('journal_full');
    if (budget.openExchanges >= limits.openExchangesMax) return this.#refuseUnrecorded('open_exchanges_at_limit');
    budget.openExchanges += 1;
    this.#counted = true;
    await this.#ledger.record({
      kind: 'started',
      started: this.#started(facts),
    });
    const verdict = this.#judge.access(access);
    if (verdict.verdict !== 'allow') return this.#deny('access', verdict, access);
    const announcedBytes = Number(headerValue(facts.headers, 'content-length') ?? 0);
    if (announcedBytes > limits.requestBodyMaxBytes) return this.#refuse('request_body_too_large');
    if (facts.contentEncoding !== 'identity') return this.#refuse('encoding_unsupported');
    return { kind: 'wait' };
  }

  async #collect(frame: BodyFrame): Promise<Action> {
    const taken = this.#body.add(frame.body, this.#context.limits);
    if (taken !== 'taken') return this.#refuse(taken);
    if (frame.body.length > 0) await this.#ledger.record({ kind: 'request_body', bytes: frame.body });
    return { kind: 'wait' };
  }

  async #takeLastAndJudge(frame: Frame): Promise<Action> {
    if (frame.kind === 'request_trailers') {
      await this.#ledger.record({
        kind: 'request_trailers',
        headers: recordableHeaders(frame.headers),
      });
    } else {
      const taken =
        frame.kind === 'request_headers' ? await this.#begin(frame) : await this.#collect(frame as BodyFrame);
      if (taken.kind !== 'wait') return taken;
    }
    const isHeld = () => this.#phase === 'receiving';
    const action = await withDeadline(this.#judgeRequest(frame), this.#context.limits.decisionTimeoutMs, isHeld);
    return action ?? this.#refuseUnrecorded('decision_timeout');
  }

  /** The release is made only when the whole request and its verdict are on disk (inv. 1). */
  async #judgeRequest(lastFrame: Frame): Promise<Action> {
    const { facts, access } = this.#knownIntake();
    const read = readBody(facts, this.#body.joined());
    if (read.kind === 'malformed') return this.#refuse('body_malformed', read.fault);
    this.#session = this.#sessionFor(read.kind === 'messages' ? read.request : null);
    const input = requestInput(access, read, this.#body.bytes);
    const verdict = this.#judge.request(input);
    if (verdict.verdict !== 'allow') return this.#deny('request', verdict, input);
    await this.#recordDecision('request', verdict, input);
    await this.#ledger.sync();
    if (this.#phase !== 'receiving') return { kind: 'wait' };
    this.#phase = 'released';
    this.#released = true;
    return {
      kind: 'release',
      removeHeaders: callerCredentialHeaders,
      body: this.#body.release(),
      hadBody: lastFrame.kind !== 'request_headers',
      hadTrailers: lastFrame.kind === 'request_trailers',
      accessLog: this.#accessLog('allow'),
    };
  }

  async #takeAnswer(frame: Frame, last: boolean): Promise<Action> {
    if (frame.kind === 'response_headers') this.#answer = new AnswerWatch(frame);
    const answer = this.#answer;
    if (answer === undefined)
      return {
        kind: 'cut',
        reason: `${frame.kind} came before the answer's headers`,
      };
    this.#phase = last ? 'ended' : 'answering';
    const completes = await this.#recordAnswer(frame, answer);
    if (last) {
      const { outcome, detail } = answer.outcome();
      if (this.#released) await this.#finish(outcome, detail);
      else await this.#finish('refused', `answered by Envoy: ${answer.codeDetails}`);
    }
    if (completes || last) await this.#ledger.sync();
    return this.#continueAnswer(frame);
  }

  /** Records a frame of the answer; true when it may be answered only after a sync. */
  async #recordAnswer(frame: Frame, answer: AnswerWatch): Promise<boolean> {
    if (frame.kind === 'response_headers') {
      const { status, codeDetails } = answer;
      const headers = recordableHeaders(frame.headers);
      await this.#ledger.record({
        kind: 'answer_started',
        answer: { status, headers, codeDetails },
      });
      return false;
    }
    if (frame.kind === 'response_body') {
      const completes = answer.completes(frame.body);
      if (frame.body.length > 0) await this.#ledger.record({ kind: 'answer_body', bytes: frame.body });
      return completes;
    }
    if (frame.kind === 'response_trailers') {
      await this.#ledger.record({
        kind: 'answer_trailers',
        headers: recordableHeaders(frame.headers),
      });
    }
    return false;
  }

  #continueAnswer(frame: Frame): Action {
    if (frame.kind === 'response_trailers') return { kind: 'continue_response_trailers' };
    if (frame.kind === 'response_body') return { kind: 'continue_response_body' };
    const session = this.#session === undefined ? {} : { 'x-skilltape-session': this.#session.id };
    return {
      kind: 'continue_response_headers',
      setHeaders: { 'x-skilltape-exchange': this.id, ...session },
    };
  }

  async #deny(stage: 'access' | 'request', verdict: Verdict, input: unknown): Promise<Action> {
    this.#session ??= this.#sessionFor(null);
    await this.#recordDecision(stage, verdict, input);
    return this.#replyRecorded(
      'denied',
      verdict.reasons.map(({ rule }) => rule).join(' '),
      denialReply(verdict, this.id),
    );
  }

  async #refuse(reason: RefusalReason, detail = this.#limitText(reason)): Promise<Action> {
    return this.#replyRecorded('refused', `${reason} ${detail}`.trim(), refusalReply(reason, detail, this.id));
  }

  async #replyRecorded(outcome: Outcome, detail: string, reply: LocalReply): Promise<Action> {
    this.#phase = 'replied';
    this.#body.forget();
    await this.#ledger.finish({
      outcome,
      detail,
      status: reply.status,
      localReply: reply.body,
    });
    await this.#ledger.sync();
    return { kind: 'local_reply', reply, accessLog: this.#accessLog(outcome) };
  }

  /** A refusal when the journal cannot take it, or takes too long: it must not wait for the disk again. */
  #refuseUnrecorded(reason: RefusalReason): Action {
    this.#phase = 'replied';
    this.#body.forget();
    const reply = refusalReply(reason, '', this.id);
    const finished = {
      outcome: 'refused' as const,
      detail: reason,
      status: reply.status,
      localReply: reply.body,
    };
    void this.#ledger.finish(finished).catch(() => {});
    return {
      kind: 'local_reply',
      reply,
      accessLog: this.#accessLog('refused'),
    };
  }

  async #recordDecision(stage: 'access' | 'request', verdict: Verdict, input: unknown): Promise<void> {
    const session = this.#session ?? this.#sessionFor(null);
    await this.#ledger.decided(stage, verdict, {
      input,
      policyRevision: this.#judge.revision,
      session,
    });
  }

  async #finish(outcome: Outcome, detail: string): Promise<void> {
    await this.#ledger.finish({
      outcome,
      detail,
      status: this.#answer?.status ?? null,
      localReply: '',
    });
  }

  #sessionFor(request: MessagesRequest | null): Session {
    const { facts, access } = this.#knownIntake();
    const { keyedHash } = this.#context;
    const { headers } = facts;
    return sessionOf({
      headers,
      request,
      identity: access.identity,
      connection: this.#connection.name,
      exchangeId: this.id,
      keyedHash,
    });
  }

  #started(facts: RequestFacts): Started {
    const { method, path, query, sourceAddress, envoyRequestId, authentication } = facts;
    return {
      connection: this.#connection.name,
      identity: authentication.kind === 'verified' ? authentication.identity : null,
      authenticationFailure: authentication.kind === 'failed' ? authentication.failure : null,
      method,
      path,
      query,
      headers: recordableHeaders(facts.headers.filter(([name]) => name !== ':path')),
      sourceAddress,
      envoyRequestId,
      attemptOf: this.#context.attempts.linkTo(envoyRequestId, this.id),
    };
  }

  #limitText(reason: RefusalReason): string {
    return reason === 'request_body_too_large' ? `${this.#context.limits.requestBodyMaxBytes} bytes` : '';
  }

  #accessLog(verdict: string): Record<string, string> {
    const refusal: Record<string, string> = verdict === 'allow' ? {} : { refusal: verdict };
    return {
      exchange: this.id,
      connection: this.#connection.name,
      verdict,
      ...refusal,
    };
  }

  #knownIntake(): Intake {
    if (this.#intake === undefined) throw new Error('the request headers were not read yet');
    return this.#intake;
  }
}
