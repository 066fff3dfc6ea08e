/** Reads the events of managed-agents sessions and their threads: streams, lists, and what clients post. */
import { isJsonObject, type JsonValue, parseBoundedJson } from './json.ts';
import { mediaTypeOf } from './media-type.ts';
import { type SessionEvent, SessionFold } from './session-fold.ts';
import { SseDecoder } from './sse.ts';

export type { SessionEvent } from './session-fold.ts';

/** In the order sent. `truncated`: more than 10,000 events, or one larger than the bound; what came before is kept. */
export type SessionEvents = { events: SessionEvent[]; truncated: boolean };

const chunkBytes = 64 * 1024;
/** A page of a list, and a post. */
const listFields = ['data', 'events'];

/** The content type chooses the parser. A body that holds no events, or cannot be read, gives none. */
export function readSessionEvents(body: Uint8Array, contentType: string, maxEventBytes: number): SessionEvents {
  if (mediaTypeOf(contentType) === 'text/event-stream') return readStream(body, maxEventBytes);
  const value = parseBoundedJson(new TextDecoder().decode(body));
  return (value === undefined ? null : sessionEventsIn(value)) ?? { events: [], truncated: false };
}

/** Null if the value holds no list of events. */
export function sessionEventsIn(value: JsonValue): SessionEvents | null {
  const lists = isJsonObject(value) ? listFields.map((name) => value[name]) : [value];
  const list = lists.find((field) => Array.isArray(field));
  if (!Array.isArray(list)) return null;
  const fold = new SessionFold();
  for (const item of list) {
    fold.accept(item);
    if (fold.truncated) break;
  }
  return { events: fold.events(), truncated: fold.truncated };
}

/** As the SDK's stream: `ping` is skipped and the name only gates; data that is no JSON is kept as text. */
function readStream(body: Uint8Array, maxEventBytes: number): SessionEvents {
  const decoder = new SseDecoder({ maxEventBytes });
  const fold = new SessionFold();
  for (let at = 0; at < body.length && !fold.truncated && !decoder.overflowed; at += chunkBytes) {
    for (const { event, data } of decoder.push(body.subarray(at, at + chunkBytes))) {
      if (event !== 'ping' && data !== '') fold.accept(parseBoundedJson(data) ?? data, event);
    }
  }
  return { events: fold.events(), truncated: fold.truncated || decoder.overflowed };
}
