import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WireStruct, WireValue } from '../../../extproc/wire/service.ts';
import { processMethod } from '../../../extproc/wire/service.ts';
import { plainObject, structOfStrings } from '../../../extproc/wire/struct.ts';

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
  const bytes = processMethod.requestSerialize({ attributes: { filter: wireStruct(object) } });
  return plainObject(processMethod.requestDeserialize(bytes).attributes?.filter);
}

/** What JSON has for it; objects of `plainObject` have no prototype. */
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
  const hostile = plainObject({ fields: { constructor: { kind: 'stringValue', stringValue: 'x' } } });
  assert.equal(Object.getPrototypeOf(hostile), null);
  assert.equal(hostile.constructor, 'x');
  assert.equal(hostile.toString, undefined);
  const fields = JSON.parse(
    '{"__proto__":{"kind":"structValue","structValue":{"fields":{"sub":{"kind":"stringValue","stringValue":"x"}}}}}',
  );
  const own = plainObject({ fields });
  assert.deepEqual(Object.keys(own), ['__proto__']);
  assert.equal(own.sub, undefined);
  overTheWire(JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}'));
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('a value of no kind, and a Struct that is missing, are nothing', () => {
  assert.deepEqual({ ...plainObject(undefined) }, {});
  assert.deepEqual({ ...plainObject({ fields: { a: {}, b: { kind: 'futureValue' } } }) }, { a: null, b: null });
});

test('fields for the access log come back as they were', () => {
  const fields = { exchange: 'e-1', verdict: 'allow', empty: '' };
  const bytes = processMethod.requestSerialize({ attributes: { skilltape: structOfStrings(fields) } });
  assert.deepEqual({ ...plainObject(processMethod.requestDeserialize(bytes).attributes?.skilltape) }, fields);
});
