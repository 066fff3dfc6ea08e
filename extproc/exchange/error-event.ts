/** What goes wrong once an answer has begun with status 200: all that is left is an event in the stream. */
import { errorEnvelope } from '../claude/error-body.ts';

/** The last event of a stream; `envelope` is one line of JSON. All official clients raise it, and none sends again. */
export function errorEvent(envelope: string): Buffer {
  return Buffer.from(`event: error\ndata: ${envelope}\n\n`);
}

/** An error of the upstream in its own words where it is in Claude's envelope, and otherwise in ours. */
export function upstreamErrorEvent({ status, body }: { status: number; body: string }, exchangeId: string): Buffer {
  const envelope = envelopeIn(body);
  if (envelope !== null) return errorEvent(envelope);
  const message =
    status >= 500
      ? `Claude could not be reached or failed (status ${status}); the request may have been answered in part.`
      : `Claude answered this request with status ${status}.`;
  return failureEvent(`${message} (exchange ${exchangeId})`, exchangeId);
}

export function failureEvent(message: string, exchangeId: string): Buffer {
  return errorEvent(errorEnvelope({ type: 'api_error', message, requestId: exchangeId }));
}

/** Written anew: an envelope may have line ends, which would end the event. */
function envelopeIn(body: string): string | null {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || Reflect.get(value, 'type') !== 'error') return null;
    const error: unknown = Reflect.get(value, 'error');
    const isError = typeof error === 'object' && error !== null && typeof Reflect.get(error, 'message') === 'string';
    return isError ? JSON.stringify(value) : null;
  } catch {
    return null;
  }
}
