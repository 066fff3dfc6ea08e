import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeFrame,
  decodeSegmentHeader,
  encodeFrameHead,
  encodeSegmentHeader,
  finishFrameHead,
  frameMaxBytes,
} from '../../../extproc/journal/format.ts';

const header = { sequence: 3, id: new Uint8Array(16).fill(9), createdMs: 1_700_000_000_000 };
const hex = '534b544a01000000030000000000000009090909090909090909090909090909' + '0068e5cf8b010000';

test('a segment header is 44 bytes, little-endian, in this order', () => {
  const bytes = Buffer.from(encodeSegmentHeader(header));
  assert.equal(bytes.length, 44);
  assert.equal(bytes.toString('hex', 0, 40), hex);
  assert.deepEqual(decodeSegmentHeader(bytes), { status: 'header', header });
});

test('version 2 is refused by name, whatever the rest says', () => {
  for (const sound of [true, false]) {
    const bytes = Buffer.from(encodeSegmentHeader(header));
    bytes.writeUInt16LE(2, 4);
    if (!sound) bytes.fill(0xff, 6);
    const decoded = decodeSegmentHeader(bytes);
    assert.equal(decoded.status, 'unsupported');
    assert.match(decoded.status === 'unsupported' ? decoded.reason : '', /version 2 is not supported/);
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
  const head = encodeFrameHead({ kind: 'record', payloadBytes, frameNumber: 5, syncedOffset: 44 });
  const sealed = Buffer.alloc(payloadBytes + 16, 1);
  finishFrameHead(head, [sealed]);
  return Buffer.concat([head, sealed]);
}

test('a frame head is 20 bytes, little-endian, and says what the frame needs', () => {
  const bytes = frame(3);
  assert.equal(bytes.toString('hex', 0, 16), '534b5446' + '03000000' + '05000000' + '2c000000');
  const decoded = decodeFrame(Buffer.concat([bytes, Buffer.from('more')]));
  assert.ok(decoded.status === 'frame');
  assert.deepEqual(decoded.head, { kind: 'record', payloadBytes: 3, frameNumber: 5, syncedOffset: 44 });
  assert.equal(decoded.bytes, 39);
  assert.deepEqual(decodeFrame(bytes.subarray(0, 19)), { status: 'incomplete', needBytes: 20 });
  assert.deepEqual(decodeFrame(bytes.subarray(0, 38)), { status: 'incomplete', needBytes: 39 });
});

test('every flipped bit of a frame is found without the key', () => {
  const good = frame(3);
  for (let bit = 0; bit < good.length * 8; bit += 1) {
    const bytes = Buffer.from(good);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    assert.notEqual(decodeFrame(bytes).status, 'frame', `bit ${bit}`);
  }
});

test('a length above the limit is damage, not a demand for memory', () => {
  const bytes = frame(3);
  bytes.writeUInt32LE(frameMaxBytes + 1, 4);
  assert.equal(decodeFrame(bytes).status, 'damaged');
});
