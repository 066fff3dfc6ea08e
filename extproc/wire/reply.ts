import { SkilltapeError } from '../errors.ts';
import type { Action } from '../exchange/frame.ts';
import { BackwardWriter } from './protobuf-writer.ts';
import { writeStruct } from './struct.ts';

/** What Envoy takes in one message; see `messageMaxBytes` in `server.ts`. */
const replyMaxBytes = 16 * 1024 * 1024;
/** A body up to this size goes into one buffer with what stands before it: that is cheaper than a second write. */
const joinedBodyMaxBytes = 16 * 1024;
/** HeaderAppendAction OVERWRITE_IF_EXISTS_OR_ADD. */
const overwrite = 2;

/** Messages are written one after the other, each in one go, so all share the writer. */
const writer = new BackwardWriter();

/** BodyResponse or TrailersResponse in their fields, with nothing to change: `response_body { response {} }`. */
const passBody = [
  message(() => {
    writer.message(1, writer.mark);
    writer.message(4, 0);
  }),
];
const passRequestTrailers = message(() => writer.message(5, writer.mark));
const passResponseTrailers = [message(() => writer.message(6, writer.mark))];

/**
 * The gRPC messages that carry an action out, in order, in pieces to be written as they are. Those of a release come from
 * a generator, so that a large body is written with backpressure rather than built at once. `wait` and `cut` have none: a
 * cut is the gRPC status (`stream.ts`). The field numbers are those of `proto/ext_proc.proto` ProcessingResponse.
 */
export function repliesOf(action: Action): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  switch (action.kind) {
    case 'wait':
    case 'cut':
    // `streamedReply` has it.
    case 'streamed_reply':
      return [];
    case 'release':
      return Symbol.asyncIterator in action.body ? releaseStored(action, action.body) : release(action, action.body);
    case 'continue_response_headers':
      return [headersReply(2, action)];
    case 'continue_response_body':
      return action.body === undefined ? passBody : inPlace(action.body);
    case 'continue_response_trailers':
      return passResponseTrailers;
    case 'local_reply':
      return [localReply(action)];
    default:
      return action satisfies never;
  }
}

type StreamedReply = Extract<Action, { kind: 'streamed_reply' }>;

/**
 * The messages of an answer of our own whose pieces come over time (StreamedImmediateResponse). Only the last one, which
 * ends it, lets Envoy close the stream in order: a stream that ends without it would keep the caller waiting.
 */
export async function* streamedReply({ headers, body, accessLog }: StreamedReply): AsyncGenerator<Uint8Array> {
  yield* inOwnMemory([streamedHeaders(headers, accessLog)]);
  for await (const piece of body) yield* inOwnMemory(streamedPiece(piece, false));
  yield* streamedPiece(new Uint8Array(0), true);
}

/** Who waits for the next piece keeps the last one, for hours, and with it all of Node's pool that it was cut from. */
function inOwnMemory(pieces: Iterable<Uint8Array>): Uint8Array[] {
  return Array.from(pieces, (piece) => (piece.buffer.byteLength === piece.length ? piece : new Uint8Array(piece)));
}

type Release = Extract<Action, { kind: 'release' }>;

function* release(action: Release, body: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield headersReply(1, action);
  let previous: Uint8Array | undefined;
  for (const chunk of body) {
    if (previous !== undefined) yield* streamedBody(previous, false);
    previous = chunk;
  }
  yield* endOfRelease(action, previous);
}

/** The same for a body that is read back from the log; where that fails, nothing ends it as if it were whole. */
async function* releaseStored(action: Release, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield headersReply(1, action);
  let previous: Uint8Array | undefined;
  for await (const chunk of body) {
    if (previous !== undefined) yield* streamedBody(previous, false);
    previous = chunk;
  }
  yield* endOfRelease(action, previous);
}

function* endOfRelease({ hadBody, hadTrailers }: Release, last: Uint8Array | undefined): Generator<Uint8Array> {
  if (last !== undefined) yield* streamedBody(last, !hadTrailers);
  else if (hadBody && !hadTrailers) yield* streamedBody(new Uint8Array(0), true);
  if (hadTrailers) yield passRequestTrailers;
}

