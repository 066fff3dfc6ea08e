import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type JsonValue,
  parseBoundedJson,
  parseStrictJson,
  requestMaxDepth,
  requestMaxTokens,
} from '../../../extproc/claude/json.ts';
import { syntaxFaultOffset } from '../../../extproc/claude/json-syntax.ts';
import { fixtureBytes, fixtureJson, utf8 } from './fixture.ts';

const limits = { maxDepth: requestMaxDepth };

function parse(text: string) {
  return parseStrictJson(utf8(text), limits);
}

function faultOf(text: string): string {
  const result = parse(text);
  return result.ok ? 'none' : `${result.fault}: ${result.detail}`;
}

test('a real request of 200 kB is read as JSON.parse reads it', () => {
  const result = parseStrictJson(fixtureBytes('h_tool_loop_200k_request.json'), limits);
  assert.deepEqual(result, { ok: true, value: fixtureJson('h_tool_loop_200k_request.json') });
});

test('bytes are let go once, and nothing is read of them afterwards, whether they are JSON or not', () => {
  for (const text of ['{"a":[1,"é"]}', '{"a":1,"a":2}', '[[[]]]', '{"a":', '\ufeff{}']) {
    const bytes = Uint8Array.from(utf8(text));
    let calls = 0;
    const result = parseStrictJson(bytes, { maxDepth: 2 }, () => {
      calls += 1;
      bytes.buffer.transfer(0);
    });
    assert.equal(calls, 1, text);
    assert.deepEqual(result, parseStrictJson(utf8(text), { maxDepth: 2 }), text);
  }
});

test('any JSON value is accepted and read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), null, indent);
      const result = parse(text);
      assert.ok(result.ok);
      assert.deepEqual(result.value, JSON.parse(text));
    }),
  );
});

test('a key that is given twice is found wherever it stands, and among many keys', () => {
  const refused = 'duplicate_key: duplicate object key at byte';
  assert.equal(faultOf('{"a":1,"a":1}'), `${refused} 7`);
  assert.equal(faultOf('{"model":"x","é":[{"b":[1,{"c":2, "d":{}, "c":3}]}]}'), `${refused} 43`);
  assert.equal(faultOf('{"x":{"y":1},"y":2,"x":3}'), `${refused} 19`);
  assert.equal(faultOf('{"":0,"":0}'), `${refused} 6`);
  const keys = Array.from({ length: 40 }, (_, at) => `"k${at}":0`);
  for (const again of [0, 5, 12, 13, 39]) {
    assert.match(faultOf(`{${[...keys, `"k${again}":1`].join(',')}}`), /^duplicate_key/);
  }
  assert.equal(faultOf(`{${keys.join(',')}}`), 'none');
});

test('the same key in two objects, and a value that repeats a key, are no duplicates', () => {
  assert.equal(faultOf('[{"a":"a"},{"a":["a","a"]},{"b":{"b":"b","a":"b"}}]'), 'none');
});

test('escapes do not hide that two keys are the same', () => {
  assert.match(faultOf('{"model":"a","mod\\u0065l":"b"}'), /^duplicate_key/);
  assert.match(faultOf('{"a\\/b":1,"a/b":2}'), /^duplicate_key/);
  assert.match(faultOf('{"__proto__":1,"\\u005f_proto__":2}'), /^duplicate_key/);
  assert.match(
    faultOf('{"\\ud800":1,"\\ud801":2}'),
    /^duplicate_key/,
    'parsers that replace lone surrogates merge them',
  );
  assert.equal(faultOf('{"a\\"":1,"a\\\\":2,"a":3}'), 'none');
});

test('a random duplicate is always found', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (object, pick) => {
      const entries = Object.entries(object).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
      const again = entries[pick % entries.length];
      assert.match(faultOf(`[0,{${[...entries, again].join(' , ')}}]`), /^duplicate_key/);
    }),
  );
});

test('a byte order mark and bytes that are not UTF-8 are refused with their place', () => {
  assert.equal(faultOf('\ufeff{}'), 'invalid_json: byte order mark at byte 0');
  const prefix = utf8('{"é\ufffd":"');
  for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
    const result = parseStrictJson(new Uint8Array([...prefix, ...bad, ...utf8('"}')]), limits);
    assert.deepEqual(result, { ok: false, fault: 'invalid_utf8', detail: `not UTF-8 at byte ${prefix.length}` });
  }
  const cut = parseStrictJson(new Uint8Array([0x22, 0xe2, 0x82]), limits);
  assert.deepEqual(cut, { ok: false, fault: 'invalid_utf8', detail: 'not UTF-8 at byte 1' });
});

