import { AnswerEnd } from '../claude/answer-end.ts';
import type { Frame } from './frame.ts';
import type { HeaderList } from './headers.ts';
import { headerValue, recordableHeaders } from './headers.ts';
import type { Ledger } from './ledger.ts';
import type { Outcome } from './outcome.ts';

/** Records one answer as it passes, and knows when a part of it has to wait for the disk and how it ended. */
export class Answer {
  readonly status: number;
  readonly #ledger: Ledger;
  readonly #headers: HeaderList;
  /** Envoy's `response.code_details`: `via_upstream`, or why Envoy answered by itself. */
  readonly #codeDetails: string;
  readonly #end: AnswerEnd;

  constructor(frame: Extract<Frame, { kind: 'response_headers' }>, ledger: Ledger) {
    this.#ledger = ledger;
    this.#headers = frame.headers;
    this.status = Number(headerValue(frame.headers, ':status') ?? 0);
    this.#codeDetails = String(frame.attributes['response.code_details'] ?? '');
    const length = headerValue(frame.headers, 'content-length');
    this.#end = new AnswerEnd({
      contentType: headerValue(frame.headers, 'content-type') ?? '',
      contentLength: length === undefined ? null : Number(length),
      contentEncoding: headerValue(frame.headers, 'content-encoding') ?? '',
    });
  }

  /**
   * Resolves when the frame may be answered: after its record was written, and when it completes the answer for its
   * reader, after the sync (inv. 1). An encoded answer may complete with any chunk, so each one is synced.
   */
  async take(frame: Frame, { last, released }: { last: boolean; released: boolean }): Promise<void> {
    const completes = await this.#record(frame);
    if (last) {
      const end = released ? this.#outcome() : envoyAnswered(this.#codeDetails);
      await this.#ledger.finish({ ...end, status: this.status, localReply: '' });
    }
    if (completes || last) await this.#ledger.sync();
  }

  async #record(frame: Frame): Promise<boolean> {
    if (frame.kind === 'response_headers') {
      const headers = recordableHeaders(this.#headers);
      const answer = { status: this.status, headers, codeDetails: this.#codeDetails };
      await this.#ledger.record({ kind: 'answer_started', answer });
    } else if (frame.kind === 'response_trailers') {
      await this.#ledger.record({ kind: 'answer_trailers', headers: recordableHeaders(frame.headers) });
    } else if (frame.kind === 'response_body') {
      const ended = this.#end.push(frame.body) === 'ended';
      if (frame.body.length > 0) await this.#ledger.record({ kind: 'answer_body', bytes: frame.body });
      return ended || (this.#end.opaque && frame.body.length > 0);
    }
    return false;
  }

  #outcome(): { outcome: Outcome; detail: string } {
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

/**
 * Whether an answer must be taken for the upstream's: Envoy names the reason of every answer of its own, so one without
 * a reason counts as the upstream's too (inv. 2).
 */
export function isFromUpstream({ attributes }: Extract<Frame, { kind: 'response_headers' }>): boolean {
  const details = attributes['response.code_details'] ?? '';
  return details === '' || details === 'via_upstream';
}

/** Envoy answers a request that we still hold when it is malformed or too slow: nothing went upstream. */
function envoyAnswered(codeDetails: string): { outcome: Outcome; detail: string } {
  return { outcome: 'refused', detail: `answered by Envoy: ${codeDetails}` };
}
