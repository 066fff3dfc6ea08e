/** Says how an exchange ended once its answer was decoded: of an encoded one the hot path sees only that it ended (inv. 4). */
import { mediaTypeOf } from '../claude/media-type.ts';
import { readCodings } from '../encoding/codings.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { headerValue, joinedValue } from '../exchange/headers.ts';
import type { Outcome } from '../exchange/outcome.ts';
import type { Reading } from './reading.ts';
import type { Transcript } from './transcript.ts';

export type Ending = { outcome: Outcome; detail: string };

/**
 * An event stream is complete with its own last event, whether or not its coding was ended properly. Any other body is
 * complete with the end of its coding: a server that breaks off can leave HTTP's framing whole. Of what cannot be
 * decoded only that framing is known.
 */
export function endingOf({ finished, answer }: Transcript, reading: Reading): Ending {
  const { outcome, detail } = finished;
  if (outcome !== 'complete' || answer === null || !isEncoded(answer.headers)) return { outcome, detail };
  if (mediaTypeOf(headerValue(answer.headers, 'content-type') ?? '') !== 'text/event-stream') {
    return reading.codingEnded || reading.body.answer.decoded_bytes === null ? { outcome, detail } : truncated;
  }
  if (reading.ended === true) return { outcome, detail };
  if (reading.error !== null) return { outcome: 'upstream_error', detail: 'error event in the stream' };
  if (reading.ended === false) return truncated;
  return { outcome: 'upstream_aborted', detail: 'the answer could not be decoded, so its end was not seen' };
}

const truncated: Ending = { outcome: 'upstream_aborted', detail: 'the answer ended before its proper end' };

function isEncoded(headers: HeaderList): boolean {
  const codings = readCodings(joinedValue(headers, 'content-encoding'), 'passed_over');
  return !codings.ok || codings.codings.length > 0;
}
