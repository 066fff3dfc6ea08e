import { AnswerEnd } from '../claude/answer-end.ts';
import type { Frame } from './frame.ts';
import { headerValue } from './headers.ts';
import type { Outcome } from './outcome.ts';

/** Follows one answer: when a chunk needs its sync first, and how the answer ended. */
export class AnswerWatch {
  readonly status: number;
  readonly codeDetails: string;
  readonly #end: AnswerEnd;

  constructor(frame: Extract<Frame, { kind: 'response_headers' }>) {
    this.status = Number(headerValue(frame.headers, ':status') ?? 0);
    this.codeDetails = String(frame.attributes['response.code_details'] ?? '');
    const length = headerValue(frame.headers, 'content-length');
    this.#end = new AnswerEnd({
      contentType: headerValue(frame.headers, 'content-type') ?? '',
      contentLength: length === undefined ? null : Number(length),
      contentEncoding: headerValue(frame.headers, 'content-encoding') ?? '',
    });
  }

  /**
   * Takes a chunk and says whether it may be answered only after a sync: it completes the answer for its reader, or
   * it is encoded, so that we cannot tell (inv. 1).
   */
  completes(chunk: Uint8Array): boolean {
    const ended = this.#end.push(chunk) === 'ended';
    return ended || (this.#end.opaque && chunk.length > 0);
  }

  /** The outcome when Envoy said that the answer is over. */
  outcome(): { outcome: Outcome; detail: string } {
    if (this.status >= 400) return { outcome: 'upstream_error', detail: this.codeDetails };
    switch (this.#end.endOfStream()) {
      case 'complete':
        return { outcome: 'complete', detail: '' };
      case 'error_event':
        return {
          outcome: 'upstream_error',
          detail: 'error event in the stream',
        };
      case 'truncated':
        return {
          outcome: 'upstream_aborted',
          detail: 'the answer ended before its proper end',
        };
    }
  }
}
