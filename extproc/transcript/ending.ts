/** Says how an exchange ended once its answer was decoded and read: the hot path sees less of some (inv. 4). */
import { mediaTypeOf } from '../claude/media-type.ts';
import { readCodings } from '../encoding/codings.ts';
import { mayHaveBody } from '../exchange/answer-ending.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { headerValue, joinedValue } from '../exchange/headers.ts';
import type { Outcome } from '../exchange/outcome.ts';
import type { Reading } from './reading.ts';
import type { Transcript } from './transcript.ts';

export type Ending = { outcome: Outcome; detail: string };

/** Somebody broke them off, and it was not seen whether that was behind the end. */
const brokenOff: ReadonlySet<Outcome> = new Set(['client_aborted', 'upstream_aborted', 'aborted']);

/**
 * An event stream is complete with its own last event, whether or not its coding was ended properly, and whoever broke it
 * off behind that. Any other body is complete with the end of its coding and of its JSON: a server that breaks off can leave
 * HTTP's framing whole. Of what cannot be decoded only that framing is known. All else stands as it was recorded.
 */
export function endingOf({ started, finished, answer }: Transcript, reading: Reading): Ending {
  const { outcome, detail } = finished;
  const recorded: Ending = { outcome, detail };
  if (answer === null || (outcome !== 'complete' && !brokenOff.has(outcome))) return recorded;
  if (!mayHaveBody(started.method, answer.status)) return recorded;
  if (mediaTypeOf(headerValue(answer.headers, 'content-type') ?? '') !== 'text/event-stream') {
    return outcome === 'complete' && isCut(answer.headers, reading) ? truncated : recorded;
  }
  // The hot path saw the end of a stream that is not encoded.
  return isEncoded(answer.headers) ? endingOfEncodedStream(recorded, reading) : recorded;
}

function endingOfEncodedStream(recorded: Ending, { ended, error, events }: Reading): Ending {
  const isComplete = recorded.outcome === 'complete';
  if (ended === true) return isComplete ? recorded : { outcome: 'complete', detail: '' };
  if (error !== null) return { outcome: 'upstream_error', detail: 'error event in the stream' };
  if (!isComplete) return recorded;
  if (ended === false) return truncated;
  // The stream of a session has no end of its own.
  if (events.length > 0) return recorded;
  return { outcome: 'upstream_aborted', detail: 'the answer could not be decoded, so its end was not seen' };
}

const truncated: Ending = { outcome: 'upstream_aborted', detail: 'the answer ended before its proper end' };

function isCut(headers: HeaderList, { ended, codingEnded, body }: Reading): boolean {
  return ended === false || (isEncoded(headers) && !codingEnded && body.answer.decoded_bytes !== null);
}

function isEncoded(headers: HeaderList): boolean {
  const codings = readCodings(joinedValue(headers, 'content-encoding'), 'passed_over');
  return !codings.ok || codings.codings.length > 0;
}
