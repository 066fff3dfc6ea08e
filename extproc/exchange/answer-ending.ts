import { AnswerEnd, type StreamGrammar } from '../claude/answer-end.ts';
import type { Ending } from './broken-off.ts';
import type { HeaderList } from './headers.ts';
import { headerValue, joinedValue } from './headers.ts';

const bodiless: ReadonlySet<number> = new Set([204, 304]);
const digits = /^[0-9]+$/;

/** Behind a head without a body nothing follows, whatever length, type and coding it names (RFC 9110 section 6.4.1). */
export function mayHaveBody(method: string, status: number): boolean {
  return method !== 'HEAD' && !bodiless.has(status);
}

/** What sees the end of an answer with this head to a request of this method, live and when its record is read back. */
export function answerEndOf(
  { method, status, headers }: { method: string; status: number; headers: HeaderList },
  grammar: StreamGrammar,
): AnswerEnd {
  if (!mayHaveBody(method, status)) return new AnswerEnd({ contentType: '', contentLength: 0, contentEncoding: '' });
  const length = headerValue(headers, 'content-length') ?? '';
  return new AnswerEnd({
    contentType: headerValue(headers, 'content-type') ?? '',
    contentLength: digits.test(length) ? Number(length) : null,
    contentEncoding: joinedValue(headers, 'content-encoding'),
    grammar,
  });
}

/** How an answer of the upstream ended whose end was seen. */
export function upstreamEnding(
  end: AnswerEnd,
  { status, codeDetails }: { status: number; codeDetails: string },
): Ending {
  if (status >= 400) return { outcome: 'upstream_error', detail: codeDetails };
  // Whether an encoded stream ended properly is seen when it is decoded, off the hot path (transcript/ending.ts).
  if (end.opaque) return { outcome: 'complete', detail: '' };
  switch (end.endOfStream()) {
    case 'complete':
      return { outcome: 'complete', detail: '' };
    case 'error_event':
      return { outcome: 'upstream_error', detail: 'error event in the stream' };
    case 'truncated':
      return { outcome: 'upstream_aborted', detail: 'the answer ended before its proper end' };
  }
}
