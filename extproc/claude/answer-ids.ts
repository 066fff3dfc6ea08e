/** Finds the ids in an answer that a later request may name to go on from it. */
import { readBatchResults } from './batch-results.ts';
import { MessageFold } from './fold.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isJsonObject, parseBoundedJson } from './json.ts';
import { mediaTypeOf } from './media-type.ts';
import { idsMadeByJson, idsMadeByMessage, type OwnedId } from './owned-ids.ts';
import { SseDecoder } from './sse.ts';

/**
 * `messageId` continues a thread, `containerId` reuses a container, `managedSessionId` stands in the paths of a session
 * of managed agents; null where the answer has none. `made` is what the answer made in the workspace.
 */
export type AnswerIds = {
  messageId: string | null;
  containerId: string | null;
  managedSessionId: string | null;
  made: OwnedId[];
};

const none: AnswerIds = { messageId: null, containerId: null, managedSessionId: null, made: [] };
const idMaxChars = 256;
/** Of one answer (inv. 10); the API's batches have no more results. */
const madeMax = 1_000;
const batchLinesMax = 100_000;

/**
 * The ids of an answer of this endpoint, whole or streamed, the content encoding taken off. In a stream the container
 * comes with `message_delta` and a file with the result that holds it, so of all events only those are parsed that can
 * hold an id.
 */
export function readAnswerIds(options: {
  endpoint: string;
  contentType: string;
  status: number;
  body: Uint8Array;
  maxEventBytes: number;
}): AnswerIds {
  const { endpoint, status, body, maxEventBytes } = options;
  if (status < 200 || status > 299) return none;
  if (endpoint === 'batches.results') return { ...none, made: madeByResults(body, maxEventBytes) };
  if (mediaTypeOf(options.contentType) === 'text/event-stream') {
    return idsOf(streamedMessage(body, maxEventBytes));
  }
  const value = parseBoundedJson(new TextDecoder().decode(body));
  if (!isJsonObject(value)) return none;
  if (value.type === 'message') return idsOf(value);
  const made = idsMadeByJson(endpoint, value);
  return { ...none, made, managedSessionId: value.type === 'session' ? usable(value.id) : null };
}

function streamedMessage(body: Uint8Array, maxEventBytes: number): JsonObject | null {
  const fold = new MessageFold();
  const blocks: JsonValue[] = [];
  for (const event of new SseDecoder({ maxEventBytes }).push(body)) {
    if (/"message_(?:start|delta)"/.test(event.data)) fold.accept(event);
    if (/"file_id"/.test(event.data)) blocks.push(...blockStartedBy(event.data));
  }
  const { message } = fold.result();
  return message === null ? null : { ...message, content: blocks };
}

/** Results of code come whole with the start of their block. */
function blockStartedBy(data: string): JsonValue[] {
  const value = parseBoundedJson(data);
  if (!isJsonObject(value) || value.type !== 'content_block_start') return [];
  return value.content_block === undefined ? [] : [value.content_block];
}

function madeByResults(body: Uint8Array, lineMaxBytes: number): OwnedId[] {
  const { results } = readBatchResults(body, { lineMaxBytes, linesMax: batchLinesMax });
  return results.flatMap(({ message }) => idsMadeByMessage(message)).slice(0, madeMax);
}

function idsOf(message: JsonObject | null): AnswerIds {
  if (message === null) return none;
  const { id, container } = message;
  const containerId = usable(isJsonObject(container) ? container.id : container);
  return { ...none, messageId: usable(id), containerId, made: idsMadeByMessage(message) };
}

function usable(id: JsonValue | undefined): string | null {
  return typeof id === 'string' && id !== '' && id.length <= idMaxChars ? id : null;
}
