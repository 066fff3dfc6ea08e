import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readMessage } from '../../../extproc/wire/frame.ts';
import { BackwardWriter } from '../../../extproc/wire/protobuf-writer.ts';
import { writeStruct } from '../../../extproc/wire/struct.ts';
import type { WireStruct, WireValue } from './independent.ts';
import { encoded, processMethod } from './independent.ts';
import { field, numberField } from './protobuf-bytes.ts';

const namespace = 'envoy.filters.http.ext_proc';

function wireValue(value: unknown): WireValue {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(wireValue) } };
  return { structValue: wireStruct(value as object) };
}

function wireStruct(object: object): WireStruct {
  return { fields: Object.fromEntries(Object.entries(object).map(([key, value]) => [key, wireValue(value)])) };
}

function overTheWire(object: object): unknown {
  return attributesOf(encoded({ response_headers: {}, attributes: { [namespace]: wireStruct(object) } }));
}

/** What JSON has for it; what was read has objects without a prototype. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test('a Struct comes over the wire as the JSON that it stands for', () => {
  const key = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => text !== '__proto__');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(key, tree, { noNullPrototype: true }), (object) => {
      assert.deepEqual(plain(overTheWire(object)), plain(object));
    }),
  );
});

test('falsy and empty values stay what they are', () => {
  const object = { zero: 0, empty: '', no: false, nothing: null, list: [], object: {} };
  assert.deepEqual(plain(overTheWire(object)), object);
});

test('claims named like parts of every object change no object and are not inherited', () => {
  const string = (text: string) => field(2, field(3, text));
  const object = structOf(
    field(1, field(1, 'constructor'), string('x')),
    field(1, field(1, '__proto__'), field(2, field(5, field(1, field(1, 'sub'), string('x'))))),
  );
  assert.equal(Object.getPrototypeOf(object), null);
  assert.equal(object.constructor, 'x');
  assert.equal(object.toString, undefined);
  assert.deepEqual(Object.keys(object), ['constructor', '__proto__']);
  assert.equal(object.sub, undefined);
  assert.equal(({} as Record<string, unknown>).sub, undefined);
});

test('a value of no kind or of a later one, and a Struct without fields, are nothing', () => {
  assert.deepEqual({ ...structOf() }, {});
  const none = field(1, field(1, 'none'), field(2));
  const absent = field(1, field(1, 'absent'));
  const future = field(1, field(1, 'future'), field(2, field(9, 'x')));
  assert.deepEqual({ ...structOf(none, absent, future) }, { none: null, absent: null, future: null });
});

test('of two kinds of one value, and of two values of one key, the last one counts', () => {
  const twoKinds = field(1, field(1, 'a'), field(2, field(3, 'text'), numberField(4, 1)));
  const again = field(1, field(1, 'b'), field(2, field(3, 'first')));
  const last = field(1, field(1, 'b'), field(2, field(3, 'last')));
  assert.deepEqual({ ...structOf(twoKinds, again, last) }, { a: true, b: 'last' });
});

test('fields for the access log are a Struct that others read', () => {
  const fields = { exchange: 'e-1', verdict: 'allow', empty: '', 'ünïcode 😀': 'ä'.repeat(2_000) };
  const writer = new BackwardWriter();
  writer.begin();
  writeStruct(writer, 2, fields);
  const attribute = field(9, field(1, 'skilltape'), writer.take());
  const read = processMethod.requestDeserialize(attribute).attributes?.skilltape?.fields ?? {};
  assert.deepEqual(
    Object.entries(read).map(([key, { stringValue }]) => [key, stringValue]),
    Object.entries(fields),
  );
});

/** `field(9)` is an entry of `attributes`. */
function structOf(...fields: readonly Buffer[]): Record<string, unknown> {
  return attributesOf(Buffer.concat([field(3), field(9, field(1, namespace), field(2, ...fields))]));
}

function attributesOf(bytes: Buffer): Record<string, unknown> {
  const { frame } = readMessage(bytes);
  assert.ok(frame.kind === 'response_headers');
  return frame.attributes;
}
