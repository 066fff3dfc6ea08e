import type { HeaderList } from './headers.ts';

export type JsonFacts = { [key: string]: unknown };

/** One step of an HTTP exchange as Envoy tells it, free of protobuf. */
export type Frame =
  | {
      kind: 'request_headers';
      headers: HeaderList;
      endOfStream: boolean;
      /** Envoy's dynamic metadata by filter name (jwt_authn's payload, rbac's shadow result). */
      metadata: Record<string, JsonFacts>;
      attributes: JsonFacts;
    }
  | { kind: 'request_body'; body: Uint8Array; endOfStream: boolean }
  | { kind: 'request_trailers'; headers: HeaderList }
  | {
      kind: 'response_headers';
      headers: HeaderList;
      endOfStream: boolean;
      attributes: JsonFacts;
    }
  | { kind: 'response_body'; body: Uint8Array; endOfStream: boolean }
  | { kind: 'response_trailers'; headers: HeaderList };

/** The frame of a kind. */
export type FrameOf<K extends Frame['kind']> = Extract<Frame, { kind: K }>;
export type FrameKind = Frame['kind'];

/** What Envoy is told next; `wire/reply.ts` turns it into messages. */
export type Action =
  /** Nothing yet: in FULL_DUPLEX_STREAMED mode request frames need no answer of their own. */
  | { kind: 'wait' }
  /** Let the whole request go upstream: headers, then exactly these bytes, which can be read once and may have to be read back. */
  | {
      kind: 'release';
      removeHeaders: readonly string[];
      body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
      hadBody: boolean;
      hadTrailers: boolean;
      accessLog: Record<string, string>;
    }
  | {
      kind: 'continue_response_headers';
      setHeaders: Record<string, string>;
      removeHeaders?: readonly string[];
    }
  /** `body` goes on in place of the chunk; without it the chunk goes on as it came. */
  | { kind: 'continue_response_body'; body?: Uint8Array }
  | { kind: 'continue_response_trailers' }
  /** Answer the caller ourselves; nothing goes upstream. */
  | {
      kind: 'local_reply';
      reply: LocalReply;
      accessLog: Record<string, string>;
    }
  /**
   * Begin an answer of our own with status 200, and give each piece of it out when it comes; the last one ends it. The
   * request stays where it is: it cannot be let go upstream on this stream any more.
   */
  | {
      kind: 'streamed_reply';
      headers: Record<string, string>;
      body: AsyncIterable<Uint8Array>;
      accessLog: Record<string, string>;
    }
  /** End the gRPC stream with an error: Envoy resets the answer (fail closed, inv. 2). */
  | { kind: 'cut'; reason: string };

/** A whole answer of our own: `details` shows up in Envoy's access log as the response code details. */
export type LocalReply = {
  status: number;
  headers: Record<string, string>;
  body: string;
  details: string;
};

/** Lets one frame of an answer pass; `setHeaders` go on with its headers. */
export function continueAnswer(frame: Frame, setHeaders: Record<string, string>): Action {
  if (frame.kind === 'response_trailers') return { kind: 'continue_response_trailers' };
  if (frame.kind === 'response_body') return { kind: 'continue_response_body' };
  return { kind: 'continue_response_headers', setHeaders };
}
