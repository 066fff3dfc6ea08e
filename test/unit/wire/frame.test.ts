import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertModes, readMessage } from '../../../extproc/wire/frame.ts';
import type { ProcessingRequest } from './independent.ts';
import { encoded } from './independent.ts';
import { messages, modes } from './messages.ts';
import { field, nested } from './protobuf-bytes.ts';

function overTheWire(message: ProcessingRequest) {
  return readMessage(encoded(message)).frame;
}

test('headers keep order, repeats and every byte; names are in lower case', () => {
  const value = fc.uint8Array({ maxLength: 20 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.stringMatching(/^[A-Za-z-]{1,10}$/), value)), (headers) => {
      const wire = headers.map(([key, bytes]) => ({ key, raw_value: Buffer.from(bytes) }));
      const frame = overTheWire({ request_trailers: { trailers: { headers: wire } } });
      assert.ok(frame.kind === 'request_trailers');
      assert.deepEqual(
        frame.headers,
        headers.map(([key, bytes]) => [key.toLowerCase(), Buffer.from(bytes).toString('latin1')]),
      );
    }),
  );
});

test('body bytes come as they were, also none', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.boolean(), fc.constantFrom('request_body', 'response_body'), (body, end, kind) => {
      const frame = overTheWire({ [kind]: { body: Buffer.from(body), end_of_stream: end } });
      assert.deepEqual({ ...frame, body: null }, { kind, body: null, endOfStream: end });
      assert.ok('body' in frame);
      assert.deepEqual(Buffer.from(frame.body), Buffer.from(body));
    }),
  );
});

test('a body is not copied, but a little one of a request holds no more than a few times its size', () => {
  const socketRead = Buffer.alloc(65_536);
  const frameOf = (message: ProcessingRequest) => {
    const bytes = encoded(message);
    const frame = readMessage(socketRead.subarray(100, 100 + bytes.copy(socketRead, 100))).frame;
    assert.ok('body' in frame);
    return frame.body;
  };
  const little = Buffer.alloc(4_000, 7);
  const large = Buffer.alloc(20_000, 7);
  const held = frameOf({ request_body: { body: little } });
  assert.deepEqual(held, little);
  assert.equal(held.buffer.byteLength, held.length);
  assert.equal(frameOf({ request_body: { body: large } }).buffer, socketRead.buffer);
  assert.equal(frameOf({ response_body: { body: little } }).buffer, socketRead.buffer);
});

test('absent parts are empty, never undefined', () => {
  const empty: [ProcessingRequest, object][] = [
    [{ request_body: {} }, { kind: 'request_body', body: Buffer.alloc(0), endOfStream: false }],
    [{ response_body: {} }, { kind: 'response_body', body: Buffer.alloc(0), endOfStream: false }],
    [{ request_trailers: {} }, { kind: 'request_trailers', headers: [] }],
    [{ response_trailers: {} }, { kind: 'response_trailers', headers: [] }],
  ];
  for (const [message, frame] of empty) assert.deepEqual(overTheWire(message), frame);
  const request = overTheWire({ request_headers: {} });
  assert.ok(request.kind === 'request_headers');
  assert.deepEqual(
    [request.headers, request.endOfStream, { ...request.metadata }, { ...request.attributes }],
    [[], false, {}, {}],
  );
});

test('a message of no kind or of one that is not known is an error', () => {
  assert.throws(() => overTheWire({}), { code: 'protocol_violation' });
  // Field 31 of a later Envoy, a message.
  assert.throws(() => readMessage(Buffer.of(0xfa, 0x01, 0x00)), { code: 'protocol_violation' });
});

test('metadata that is no message, or nested without end, is an error of its stream alone', () => {
  const headersWith = (metadata: Buffer) => readMessage(Buffer.concat([field(2), field(8, metadata)])).frame;
  assert.throws(() => headersWith(Buffer.of(0x0a, 0xff)), { code: 'protocol_violation' });
  for (const depth of [100, 100_000]) {
    assert.throws(() => headersWith(nestedStructs(depth)), { code: 'protocol_violation', message: /nested too deep/ });
    assert.throws(() => headersWith(nestedLists(depth)), { code: 'protocol_violation', message: /nested too deep/ });
  }
  assert.deepEqual(JSON.parse(JSON.stringify(headersWith(nestedStructs(3)))).metadata, {
    f: { a: { a: { a: null } } },
  });
  assert.doesNotThrow(() => headersWith(nestedStructs(33)));
});

test('metadata is decoded for request headers only: Envoy repeats it on every chunk', () => {
  const broken = field(8, Buffer.of(0x0a, 0xff));
  for (const kind of [3, 4, 5, 6, 7]) {
    assert.doesNotThrow(() => readMessage(Buffer.concat([field(kind), broken])));
    assert.doesNotThrow(() => readMessage(Buffer.concat([broken, field(kind)])));
  }
  assert.throws(() => readMessage(Buffer.concat([field(2), broken])));
  assert.throws(() => readMessage(Buffer.concat([broken, field(2)])));
});

test('the fields that no captured message has are where Envoy has them', () => {
  // Field 10, a bool; and field 11 with its fields 1 and 2, both 4 (FULL_DUPLEX_STREAMED).
  const bytes = Buffer.concat([field(4), Buffer.of(0x50, 0x01, 0x5a, 0x04, 0x08, 0x04, 0x10, 0x04)]);
  assert.deepEqual(
    { ...readMessage(bytes), frame: null },
    {
      frame: null,
      requestBodyMode: 'FULL_DUPLEX_STREAMED',
      responseBodyMode: 'FULL_DUPLEX_STREAMED',
      observability: true,
    },
  );
});

test('only the modes in which nothing can pass unrecorded are taken', () => {
  assert.doesNotThrow(() => assertModes(readMessage(encoded(messages.requestHeaders()))));
  const wrong: ProcessingRequest[] = [
    {},
    { protocol_config: {} },
    { protocol_config: { ...modes, request_body_mode: 'BUFFERED' } },
    { protocol_config: { ...modes, request_body_mode: 'STREAMED' } },
    { protocol_config: { ...modes, request_body_mode: 'BUFFERED_PARTIAL' } },
    { protocol_config: { ...modes, response_body_mode: 'NONE' } },
    { protocol_config: { ...modes, response_body_mode: 'FULL_DUPLEX_STREAMED' } },
    { protocol_config: { request_body_mode: modes.request_body_mode } },
    { protocol_config: modes, observability_mode: true },
  ];
  for (const message of wrong) {
    const read = readMessage(encoded({ request_headers: {}, ...message }));
    assert.throws(() => assertModes(read), { code: 'protocol_violation', remedy: /FULL_DUPLEX_STREAMED and STREAMED/ });
  }
});

/** A `Metadata` whose filter f has Structs (Value.struct_value = 5, Struct.fields = 1) in one another. */
function nestedStructs(depth: number): Buffer {
  const entry = [2, field(1, 'a'), 1];
  return nested(depth - 1, [...entry, 5], [...entry, 2, field(1, 'f'), 1]);
}

/** The same with lists (Value.list_value = 6, ListValue.values = 1). */
function nestedLists(depth: number): Buffer {
  return nested(depth, [1, 6], [2, field(1, 'a'), 1, 2, field(1, 'f'), 1]);
}