test('nesting is allowed up to the limit and refused beyond it', () => {
  const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}0${'}]'.repeat(depth / 2)}`;
  assert.equal(faultOf(nested(requestMaxDepth)), 'none');
  assert.equal(faultOf(`[${nested(requestMaxDepth)}]`), 'too_deep: nested deeper than 200 at byte 596');
  assert.equal(faultOf(`"${'['.repeat(1000)}"`), 'none', 'brackets in a string are text');
});

test('a body of more values than are parsed in a moment is refused, and text of any size is not', () => {
  const read = (text: string) => parseStrictJson(utf8(text), { maxDepth: 9, maxTokens: 1000 });
  assert.ok(read(`[${'1,'.repeat(999)}1]`).ok);
  for (const many of ['1,', '{},', '[],', '"a",']) {
    const result = read(`[${many.repeat(1001)}1]`);
    assert.ok(!result.ok && result.fault === 'too_many_values', many);
  }
  assert.ok(read(`"${'{,['.repeat(100_000)}"`).ok);
});

test('what is not JSON is refused with its place, and the text is not repeated', () => {
  assert.equal(faultOf('{"key":"sk-ant-secret" oops}'), 'invalid_json: not JSON at byte 23');
  assert.equal(faultOf('{"é": "sk-ant-secret'), 'invalid_json: not JSON at byte 21');
  assert.equal(faultOf(''), 'invalid_json: not JSON at byte 0');
  assert.equal(faultOf('{"a":1}x'), 'invalid_json: not JSON at byte 7');
  assert.equal(faultOf('["a\nb"]'), 'invalid_json: not JSON at byte 3');
  assert.equal(faultOf('[01]'), 'invalid_json: not JSON at byte 2');
});

test('the place of a syntax fault is found exactly when JSON.parse refuses', () => {
  const edit = fc.record({
    at: fc.nat(),
    cut: fc.nat(3),
    put: fc.constantFrom('', '"', '{', ']', ',', ':', '\\', '0', 'e', '\n'),
  });
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), edit, (json, { at, cut, put }) => {
      const start = at % (json.length + 1);
      const text = json.slice(0, start) + put + json.slice(start + cut);
      let refused = false;
      try {
        JSON.parse(text);
      } catch {
        refused = true;
      }
      const offset = syntaxFaultOffset(text);
      assert.equal(offset !== null, refused, text);
      assert.equal(parseStrictJson(utf8(text.toWellFormed()), limits).ok && refused, false);
      if (offset !== null) assert.ok(offset >= 0 && offset <= text.length);
    }),
    { numRuns: 2000 },
  );
});

test('prototype keys stay own properties and change no prototype', () => {
  const result = parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
  assert.ok(result.ok);
  assert.deepEqual(Object.keys(result.value as object), ['__proto__', 'constructor']);
  assert.equal(Object.getPrototypeOf(result.value), Object.prototype);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('hostile sizes end in a verdict, not in a stack overflow', () => {
  assert.match(faultOf('['.repeat(1_000_000)), /^too_deep/);
  assert.match(faultOf('{"a":'.repeat(200_000)), /^too_deep/);
  const keys = Array.from({ length: 100_000 }, (_, at) => `"key ${at}":${at}`);
  assert.equal(faultOf(`{${keys.join(',')}}`), 'none');
  assert.match(faultOf(`{${keys.join(',')},"key 0":1}`), /^duplicate_key/);
  assert.equal(faultOf(`"${'\\\\'.repeat(1_000_000)}"`), 'none');
  assert.equal(faultOf(`["${'\\"'.repeat(1_000_000)}"]`), 'none');
  assert.match(faultOf(`["${'\\"'.repeat(1_000_000)}]`), /^invalid_json/);
  assert.equal(faultOf(`[${'{"a":{}},'.repeat(200_000)}0]`), 'none');
});

test('a body of 40 MB is read', () => {
  const text = `{"messages":[${`{"role":"user","content":"${'x y\\n'.repeat(400)}"},`.repeat(20_000)}0]}`;
  assert.ok(text.length > 40_000_000);
  assert.equal(parse(text).ok, true);
});

test('the text of an upstream may repeat keys, as the SDKs allow, but not nest without bound', () => {
  assert.deepEqual(parseBoundedJson('{"a":1,"a":2}'), { a: 2 } satisfies JsonValue);
  assert.equal(parseBoundedJson('{"a":'), undefined);
  assert.equal(parseBoundedJson(`${'['.repeat(201)}${']'.repeat(201)}`), undefined);
});

test('a large text that is no JSON is refused without looking for the place', () => {
  const large = Buffer.from(`{"a":"${'x'.repeat(5 * 1024 * 1024)}`);
  assert.deepEqual(parseStrictJson(large, { maxDepth: 10 }), { ok: false, fault: 'invalid_json', detail: 'not JSON' });
});

test('an answer of more values than can be held is no JSON, however small each of them is', () => {
  const list = (count: number) => `[0${',0'.repeat(count)}]`;
  assert.equal(parseBoundedJson(list(requestMaxTokens)), undefined);
  assert.equal((parseBoundedJson(list(requestMaxTokens - 1)) as number[]).length, requestMaxTokens);
});

test('integers that a double cannot hold are read digit for digit where that is asked for, others as JSON.parse does', () => {
  const text =
    '{"a":[6304000000000000123,-12345678901234567890, 4111111111111111],"b":1.2345678901234567,"__proto__":1}';
  const read = parseStrictJson(Buffer.from(text), { maxDepth: 9, exactIntegers: true });
  assert.ok(read.ok);
  const expected = text.replace(/6304\d+|-12345\d+/g, '"$&"');
  assert.equal(JSON.stringify(read.value), JSON.stringify(JSON.parse(expected)));
  assert.equal(JSON.stringify(parseBoundedJson(text)), JSON.stringify(JSON.parse(expected)));
  const judged = parseStrictJson(Buffer.from(text), { maxDepth: 9 });
  assert.deepEqual(judged.ok && judged.value, JSON.parse(text));
});
