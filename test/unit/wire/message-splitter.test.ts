import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageSplitter } from '../../../extproc/wire/message-splitter.ts';

const maxBytes = 200_000;

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** All that can be taken after each chunk. */
function taken(splitter: MessageSplitter, chunks: Iterable<Buffer>): Buffer[] {
  const messages: Buffer[] = [];
  for (const chunk of chunks) {
    splitter.push(chunk);
    for (let message = splitter.take(); message !== undefined; message = splitter.take()) messages.push(message);
  }
  return messages;
}

function* chunksOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test('wherever the borders of DATA frames are, the messages are the same', () => {
  const message = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: maxBytes }).map(patterned));
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70_000 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), sizes, (messages, chunkSizes) => {
      const splitter = new MessageSplitter(maxBytes);
      const bytes = Buffer.concat(messages.map(framed));
      const found = taken(splitter, chunksOf(bytes, chunkSizes));
      assert.deepEqual(found.length, messages.length);
      for (const [index, one] of found.entries()) assert.ok(one.equals(messages[index] ?? Buffer.alloc(0)));
      assert.equal(splitter.isCutOff, false);
      assert.equal(splitter.waitingBytes, 0);
    }),
  );
});

function patterned(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 7) % 251));
}

test('a message in one piece is not copied, and one in many holds none of the pieces', () => {
  const chunk = framed(Buffer.from('whole'));
  const [whole] = taken(new MessageSplitter(maxBytes), [chunk]);
  assert.equal(whole?.buffer, chunk.buffer);
  const pieces = [...chunksOf(framed(patterned(maxBytes)), [7])];
  const [joined] = taken(new MessageSplitter(maxBytes), pieces);
  assert.equal(joined?.buffer.byteLength, maxBytes);
});

test('a stream that ends within a message is seen, also within its prefix', () => {
  const bytes = framed(Buffer.from('abc'));
  for (let length = 0; length < bytes.length; length += 1) {
    const splitter = new MessageSplitter(maxBytes);
    splitter.push(bytes.subarray(0, length));
    assert.equal(splitter.isCutOff, length > 0, `${length}`);
    assert.equal(splitter.take(), undefined);
  }
});

test('a prefix that no message may have is a violation, behind the messages before it', () => {
  const tooLong = Buffer.of(0, 0xff, 0xff, 0xff, 0xff);
  const oneTooLong = Buffer.from([0, ...[24, 16, 8, 0].map((shift) => ((maxBytes + 1) >> shift) & 255)]);
  const wrong: [Buffer, RegExp][] = [
    [Buffer.of(1, 0, 0, 0, 1, 0), /compressed/],
    [Buffer.of(2, 0, 0, 0, 1, 0), /flag 2/],
    [Buffer.of(255, 0, 0, 0, 0), /flag 255/],
    [tooLong, /4294967295 bytes/],
    [oneTooLong, /200001 bytes; 200000 are taken/],
  ];
  for (const [bytes, message] of wrong) {
    for (const size of [1, 3, 100]) {
      const splitter = new MessageSplitter(maxBytes);
      for (const chunk of chunksOf(Buffer.concat([framed(Buffer.from('good')), bytes]), [size])) splitter.push(chunk);
      assert.equal(String(splitter.take()), 'good');
      assert.throws(() => splitter.take(), { code: 'protocol_violation', message });
      splitter.push(framed(Buffer.from('never')));
      assert.throws(() => splitter.take(), { code: 'protocol_violation', message });
    }
  }
});

test('a length that is only announced takes no memory', () => {
  const splitter = new MessageSplitter(1024 * 1024 * 1024);
  const before = process.memoryUsage().arrayBuffers;
  const others = Array.from({ length: 1_000 }, () => new MessageSplitter(1024 * 1024 * 1024));
  for (const one of [splitter, ...others]) one.push(Buffer.of(0, 0x3f, 0xff, 0xff, 0xff, 1));
  assert.ok(process.memoryUsage().arrayBuffers - before < 100 * 1024 * 1024);
});

test('a message of 200,000 pieces of a byte is put together in time that is linear', () => {
  const [message] = taken(new MessageSplitter(maxBytes), chunksOf(framed(patterned(maxBytes)), [1]));
  assert.ok(message?.equals(patterned(maxBytes)));
});
