/** Finds the ids in an answer that a later request may name to go on from it. */
import { MessageFold } from './fold.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isJsonObject, parseBoundedJson } from './json.ts';
import { mediaTypeOf } from './media-type.ts';
import { SseDecoder } from './sse.ts';

/**
 * `messageId` continues a thread, `containerId` reuses a container, `managedSessionId` stands in the paths of a session
 * of managed agents; null where the answer has none.
 */
export type AnswerIds = { messageId: string | null; containerId: string | null; managedSessionId: string | null };

const none: AnswerIds = { messageId: null, containerId: null, managedSessionId: null };
const idMaxChars = 256;

/**
 * The ids of a Messages answer, whole or streamed, or of a new session, the content encoding taken off. In a stream the container comes with
 * `message_delta`, so of all events only those are parsed that can hold an id.
 */
export function readAnswerIds(options: {
  contentType: string;
  status: number;
  body: Uint8Array;
  maxEventBytes: number;
}): AnswerIds {
  if (options.status < 200 || options.status > 299) return none;
  if (mediaTypeOf(options.contentType) === 'text/event-stream') {
    return idsOf(streamedMessage(options.body, options.maxEventBytes));
  }
  const value = parseBoundedJson(new TextDecoder().decode(options.body));
  if (!isJsonObject(value)) return none;
  if (value.type === 'session') return { ...none, managedSessionId: usable(value.id) };
  return value.type === 'message' ? idsOf(value) : none;
}

function streamedMessage(body: Uint8Array, maxEventBytes: number): JsonObject | null {
  const fold = new MessageFold();
  for (const event of new SseDecoder({ maxEventBytes }).push(body)) {
    if (/"message_(?:start|delta)"/.test(event.data)) fold.accept(event);
  }
  return fold.result().message;
}

function idsOf(message: JsonObject | null): AnswerIds {
  if (message === null) return none;
  const { id, container } = message;
  return { ...none, messageId: usable(id), containerId: usable(isJsonObject(container) ? container.id : container) };
}

function usable(id: JsonValue | undefined): string | null {
  return typeof id === 'string' && id !== '' && id.length <= idMaxChars ? id : null;
}
