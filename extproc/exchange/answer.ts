import type { AnswerEnd, StreamGrammar } from '../claude/answer-end.ts';
import { answerEndOf, upstreamEnding } from './answer-ending.ts';
import type { AnswerLearning } from './answer-learning.ts';
import { AnswerProgress } from './answer-progress.ts';
import { AnswerUsage } from './answer-usage.ts';
import type { Ending } from './broken-off.ts';
import type { ChangedAnswer } from './changed-answer.ts';
import { changedAnswerRemovedHeaders } from './changed-answer.ts';
import type { Counting } from './counting.ts';
import type { Action, Frame, FrameOf } from './frame.ts';
import { continueAnswer } from './frame.ts';
import type { HeaderList } from './headers.ts';
import { headerValue, joinedValue, recordableHeaders } from './headers.ts';
import type { Ledger } from './ledger.ts';
import type { RecordBody } from './record.ts';

/** What is done with an answer beside recording it (`answer-handling.ts`). */
export type AnswerHandling = {
  /** Of the request. */
  method: string;
  grammar: StreamGrammar;
  changed: ChangedAnswer | null;
  learning: AnswerLearning | null;
  /** Told what the answer used; null where no rule asks for it. */
  counting: Counting | null;
};

const nothing = new Uint8Array(0);

/** Records one answer as it passes, and knows when a part of it has to wait for the disk and how it ended. */
export class Answer {
  readonly status: number;
  readonly #ledger: Ledger;
  readonly #headers: HeaderList;
  readonly #contentType: string;
  readonly #contentEncoding: string;
  /** Envoy's `response.code_details`: `via_upstream`, or why Envoy answered by itself. */
  readonly #codeDetails: string;
  readonly #end: AnswerEnd;
  readonly #changed: ChangedAnswer | null;
  readonly #learning: AnswerLearning | null;
  readonly #counting: Counting | null;
  readonly #usage: AnswerUsage | null;
  readonly #progress = new AnswerProgress();
  /** What the record says of the change. */
  #note = '';
  #released = false;
  #isEndOnDisk = false;

