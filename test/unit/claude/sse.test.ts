import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SseDecoder } from '../../../extproc/claude/sse.ts';
import { decodeAll, fixtureBytes, foldEvents, streamFixtures, utf8 } from './fixture.ts';

function bytesOneByOne(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => new Uint8Array([byte]));
}

for (const name of streamFixtures) {
  test(`${name} gives the same events and message wherever its bytes are split`, () => {
    const bytes = fixtureBytes(name);
    const events = decodeAll([bytes]);
    const folded = foldEvents(events);
    assert.ok(events.length > 2);
    assert.deepEqual(decodeAll(bytesOneByOne(bytes)), events);
    for (let at = 0; at <= bytes.length; at += 1) {
      const split = decodeAll([bytes.subarray(0, at), bytes.subarray(at)]);
      assert.deepEqual(split, events, `split at ${at}`);
      assert.deepEqual(foldEvents(split), folded);
    }
  });
}

test('LF, CR and CRLF end lines alike, also when a CRLF falls between two chunks', () => {
  const expected = [
    { event: 'a', data: '1\n2' },
    { event: 'b', data: '3' },
  ];
  for (const end of ['\n', '\r', '\r\n']) {
    const bytes = utf8(['event: a', 'data: 1', 'data:2', '', 'event: b', 'data: 3', '', ''].join(end));
    assert.deepEqual(decodeAll([bytes]), expected);
    assert.deepEqual(decodeAll(bytesOneByOne(bytes)), expected);
  }
});

test('comments, id, retry, unknown fields and byte order marks are no part of an event', () => {
  const text = '\ufeff: hold\n\n\ufeffevent: a\nid: 1\nretry: 9\n: x\nnothing\nDATA: no\ndata:  two spaces\ndata\n\n';
  assert.deepEqual(decodeAll([utf8(text)]), [{ event: 'a', data: ' two spaces\n' }]);
});

test('frames without an event line are dropped, and so is a last frame without its blank line', () => {
  assert.deepEqual(decodeAll([utf8('data: lost\n\nevent: kept\n\nevent: open\ndata: never\n')]), [
    { event: 'kept', data: '' },
  ]);
});

test('bytes that are not UTF-8 become replacement characters of their own line only', () => {
  const bytes = new Uint8Array([...utf8('event: a\ndata: x'), 0xe2, 0x82, ...utf8('\ndata: y\n\n')]);
  assert.deepEqual(decodeAll([bytes]), [{ event: 'a', data: 'x\ufffd\ny' }]);
});

test('an event over the bound stops the decoder, at the same byte for every split', () => {
  const stream = 'event: a\ndata: 12345\n\nevent: b\ndata: 1234567890\n\nevent: c\ndata: 1\n\n';
  const decode = (chunks: Uint8Array[]) => {
    const decoder = new SseDecoder({ maxEventBytes: 15 });
    return { events: chunks.flatMap((chunk) => decoder.push(chunk)), overflowed: decoder.overflowed };
  };
  const expected = { events: [{ event: 'a', data: '12345' }], overflowed: true };
  const bytes = utf8(stream);
  assert.deepEqual(decode([bytes]), expected);
  for (let at = 0; at <= bytes.length; at += 1) {
    assert.deepEqual(decode([bytes.subarray(0, at), bytes.subarray(at)]), expected);
  }
});

test('neither a line without end nor data lines without end are held beyond the bound', () => {
  for (const piece of ['x', 'data:\n', 'data: 1\n']) {
    const decoder = new SseDecoder({ maxEventBytes: 1000 });
    let pushed = 0;
    while (!decoder.overflowed && pushed < 10_000) {
      decoder.push(utf8(piece));
      pushed += 1;
    }
    assert.ok(pushed <= 1001, piece);
  }
});

test('many ignored lines are no event, so they never overflow', () => {
  const decoder = new SseDecoder({ maxEventBytes: 64 });
  for (let at = 0; at < 1000; at += 1) assert.deepEqual(decoder.push(utf8(': hold\n\nid: 7\n')), []);
  assert.equal(decoder.overflowed, false);
});

test('the caller may reuse its chunk after a push', () => {
  const decoder = new SseDecoder({ maxEventBytes: 1000 });
  const chunk = utf8('event: a\nda');
  decoder.push(chunk);
  chunk.fill(0x21);
  assert.deepEqual(decoder.push(utf8('ta: 1\n\n')), [{ event: 'a', data: '1' }]);
});

test('random text in random chunks decodes as it does whole', () => {
  const line = fc.constantFrom('event: a', 'event:', 'data: {"x":"é🙂"}', 'data', ':c', '', '\ufeff', 'id: 1');
  const end = fc.constantFrom('\n', '\r', '\r\n');
  const stream = fc.array(fc.tuple(line, end), { maxLength: 30 });
  fc.assert(
    fc.property(stream, fc.array(fc.nat(200), { maxLength: 10 }), (lines, cuts) => {
      const bytes = utf8(lines.flat().join(''));
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((to, at) => bytes.subarray(places[at], to));
      assert.deepEqual(decodeAll(chunks), decodeAll([bytes]));
    }),
  );
});

test('two megabytes in chunks of one byte are decoded', () => {
  const decoder = new SseDecoder({ maxEventBytes: 4_000_000 });
  const byte = utf8('x');
  decoder.push(utf8('event: a\ndata: '));
  for (let at = 0; at < 2_000_000; at += 1) decoder.push(byte);
  const [event] = decoder.push(utf8('\n\n'));
  assert.equal(event?.data.length, 2_000_000);
});
