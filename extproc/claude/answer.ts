/** Reads a whole response body, already decoded from its content encoding. */
import { MessageFold } from './fold.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseBoundedJson } from './json.ts';
import { mediaTypeOf } from './media-type.ts';
import { SseDecoder } from './sse.ts';

/**
 * `ended` false: the message is a prefix. `error` is the `error` event of a stream as sent. `faults` as in the fold.
 * `opaque` is every body that is neither a Messages stream nor whole JSON (a download, a truncated body, a stream of
 * another grammar), with its size in bytes.
 */
export type Answer =
  | {
      kind: 'message';
      message: JsonObject | null;
      ended: boolean;
      error: JsonObject | null;
      faults: string[];
    }
  | { kind: 'json'; value: JsonValue }
  | { kind: 'opaque'; bytes: number };

/** The response's content type alone chooses the parser: clients send `accept: application/json` for streams too. */
export function readAnswer(options: {
  contentType: string;
  status: number;
  body: Uint8Array;
  maxEventBytes: number;
}): Answer {
  const opaque: Answer = { kind: 'opaque', bytes: options.body.length };
  switch (mediaTypeOf(options.contentType)) {
    case 'text/event-stream':
      return readStream(options.body, options.maxEventBytes) ?? opaque;
    case 'application/json':
      return readJson(options.body, options.status) ?? opaque;
    default:
      return opaque;
  }
}

function readStream(body: Uint8Array, maxEventBytes: number): Answer | null {
  const decoder = new SseDecoder({ maxEventBytes });
  const fold = new MessageFold();
  for (const event of decoder.push(body)) fold.accept(event);
  const { message, ended, error, faults } = fold.result();
  if (message === null && error === null) return null;
  if (decoder.overflowed) faults.push(`an event larger than ${maxEventBytes} bytes`);
  return { kind: 'message', message, ended, error, faults };
}

function readJson(body: Uint8Array, status: number): Answer | null {
  const value = parseBoundedJson(new TextDecoder().decode(body));
  if (value === undefined) return null;
  const success = status >= 200 && status < 300;
  if (success && isJsonObject(value) && value.type === 'message') {
    return {
      kind: 'message',
      message: value,
      ended: true,
      error: null,
      faults: [],
    };
  }
  return { kind: 'json', value };
}
