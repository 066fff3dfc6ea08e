import { AnswerEnd, type StreamGrammar } from '../claude/answer-end.ts';
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
import type { Finished, RecordBody } from './record.ts';

/** What is done with an answer beside recording it (`answer-handling.ts`). */
export type AnswerHandling = {
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

  constructor(frame: FrameOf<'response_headers'>, ledger: Ledger, handling: AnswerHandling) {
    this.#ledger = ledger;
    this.#headers = frame.headers;
    this.status = Number(headerValue(frame.headers, ':status') ?? 0);
    this.#codeDetails = String(frame.attributes['response.code_details'] ?? '');
    this.#contentType = headerValue(frame.headers, 'content-type') ?? '';
    this.#contentEncoding = joinedValue(frame.headers, 'content-encoding');
    const length = headerValue(frame.headers, 'content-length');
    this.#end = new AnswerEnd({
      contentType: this.#contentType,
      contentLength: length === undefined ? null : Number(length),
      contentEncoding: this.#contentEncoding,
      grammar: handling.grammar,
    });
    this.#changed = handling.changed;
    this.#learning = handling.learning;
    this.#counting = handling.counting;
    const form = { status: this.status, contentType: this.#contentType, contentEncoding: this.#contentEncoding };
    this.#usage = handling.counting === null ? null : new AnswerUsage(form);
  }

  /**
   * What to do with the frame, once its record was written, and when it completes the answer for its reader, once it
   * was synced (inv. 1). An encoded answer may complete with any chunk, so each one is synced. `setHeaders` go on with
   * the answer's headers; `ending` is that of an answer of our own.
   */
  async take(
    frame: Frame,
    how: { last: boolean; released: boolean; setHeaders: Record<string, string>; ending?: Ending },
  ): Promise<Action> {
    this.#released = how.released;
    const ended = frame.kind === 'response_body' && this.#end.push(frame.body) === 'ended';
    const record = this.#recordOf(frame);
    // Where nothing comes between the last chunk and the end, one write has both.
    const isWithEnd = how.last && this.#changed === null && this.#learning === null;
    if (record !== null && !isWithEnd) await this.#ledger.record(record);
    if (!isWithEnd) this.#recorded(frame);
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
    if (how.last) await this.#ledger.finish(this.#finished(how.ending), isWithEnd ? record : null);
    if (isWithEnd) this.#recorded(frame);
    const mayComplete = ended || (this.#end.opaque && frame.kind === 'response_body' && frame.body.length > 0);
    if (how.last || (mayComplete && this.#changed === null)) await this.#ledger.sync();
    if (!isHeldBack) this.#progress.letThrough(ended || how.last);
    return action;
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
    return this.#released ? this.#outcome() : envoyAnswered(this.#codeDetails);
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
      return { kind: 'answer_started', answer: { status: this.status, headers, codeDetails: this.#codeDetails } };
    }
    if (frame.kind === 'response_trailers') {
      return { kind: 'answer_trailers', headers: recordableHeaders(frame.headers) };
    }
    const hasBytes = frame.kind === 'response_body' && frame.body.length > 0;
    return hasBytes ? { kind: 'answer_body', bytes: frame.body } : null;
  }

  #recorded(frame: Frame): void {
    if (frame.kind === 'response_body') this.#progress.recorded(frame.body.length);
  }

  #finished(ending: Ending | undefined): Finished {
    const end = ending ?? (this.#released ? this.#outcome() : envoyAnswered(this.#codeDetails));
    return { ...end, detail: end.detail || this.#note, status: this.status, localReply: '' };
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
    if (this.status >= 400) return { outcome: 'upstream_error', detail: this.#codeDetails };
    // Whether an encoded stream ended properly is seen when it is decoded, off this path (transcript/ending.ts).
    if (this.#end.opaque) return { outcome: 'complete', detail: '' };
    switch (this.#end.endOfStream()) {
      case 'complete':
        return { outcome: 'complete', detail: '' };
      case 'error_event':
        return { outcome: 'upstream_error', detail: 'error event in the stream' };
      case 'truncated':
        return { outcome: 'upstream_aborted', detail: 'the answer ended before its proper end' };
    }
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
  const details = attributes['response.code_details'] ?? '';
  return details === '' || details === 'via_upstream';
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
