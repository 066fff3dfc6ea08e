/** Says how an exchange ended once its answer was decoded and read: the hot path sees less of some (inv. 4). */
import { mediaTypeOf } from '../claude/media-type.ts';
import { headerValue } from '../exchange/headers.ts';
import type { Outcome } from '../exchange/outcome.ts';
import type { Reading } from './reading.ts';
import type { Transcript } from './transcript.ts';

export type Ending = { outcome: Outcome; detail: string };

/** Somebody broke them off, and it was not seen whether that was behind the end. */
const brokenOff: ReadonlySet<Outcome> = new Set(['client_aborted', 'upstream_aborted', 'aborted']);
const cutShort = 'the answer ended before its proper end';

/**
 * Of an encoded stream the hot path sees only that it ended, or that it broke off; of JSON without a length it does not see
 * whether it is whole. All else stands as it was recorded.
 */
export function endingOf({ finished, answer }: Transcript, { ended, error, events }: Reading): Ending {
  const { outcome, detail } = finished;
  const recorded = { outcome, detail };
  if (answer === null) return recorded;
  if (!isEncodedStream(answer.headers)) {
    const isCutJson = outcome === 'complete' && ended === false && !isStream(answer.headers);
    return isCutJson ? { outcome: 'upstream_aborted', detail: cutShort } : recorded;
  }
  if (outcome !== 'complete' && !brokenOff.has(outcome)) return recorded;
  if (ended === true) return outcome === 'complete' ? recorded : { outcome: 'complete', detail: '' };
  if (error !== null) return { outcome: 'upstream_error', detail: 'error event in the stream' };
  if (outcome !== 'complete') return recorded;
  if (ended === false) return { outcome: 'upstream_aborted', detail: cutShort };
  // A stream of a session has no end of its own.
  if (events.length > 0) return recorded;
  return { outcome: 'upstream_aborted', detail: 'the answer could not be decoded, so its end was not seen' };
}

type Headers = Parameters<typeof headerValue>[0];

function isStream(headers: Headers): boolean {
  return mediaTypeOf(headerValue(headers, 'content-type') ?? '') === 'text/event-stream';
}

function isEncodedStream(headers: Headers): boolean {
  const encoding = (headerValue(headers, 'content-encoding') ?? '').trim().toLowerCase();
  return isStream(headers) && encoding !== '' && encoding !== 'identity';
}
