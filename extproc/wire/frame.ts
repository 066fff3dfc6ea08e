import { SkilltapeError } from '../errors.ts';
import type { Frame } from '../exchange/frame.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import type { PlainObject } from './struct.ts';
import { readStructEntry } from './struct.ts';

const attributeNamespace = 'envoy.filters.http.ext_proc';
const nothing: Buffer = Buffer.alloc(0);
/** Of a frame without attributes or metadata. */
const noFacts: Readonly<Record<string, PlainObject>> = Object.freeze(Object.create(null));
const pinnedFactorMax = 4;

/** `proto/ext_proc.proto` BodySendMode. */
const bodySendModes = ['NONE', 'STREAMED', 'BUFFERED', 'BUFFERED_PARTIAL', 'FULL_DUPLEX_STREAMED', 'GRPC'];

/** One message of Envoy: the frame that it is, and how the filter is set up, which the first message of a stream tells. */
export type EnvoyMessage = { frame: Frame; requestBodyMode: string; responseBodyMode: string; observability: boolean };

/** The fields of a message as they come, until its end tells which frame it is. */
type Fields = Omit<EnvoyMessage, 'frame'> & {
  frame: Frame | undefined;
  attributes: Record<string, PlainObject> | undefined;
  /** A `Metadata`. Envoy repeats it in full on every chunk of a body, so only that of request headers is read. */
  metadata: Buffer;
};

/**
 * Reads a ProcessingRequest (`proto/ext_proc.proto` has the field numbers); throws `protocol_violation` for bytes that are
 * no message of the six kinds. Of two kinds in one message the last one counts, as in every oneof. Bodies are views of the
 * bytes, but for small ones that are held (`letGo`).
 */
export function readMessage(bytes: Buffer): EnvoyMessage {
  const reader = new ProtobufReader(bytes);
  const fields: Fields = {
    frame: undefined,
    attributes: undefined,
    metadata: nothing,
    requestBodyMode: 'NONE',
    responseBodyMode: 'NONE',
    observability: false,
  };
  while (reader.next()) readField(reader, fields);
  const { frame, requestBodyMode, responseBodyMode, observability } = fields;
  if (frame === undefined) throw new SkilltapeError('protocol_violation', 'Envoy sent a message of an unknown kind');
  if (frame.kind === 'request_headers') frame.metadata = metadataOf(fields.metadata);
  if ('attributes' in frame) frame.attributes = fields.attributes?.[attributeNamespace] ?? noFacts;
  return { frame, requestBodyMode, responseBodyMode, observability };
}

function readField(reader: ProtobufReader, fields: Fields): void {
  switch (reader.field) {
    case 2:
      fields.frame = { kind: 'request_headers', ...readHeaders(reader), metadata: noFacts, attributes: noFacts };
      return;
    case 3:
      fields.frame = { kind: 'response_headers', ...readHeaders(reader), attributes: noFacts };
      return;
    case 4:
      fields.frame = { kind: 'request_body', ...letGo(readBody(reader)) };
      return;
    case 5:
      fields.frame = { kind: 'response_body', ...readBody(reader) };
      return;
    case 6:
      fields.frame = { kind: 'request_trailers', headers: readHeaders(reader).headers };
      return;
    case 7:
      fields.frame = { kind: 'response_trailers', headers: readHeaders(reader).headers };
      return;
    case 8:
      fields.metadata = reader.bytes();
      return;
    case 9:
      fields.attributes ??= Object.create(null) as Record<string, PlainObject>;
      readStructEntry(reader, fields.attributes);
      return;
    case 10:
      fields.observability = reader.bool();
      return;
    case 11:
      readModes(reader, fields);
      return;
    default:
      reader.skip();
  }
}

/** HttpHeaders, and HttpTrailers, which has the list in the same field and no end. */
function readHeaders(reader: ProtobufReader): { headers: HeaderList; endOfStream: boolean } {
  let headers: HeaderList = [];
  let endOfStream = false;
  const outerEnd = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) headers = readHeaderMap(reader);
    else if (reader.field === 3) endOfStream = reader.bool();
    else reader.skip();
  }
  reader.leave(outerEnd);
  return { headers, endOfStream };
}