/** HeadersResponse in its field, with the header changes and, for the access log, dynamic metadata. */
function headersReply(
  field: number,
  changes: {
    setHeaders?: Record<string, string>;
    removeHeaders?: readonly string[];
    accessLog?: Record<string, string>;
  },
): Buffer {
  const { setHeaders = {}, removeHeaders = [], accessLog } = changes;
  return message(() => {
    if (accessLog !== undefined) writeAccessLog(accessLog);
    const end = writer.mark;
    for (const name of removeHeaders.toReversed()) writer.utf8(2, name);
    writeSetHeaders(setHeaders);
    writer.message(2, end);
    writer.message(1, end);
    writer.message(field, end);
  });
}

/** request_body { response { body_mutation { streamed_response } } }. The body comes last in it, so it ends the message. */
function streamedBody(body: Uint8Array, endOfStream: boolean): Uint8Array[] {
  return withBody(body, () => {
    writer.lengthOf(1, body.length);
    if (endOfStream) writer.number(2, 1);
    for (const field of [3, 3, 1, 3]) writer.message(field, 0);
  });
}

/** In STREAMED mode an answer to a chunk can take its place, with no bytes (`clear_body`) or with any number of them. */
function inPlace(body: Uint8Array): Uint8Array[] {
  return withBody(body, () => {
    if (body.length === 0) writer.number(2, 1);
    else writer.lengthOf(1, body.length);
    for (const field of [3, 1, 4]) writer.message(field, 0);
  });
}

function localReply({ reply, accessLog }: Extract<Action, { kind: 'local_reply' }>): Buffer {
  return message(() => {
    writeAccessLog(accessLog);
    const end = writer.mark;
    writer.utf8(5, reply.details);
    writer.utf8(3, reply.body);
    const headersEnd = writer.mark;
    writeSetHeaders(reply.headers);
    writer.message(2, headersEnd);
    const statusEnd = writer.mark;
    writer.number(1, reply.status);
    writer.message(1, statusEnd);
    writer.message(7, end);
  });
}

/** streamed_immediate_response { headers_response { headers } }: a HeaderMap, whose values are bytes. */
function streamedHeaders(headers: Record<string, string>, accessLog: Record<string, string>): Buffer {
  return message(() => {
    writeAccessLog(accessLog);
    const end = writer.mark;
    for (const [name, value] of Object.entries({ ':status': '200', ...headers }).reverse()) {
      const headerEnd = writer.mark;
      writer.latin1(3, value);
      writer.utf8(1, name);
      writer.message(1, headerEnd);
    }
    for (const field of [1, 1, 11]) writer.message(field, end);
  });
}

/** streamed_immediate_response { body_response }. */
function streamedPiece(body: Uint8Array, endOfStream: boolean): Uint8Array[] {
  return withBody(body, () => {
    writer.lengthOf(1, body.length);
    if (endOfStream) writer.number(2, 1);
    for (const field of [2, 11]) writer.message(field, 0);
  });
}

/** What the access log shows as `%DYNAMIC_METADATA(skilltape:...)%`. */
function writeAccessLog(fields: Record<string, string>): void {
  const end = writer.mark;
  writeStruct(writer, 5, fields);
  writer.message(2, end);
  writer.utf8(1, 'skilltape');
  writer.message(1, end);
  writer.message(8, end);
}

function writeSetHeaders(headers: Record<string, string>): void {
  for (const name of Object.keys(headers).reverse()) {
    const end = writer.mark;
    writer.number(3, overwrite);
    const headerEnd = writer.mark;
    writer.latin1(3, headers[name] ?? '');
    writer.utf8(1, name);
    writer.message(1, headerEnd);
    writer.message(1, end);
  }
}

/** One message that ends with these bytes: in one piece where they are few, else as what stands before them and they. */
function withBody(body: Uint8Array, write: () => void): Uint8Array[] {
  const head = message(write, body.length);
  return body.length <= joinedBodyMaxBytes ? [Buffer.concat([head, body])] : [head, body];
}

function message(write: () => void, bodyLength = 0): Buffer {
  writer.begin(bodyLength);
  write();
  if (writer.mark > replyMaxBytes) {
    throw new SkilltapeError('internal', `a reply to Envoy has ${writer.mark} bytes, more than one message may have`);
  }
  writer.grpcPrefix();
  return writer.take();
}
