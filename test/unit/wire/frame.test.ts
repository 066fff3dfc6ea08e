import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertModes, frameOf } from '../../../extproc/wire/frame.ts';
import type { ProcessingRequest } from '../../../extproc/wire/service.ts';
import { decodeMetadata, processMethod } from '../../../extproc/wire/service.ts';
import { messages, modes } from './messages.ts';

function overTheWire(message: ProcessingRequest) {
  return frameOf(processMethod.requestDeserialize(processMethod.requestSerialize(message)));
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
  assert.throws(() => frameOf(processMethod.requestDeserialize(Buffer.of(0xfa, 0x01, 0x00))), {
    code: 'protocol_violation',
  });
});

test('metadata that is no message, or nested without end, is an error of its stream alone', () => {
  const headers = { request_headers: {} };
  assert.throws(() => overTheWire({ ...headers, metadata_context: Buffer.of(0x0a, 0xff) }));
  assert.throws(() => overTheWire({ ...headers, metadata_context: nested(1000) }));
  const frame = overTheWire({ ...headers, metadata_context: nested(3) });
  assert.deepEqual(JSON.parse(JSON.stringify(frame)).metadata, { f: { a: { a: { a: null } } } });
});

test('metadata is decoded for request headers only: Envoy repeats it on every chunk', () => {
  const broken = Buffer.of(0x0a, 0xff);
  assert.doesNotThrow(() => overTheWire({ request_body: {}, metadata_context: broken }));
  assert.doesNotThrow(() => overTheWire({ response_headers: {}, metadata_context: broken }));
  assert.deepEqual(decodeMetadata(Buffer.alloc(0)), {});
});

test('the fields that no captured message has are where Envoy has them', () => {
  // Field 10, a bool; and field 11 with its fields 1 and 2, both 4 (FULL_DUPLEX_STREAMED).
  const message = processMethod.requestDeserialize(Buffer.of(0x50, 0x01, 0x5a, 0x04, 0x08, 0x04, 0x10, 0x04));
  assert.equal(message.observability_mode, true);
  assert.deepEqual({ ...message.protocol_config }, { ...modes, response_body_mode: 'FULL_DUPLEX_STREAMED' });
});

test('only the modes in which nothing can pass unrecorded are taken', () => {
  assert.doesNotThrow(() => assertModes(messages.requestHeaders()));
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
    const sent = processMethod.requestDeserialize(processMethod.requestSerialize(message));
    assert.throws(() => assertModes(sent), { code: 'protocol_violation', remedy: /FULL_DUPLEX_STREAMED and STREAMED/ });
  }
});

/** `Metadata` with a Struct nested this deep, written by hand: building it as an object would end in the encoder. */
function nested(depth: number): Buffer {
  const field = (tag: number, content: Buffer) => Buffer.concat([Buffer.of(tag), varint(content.length), content]);
  let value = Buffer.alloc(0);
  // Value.struct_value = 5, Struct.fields = 1 with key 1 and value 2.
  for (let level = 0; level < depth; level += 1) {
    value = field(0x2a, field(0x0a, Buffer.concat([Buffer.of(0x0a, 0x01, 0x61), field(0x12, value)])));
  }
  const struct = value.subarray(value.length === 0 ? 0 : 1 + varintBytes(value));
  return field(0x0a, Buffer.concat([Buffer.of(0x0a, 0x01, 0x66), field(0x12, struct)]));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function varintBytes(field: Buffer): number {
  let count = 1;
  while ((field[count] ?? 0) > 127) count += 1;
  return count;
}
