/** Says how an exchange ended once its answer was decoded: of an encoded one the hot path sees only that it ended (inv. 4). */
import { mediaTypeOf } from '../claude/media-type.ts';
import { headerValue } from '../exchange/headers.ts';
import type { Outcome } from '../exchange/outcome.ts';
import type { Reading } from './reading.ts';
import type { Transcript } from './transcript.ts';

export type Ending = { outcome: Outcome; detail: string };

export function endingOf({ finished, answer }: Transcript, { ended, error }: Reading): Ending {
  const { outcome, detail } = finished;
  if (outcome !== 'complete' || answer === null || !isEncodedStream(answer.headers) || ended === true) {
    return { outcome, detail };
  }
  if (error !== null) return { outcome: 'upstream_error', detail: 'error event in the stream' };
  if (ended === false) return { outcome: 'upstream_aborted', detail: 'the answer ended before its proper end' };
  return { outcome: 'upstream_aborted', detail: 'the answer could not be decoded, so its end was not seen' };
}

function isEncodedStream(headers: Parameters<typeof headerValue>[0]): boolean {
  const encoding = (headerValue(headers, 'content-encoding') ?? '').trim().toLowerCase();
  const isStream = mediaTypeOf(headerValue(headers, 'content-type') ?? '') === 'text/event-stream';
  return isStream && encoding !== '' && encoding !== 'identity';
}
