import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeFrame,
  decodeSegmentHeader,
  encodeFrameHead,
  encodeSegmentHeader,
  finishFrameHead,
  frameMaxBytes,
  groupAround,
  groupMaxBytes,
} from '../../../extproc/journal/format.ts';

const header = { version: 2, sequence: 3, id: new Uint8Array(16).fill(9), createdMs: 1_700_000_000_000 };
const hex = '534b544a02000000030000000000000009090909090909090909090909090909' + '0068e5cf8b010000';

test('a segment header is 44 bytes, little-endian, in this order', () => {
  const bytes = Buffer.from(encodeSegmentHeader(header));
  assert.equal(bytes.length, 44);
  assert.equal(bytes.toString('hex', 0, 40), hex);
  assert.deepEqual(decodeSegmentHeader(bytes), { status: 'header', header });
});

test('version 1 is read, as what it is', () => {
  const old = { ...header, version: 1 };
  assert.deepEqual(decodeSegmentHeader(encodeSegmentHeader(old)), { status: 'header', header: old });
});

test('version 3 is refused by name, whatever the rest says', () => {
  for (const sound of [true, false]) {
    const bytes = Buffer.from(encodeSegmentHeader(header));
    bytes.writeUInt16LE(3, 4);
    if (!sound) bytes.fill(0xff, 6);
    const decoded = decodeSegmentHeader(bytes);
    assert.equal(decoded.status, 'unsupported');
    assert.match(decoded.status === 'unsupported' ? decoded.reason : '', /version 3 is not supported/);
  }
});

test('every flipped bit of a segment header is found', () => {
  const good = Buffer.from(encodeSegmentHeader(header));
  for (let bit = 0; bit < good.length * 8; bit += 1) {
    const bytes = Buffer.from(good);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    assert.notEqual(decodeSegmentHeader(bytes).status, 'header', `bit ${bit}`);
  }
});

function frame(payloadBytes: number): Buffer {
  const head = encodeFrameHead({ kind: 'record', payloadBytes, records: 1, frameNumber: 5, syncedOffset: 44 });
  const sealed = Buffer.alloc(payloadBytes + 16, 1);
  finishFrameHead(head, [sealed]);
  return Buffer.concat([head, sealed]);
}

test('a frame head is 20 bytes, little-endian, and says what the frame needs', () => {
  const bytes = frame(3);
  assert.equal(bytes.toString('hex', 0, 16), '534b5446' + '03000000' + '05000000' + '2c000000');
  const decoded = decodeFrame(Buffer.concat([bytes, Buffer.from('more')]));
  assert.ok(decoded.status === 'frame');
  assert.deepEqual(decoded.head, { kind: 'record', payloadBytes: 3, records: 1, frameNumber: 5, syncedOffset: 44 });
  assert.equal(decoded.bytes, 39);
  assert.deepEqual(decodeFrame(bytes.subarray(0, 19)), { status: 'incomplete', needBytes: 20 });
  assert.deepEqual(decodeFrame(bytes.subarray(0, 38)), { status: 'incomplete', needBytes: 39 });
});

function group(payloadBytes: number, records: number): Buffer {
  const head = encodeFrameHead({ kind: 'group', payloadBytes, records, frameNumber: 5, syncedOffset: 44 });
  const sealed = Buffer.alloc(payloadBytes + 16, 1);
  finishFrameHead(head, [sealed]);
  return Buffer.concat([head, sealed]);
}

test('the head of a group says how many records it has, and is as long as that of one', () => {
  const bytes = group(30, 3);
  assert.equal(bytes.toString('hex', 0, 16), '534b5447' + '1e000300' + '05000000' + '2c000000');
  const decoded = decodeFrame(bytes);
  assert.ok(decoded.status === 'frame');
  assert.deepEqual(decoded.head, { kind: 'group', payloadBytes: 30, records: 3, frameNumber: 5, syncedOffset: 44 });
  assert.equal(decoded.bytes, 66);
});

test('every flipped bit of a frame is found without the key', () => {
  for (const good of [frame(3), group(3, 1)]) {
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const bytes = Buffer.from(good);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.notEqual(decodeFrame(bytes).status, 'frame', `bit ${bit}`);
    }
  }
});

test('the group that a byte lies in is found from any byte of it but its first, and from no other', () => {
  const before = Buffer.concat([group(20, 2), frame(5)]);
  const found = group(50, 3);
  const all = Buffer.concat([before, found, group(9, 1), frame(4)]);
  for (let at = 0; at < all.length; at += 1) {
    const start = groupAround(all, at);
    if (at > before.length && at < before.length + found.length) assert.equal(start, before.length, `byte ${at}`);
    else assert.notEqual(start, before.length, `byte ${at}`);
  }
  assert.equal(groupAround(all, before.length), undefined, 'one that begins there is not around it');
});

test('what only looks like a group is not found, in linear time', () => {
  const damaged = group(50, 3);
  damaged.writeUInt8(0, 40);
  assert.equal(groupAround(damaged, 30), undefined);
  const head = group(groupMaxBytes, 8).subarray(0, 20);
  const crafted = Buffer.concat(Array.from({ length: 50_000 }, () => head));
  assert.equal(groupAround(crafted, crafted.length / 2), undefined);
});

test('a length above the limit is damage, not a demand for memory', () => {
  const bytes = frame(3);
  bytes.writeUInt32LE(frameMaxBytes + 1, 4);
  assert.equal(decodeFrame(bytes).status, 'damaged');
  assert.equal(decodeFrame(group(groupMaxBytes + 1, 2)).status, 'damaged');
});
