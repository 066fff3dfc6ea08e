/** Reads a whole response body, already decoded from its content encoding. */
import { type BatchResult, readBatchResults } from './batch-results.ts';
import { foldCompletion } from './completion.ts';
import { MessageFold } from './fold.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseBoundedJson } from './json.ts';
import { mediaTypeOf } from './media-type.ts';
import { readSessionEvents, type SessionEvent, sessionEventsIn } from './session-events.ts';
import { SseDecoder } from './sse.ts';

/**
 * `ended` false: the message is a prefix. `error` is the `error` event of a stream as sent. `faults` as in the fold and
 * in the results of a batch. `opaque` is every body that cannot be read (a download, truncated JSON, a stream of an
 * unknown grammar), with its size in bytes.
 */
export type Answer =
  | {
      kind: 'message';
      message: JsonObject | null;
      ended: boolean;
      error: JsonObject | null;
      faults: string[];
    }
  | { kind: 'session_events'; events: SessionEvent[]; truncated: boolean }
  | { kind: 'batch_results'; results: BatchResult[]; faults: string[] }
  | { kind: 'json'; value: JsonValue }
  | { kind: 'opaque'; bytes: number };

export type AnswerOptions = {
  /** As the table of endpoints names it. */
  endpoint: string;
  contentType: string;
  status: number;
  body: Uint8Array;
  maxEventBytes: number;
};

/** They have events of their own, and last as long as the connection. */
export const sessionStreams: ReadonlySet<string> = new Set(['sessions.events.stream', 'sessions.threads.stream']);
const sessionLists = new Set(['sessions.events.list', 'sessions.threads.events.list']);
/** The API takes no more requests in one batch. */
const batchLinesMax = 100_000;

/** The response's content type chooses the parser: clients send `accept: application/json` for streams too. */
export function readAnswer(options: AnswerOptions): Answer {
  const opaque: Answer = { kind: 'opaque', bytes: options.body.length };
  switch (mediaTypeOf(options.contentType)) {
    case 'text/event-stream':
      return readStream(options) ?? opaque;
    case 'application/json':
      // One result is a line of JSON and a JSON body at once.
      return readResults(options) ?? readJson(options) ?? opaque;
    default:
      return readResults(options) ?? opaque;
  }
}

function readStream({ endpoint, contentType, body, maxEventBytes }: AnswerOptions): Answer | null {
  if (sessionStreams.has(endpoint)) {
    return { kind: 'session_events', ...readSessionEvents(body, contentType, maxEventBytes) };
  }
  const decoder = new SseDecoder({ maxEventBytes });
  const events = decoder.push(body);
  if (endpoint === 'complete.create') {
    const value = foldCompletion(events);
    return value === null ? null : { kind: 'json', value };
  }
  const fold = new MessageFold();
  for (const event of events) fold.accept(event);
  const { message, ended, error, faults } = fold.result();
  if (message === null && error === null) return null;
  if (decoder.overflowed) faults.push(`an event larger than ${maxEventBytes} bytes`);
  return { kind: 'message', message, ended, error, faults };
}

function readJson({ endpoint, body, status }: AnswerOptions): Answer | null {
  const value = parseBoundedJson(new TextDecoder().decode(body));
  if (value === undefined) return null;
  if (isSuccess(status)) {
    const events = sessionLists.has(endpoint) ? sessionEventsIn(value) : null;
    if (events !== null) return { kind: 'session_events', ...events };
    if (isJsonObject(value) && value.type === 'message') {
      return { kind: 'message', message: value, ended: true, error: null, faults: [] };
    }
  }
  return { kind: 'json', value };
}

/** The API names no one type for its JSON lines, so the endpoint decides; a body without any result is something else. */
function readResults({ endpoint, body, status, maxEventBytes }: AnswerOptions): Answer | null {
  if (endpoint !== 'batches.results' || !isSuccess(status)) return null;
  const read = readBatchResults(body, { lineMaxBytes: maxEventBytes, linesMax: batchLinesMax });
  const isSomethingElse = read.results.length === 0 && read.faults.length > 0;
  return isSomethingElse ? null : { kind: 'batch_results', ...read };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