  constructor(frame: FrameOf<'response_headers'>, ledger: Ledger, handling: AnswerHandling) {
    this.#ledger = ledger;
    this.#headers = frame.headers;
    this.status = Number(headerValue(frame.headers, ':status') ?? 0);
    this.#codeDetails = String(frame.attributes['response.code_details'] ?? '');
    this.#contentType = headerValue(frame.headers, 'content-type') ?? '';
    this.#contentEncoding = joinedValue(frame.headers, 'content-encoding');
    this.#end = answerEndOf({ method: handling.method, status: this.status, headers: this.#headers }, handling.grammar);
    this.#changed = handling.changed;
    this.#learning = handling.learning;
    this.#counting = handling.counting;
    const form = { status: this.status, contentType: this.#contentType, contentEncoding: this.#contentEncoding };
    this.#usage = handling.counting === null ? null : new AnswerUsage(form);
  }

  /**
   * What to do with the frame, once its record was written, and when it completes the answer for its reader, once it
   * was synced (inv. 1). An encoded answer may complete with any chunk, so each one is synced. `setHeaders` go on with
   * the answer's headers.
   */
  async take(
    frame: Frame,
    how: { last: boolean; released: boolean; setHeaders: Record<string, string> },
  ): Promise<Action> {
    this.#released = how.released;
    // Also with its head alone, where that says that nothing follows.
    const ended = this.#end.push(frame.kind === 'response_body' ? frame.body : nothing) === 'ended';
    const record = this.#recordOf(frame);
    if (record !== null) await this.#recorded(record);
    if (frame.kind === 'response_body') {
      this.#learning?.take(frame.body);
      this.#usage?.take(frame.body);
    }
    if (ended || how.last) {
      this.#count();
      if (this.#learning !== null) await this.#learn(this.#learning);
    }
    const action =
      this.#changed === null ? continueAnswer(frame, how.setHeaders) : await this.#change(this.#changed, frame, how);
    if (action.kind === 'cut') return action;
    const isHeldBack = this.#changed !== null && !how.last;
    if (isHeldBack) return action;
    const isShown = frame.kind === 'response_trailers' || (ended && this.#changed === null);
    const isMarked = how.last && !isShown;
    // A death behind it must leave no doubt that the end was seen (`left-open.ts`).
    if (isMarked) this.#ledger.note({ kind: 'answer_trailers', headers: [] });
    const mayComplete = ended || (this.#end.opaque && frame.kind === 'response_body' && frame.body.length > 0);
    if (how.last || mayComplete) await this.#syncEnd(record !== null || isMarked);
    this.#progress.letThrough(ended || how.last);
    return action;
  }

  /** Headers go on before their record is written: no chunk passes before it is, and none at all when it is lost. */
  async #recorded(record: RecordBody): Promise<void> {
    const bytes = record.kind === 'answer_body' ? record.bytes.length : 0;
    if (record.kind === 'answer_started') this.#ledger.note(record, true);
    else await this.#ledger.record(record, () => this.#progress.recorded(bytes));
  }

  /** The end of the stream mostly comes behind a chunk that was the end for the reader, and brings nothing. */
  async #syncEnd(hasMore: boolean): Promise<void> {
    if (this.#isEndOnDisk && !hasMore) return;
    await this.#ledger.sync();
    this.#isEndOnDisk = true;
  }

  /** The last action found nobody to take it: the stream was over. */
  takeBack(): void {
    this.#progress.takeBack();
  }

  /** Bytes at the end of the record that the caller was not given. */
  get unansweredBytes(): number {
    return this.#progress.unansweredBytes;
  }

  /** The ending, when the end of the answer was seen and let through, even if the stream broke after it. */
  endingLetThrough(): Ending | undefined {
    if (!this.#progress.endLetThrough) return undefined;
    const ending = this.#released ? this.#outcome() : envoyAnswered(this.#codeDetails);
    return { ...ending, detail: ending.detail || this.#note };
  }

  /** The ending that its head alone makes certain: an error, or an answer of Envoy to a request that we still held. */
  endingByStatus(): Ending | undefined {
    if (!this.#released) return envoyAnswered(this.#codeDetails);
    return this.status >= 400 ? this.#outcome() : undefined;
  }

  /** Gives back what is held of the answer; safe to call more than once. */
  forget(): void {
    this.#count();
    this.#changed?.forget();
    this.#learning?.forget();
  }

  #recordOf(frame: Frame): RecordBody | null {
    if (frame.kind === 'response_headers') {
      const headers = recordableHeaders(this.#headers);
      const answer = { status: this.status, headers, codeDetails: this.#codeDetails };
      return { kind: 'answer_started', answer: this.#changed === null ? answer : { ...answer, givenAtEnd: true } };
    }
    if (frame.kind === 'response_trailers') {
      return { kind: 'answer_trailers', headers: recordableHeaders(frame.headers) };
    }
    const hasBytes = frame.kind === 'response_body' && frame.body.length > 0;
    return hasBytes ? { kind: 'answer_body', bytes: frame.body } : null;
  }

  /** Before its end is let through: the caller's next request may come at once. Once, also where it broke off. */
  #count(): void {
    if (this.#usage === null || this.#counting === null || !this.#released) return;
    this.#counting.answered(this.#usage.read(this.#counting.requestBytes));
  }

  #learn(learning: AnswerLearning): Promise<void> {
    const { status } = this;
    return learning.learn({ status, contentType: this.#contentType, contentEncoding: this.#contentEncoding });
  }

  /** Nothing passes before the last chunk, in whose place all of the changed body goes; both forms are recorded. */
  async #change(
    changed: ChangedAnswer,
    frame: Frame,
    { last, setHeaders }: { last: boolean; setHeaders: Record<string, string> },
  ): Promise<Action> {
    if (frame.kind === 'response_headers') {
      return { kind: 'continue_response_headers', setHeaders, removeHeaders: changedAnswerRemovedHeaders };
    }
    // Where trailers end the answer, all chunks were answered already: no place is left for the changed body.
    if (frame.kind !== 'response_body') return cut(`${changed.ofWhat} ended with trailers`);
    const fault = changed.take(frame.body);
    if (fault !== null) return cut(fault);
    if (!last) return { kind: 'continue_response_body', body: nothing };
    const whole = await changed.whole(this.#contentEncoding);
    changed.forget();
    if (!whole.ok) return cut(whole.reason);
    this.#note = whole.note;
    if (whole.changed) await this.#ledger.record({ kind: 'answer_changed', bytes: whole.bytes });
    return { kind: 'continue_response_body', body: whole.bytes };
  }

  #outcome(): Ending {
    return upstreamEnding(this.#end, { status: this.status, codeDetails: this.#codeDetails });
  }
}

function cut(reason: string): Action {
  return { kind: 'cut', reason };
}

/**
 * Whether an answer must be taken for the upstream's: Envoy names the reason of every answer of its own, so one without
 * a reason counts as the upstream's too (inv. 2).
 */
export function isFromUpstream({ attributes }: FrameOf<'response_headers'>): boolean {
  return areUpstreamDetails(attributes['response.code_details'] ?? '');
}

/** The same of `response.code_details` as recorded. */
export function areUpstreamDetails(codeDetails: unknown): boolean {
  return codeDetails === '' || codeDetails === 'via_upstream';
}

export const answeredUnreleased = cut('an answer of the upstream came to a request that was not released');

/** An answer without a request must be Envoy's own: one of an upstream would mean that requests pass us by. */
export function continueUnseen(frame: Frame): Action {
  if (frame.kind === 'response_headers' && isFromUpstream(frame)) {
    return cut('an answer of the upstream came without its request: check request_header_mode');
  }
  return continueAnswer(frame, {});
}

/** Envoy answers a request that we still hold when it is malformed or too slow: nothing went upstream. */
function envoyAnswered(codeDetails: string): Ending {
  return { outcome: 'refused', detail: `answered by Envoy: ${codeDetails}` };
}
