import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { EnvoyMessage } from '../../../extproc/wire/frame.ts';
import { readMessage } from '../../../extproc/wire/frame.ts';
import { encoded } from './independent.ts';
import { messages } from './messages.ts';
import { field, numberField, varint } from './protobuf-bytes.ts';

/** What came of it, when that is one of the two things that may. */
function outcomeOf(bytes: Buffer): EnvoyMessage | 'violation' {
  try {
    return readMessage(bytes);
  } catch (error) {
    assert.equal(SkilltapeError.from(error).code, 'protocol_violation', String(error));
    return 'violation';
  }
}

const good = [
  encoded({ ...messages.requestHeaders(), attributes: { a: { fields: { b: { numberValue: 1.5 } } } } }),
  encoded(messages.requestBody('some text', true)),
  encoded(messages.responseHeaders()),
];

test('any bytes are a frame or a violation', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      outcomeOf(Buffer.from(bytes));
    }),
    { numRuns: 3_000 },
  );
});

test('a message with any few bytes changed, inserted or taken out is a frame or a violation', () => {
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 4 }));
  fc.assert(
    fc.property(fc.constantFrom(...good), fc.array(change, { minLength: 1, maxLength: 4 }), (bytes, changes) => {
      const changed = changes.reduce((before, [place, taken, put]) => {
        const at = place % (before.length + 1);
        return Buffer.concat([before.subarray(0, at), put, before.subarray(at + taken)]);
      }, bytes);
      outcomeOf(changed);
    }),
    { numRuns: 3_000 },
  );
});

test('a message that is cut anywhere is no message with more than was there', () => {
  for (const bytes of good) {
    for (let length = 0; length < bytes.length; length += 1) outcomeOf(bytes.subarray(0, length));
  }
});

const violations: [name: string, bytes: Buffer][] = [
  ['a length of 2^64 - 1', Buffer.concat([Buffer.of(0x22), varint(2n ** 64n - 1n)])],
  ['a length beyond the message', Buffer.concat([Buffer.of(0x22), varint(5), Buffer.from('abcd')])],
  ['a length beyond what holds it', field(4, Buffer.of(0x0a, 0x05), 'abc')],
  ['a number of eleven bytes', Buffer.concat([Buffer.of(0x50), Buffer.alloc(10, 0x80), Buffer.of(1)])],
  ['a number of more than 64 bits', Buffer.concat([Buffer.of(0x50), Buffer.alloc(9, 0xff), Buffer.of(2)])],
  ['a number without an end', Buffer.concat([Buffer.of(0x50), Buffer.alloc(1_000_000, 0x80)])],
  ['field 0', Buffer.of(0x02, 0x00)],
  ['a field number beyond all', Buffer.concat([varint(2n ** 32n + 2n), Buffer.of(0)])],
  ['a group', Buffer.of(0xa3, 0x06, 0xa4, 0x06)],
  ['the end of a group', Buffer.of(0x0c)],
  ['groups in one another', Buffer.alloc(100_000, 0x0b)],
  ['wire type 6', Buffer.of(0x0e)],
  ['wire type 7', Buffer.of(0x0f)],
  ['a body as a number', field(4, numberField(1, 7))],
  ['a frame as a number', numberField(4, 7)],
  ['an end of stream as bytes', field(4, field(2, 'x'))],
  ['a mode as bytes', Buffer.concat([field(4), field(11, field(1, 'x'))])],
  ['a header as a number', field(2, field(1, numberField(1, 7)))],
  ['a fixed number that is cut', Buffer.of(0x61, 1, 2, 3)],
  ['a fixed number that goes on outside', Buffer.concat([field(4, Buffer.of(0x61, 1, 2, 3)), field(200, 'enough')])],
];
for (const [name, bytes] of violations) {
  test(`${name} is a violation, alone and beside a frame`, () => {
    assert.equal(outcomeOf(bytes), 'violation');
    assert.equal(outcomeOf(Buffer.concat([field(4, field(1, 'body')), bytes])), 'violation');
  });
}

test('fields of a later Envoy are passed by, wherever they stand and whatever they are', () => {
  const unknown = [
    numberField(100, 2n ** 64n - 1n),
    field(101, 'x'.repeat(300)),
    Buffer.concat([varint(102 * 8 + 1), Buffer.alloc(8, 0xff)]),
    Buffer.concat([varint(103 * 8 + 5), Buffer.alloc(4, 0xff)]),
    field(2 ** 29 - 1),
  ];
  for (const one of unknown) {
    const body = field(4, one, field(1, one, 'body'), one, numberField(2, 1), one);
    const read = outcomeOf(Buffer.concat([one, body, one]));
    assert.ok(read !== 'violation' && read.frame.kind === 'request_body');
    assert.deepEqual([read.frame.body, read.frame.endOfStream], [Buffer.concat([one, Buffer.from('body')]), true]);
    const header = field(2, one, field(1, one, field(1, one, field(1, 'X-Name'), one, field(3, 'value'), one)), one);
    const headers = outcomeOf(Buffer.concat([header, one]));
    assert.ok(headers !== 'violation' && headers.frame.kind === 'request_headers');
    assert.deepEqual(headers.frame.headers, [['x-name', 'value']]);
  }
});

test('of several kinds in one message, and of one several times, the last one counts', () => {
  const first = field(4, field(1, 'first'), numberField(2, 1));
  const other = field(5, field(1, 'other'));
  const last = field(4, field(1, 'last'));
  for (const [bytes, kind, text] of [
    [[first, last], 'request_body', 'last'],
    [[first, other], 'response_body', 'other'],
    [[other, first, other, last], 'request_body', 'last'],
  ] as const) {
    const read = outcomeOf(Buffer.concat(bytes));
    assert.ok(read !== 'violation' && 'body' in read.frame);
    assert.deepEqual([read.frame.kind, String(read.frame.body), read.frame.endOfStream], [kind, text, false]);
  }
});

test('a megabyte of headers and of map entries is read in time that is linear', () => {
  const header = field(1, field(1, 'a'), field(3, 'b'));
  const many = Buffer.concat(Array.from({ length: 100_000 }, () => header));
  const read = outcomeOf(field(2, field(1, many)));
  assert.ok(read !== 'violation' && read.frame.kind === 'request_headers');
  assert.equal(read.frame.headers.length, 100_000);
  const entry = field(1, field(1, 'same'), field(2, field(3, 'x')));
  const struct = field(2, Buffer.concat(Array.from({ length: 50_000 }, () => entry)));
  assert.notEqual(outcomeOf(Buffer.concat([field(3), field(9, field(1, 'ns'), struct)])), 'violation');
});