function readHeaderMap(reader: ProtobufReader): HeaderList {
  const headers: (readonly [string, string])[] = [];
  const outerEnd = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) headers.push(readHeader(reader));
    else reader.skip();
  }
  reader.leave(outerEnd);
  return headers;
}

/** `raw_value` is what Envoy 1.40 fills. It is latin1 (RFC 9110 section 5.5): decoding as UTF-8 would lose bytes. */
function readHeader(reader: ProtobufReader): readonly [string, string] {
  let name = '';
  let value = '';
  const outerEnd = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) name = reader.utf8();
    else if (reader.field === 3) value = reader.latin1();
    else reader.skip();
  }
  reader.leave(outerEnd);
  return [name.toLowerCase(), value];
}

function readBody(reader: ProtobufReader): { body: Buffer; endOfStream: boolean } {
  let body = nothing;
  let endOfStream = false;
  const outerEnd = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) body = reader.bytes();
    else if (reader.field === 2) endOfStream = reader.bool();
    else reader.skip();
  }
  reader.leave(outerEnd);
  return { body, endOfStream };
}

/**
 * A body is a view of what came from the socket in one read, up to 64 KiB, with what other streams sent. One of a request
 * is held, perhaps for long: where little is held of much, it is copied, so that the limit of held bodies stays true
 * within this factor (inv. 10).
 */
function letGo<Held extends { body: Buffer }>(held: Held): Held {
  const { body } = held;
  if (body.buffer.byteLength <= pinnedFactorMax * body.length) return held;
  // Not from Node's pool, which is as large as what is let go.
  const copy = Buffer.allocUnsafeSlow(body.length);
  body.copy(copy);
  return { ...held, body: copy };
}

function readModes(reader: ProtobufReader, fields: Fields): void {
  const outerEnd = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) fields.requestBodyMode = modeOf(reader.enumNumber());
    else if (reader.field === 2) fields.responseBodyMode = modeOf(reader.enumNumber());
    else reader.skip();
  }
  reader.leave(outerEnd);
}

function modeOf(number: number): string {
  return bodySendModes[number] ?? `${number}`;
}

function metadataOf(bytes: Buffer): Record<string, PlainObject> {
  const metadata: Record<string, PlainObject> = Object.create(null);
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) readStructEntry(reader, metadata);
    else reader.skip();
  }
  return metadata;
}

/**
 * Refuses a filter configured in a mode in which the write-ahead promise cannot be kept: only FULL_DUPLEX_STREAMED
 * lets the whole request be held back at any size, and only STREAMED answers never lose bytes.
 */
export function assertModes(message: EnvoyMessage): void {
  const { requestBodyMode: request, responseBodyMode: response, observability } = message;
  if (request === 'FULL_DUPLEX_STREAMED' && response === 'STREAMED' && !observability) return;
  throw new SkilltapeError(
    'protocol_violation',
    `Envoy's ext_proc filter has request_body_mode ${request} and response_body_mode ${response}` +
      `${observability ? ' in observability_mode' : ''}`,
    {
      remedy: 'Set FULL_DUPLEX_STREAMED and STREAMED without observability_mode, as envoy/envoy.yaml does.',
    },
  );
}

/** On the release listener bodies do not pass by us: what we were shown of one we would have to give back. */
export function assertGateModes(message: EnvoyMessage): void {
  const { requestBodyMode: request, responseBodyMode: response, observability } = message;
  if (request === 'NONE' && response === 'NONE' && !observability) return;
  throw new SkilltapeError(
    'protocol_violation',
    `ext_proc of the release listener has request_body_mode ${request} and response_body_mode ${response}`,
    { remedy: 'Set NONE for both, as `skilltape envoy render` does.' },
  );
}
