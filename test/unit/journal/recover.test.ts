import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { FRAME_HEAD_BYTES, finishFrameHead, SEGMENT_HEADER_BYTES } from '../../../extproc/journal/format.ts';
import { scanSegment } from '../../../extproc/journal/recover.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { bytesOf, key, openOn, segmentPath } from './rig.ts';

const PAYLOAD_BYTES = 1000;
const FRAME_BYTES = PAYLOAD_BYTES + 36;
const at = (frame: number) => SEGMENT_HEADER_BYTES + frame * FRAME_BYTES;

/** Four records in an open segment; `syncAfter` counts the records synced before the rest was appended. */
async function segmentBytes(syncAfter: number): Promise<Buffer> {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 100_000 });
  for (let index = 0; index < 4; index += 1) {
    if (index === syncAfter) await journal.sync();
    await journal.append(bytesOf(`${index}`.repeat(PAYLOAD_BYTES)));
  }
  return disk.bytesOf(segmentPath(1));
}

const newest = { sequence: 1, newest: true, key };
const older = { sequence: 1, newest: false, key };

test('an open segment is clean when it is the newest, and corrupt when another follows', async () => {
  const bytes = await segmentBytes(0);
  assert.deepEqual(
    { ...scanSegment(bytes, newest), header: undefined },
    {
      status: 'clean',
      header: undefined,
      records: 4,
      framesEnd: at(4),
      sealed: false,
      damageOffset: undefined,
      reason: undefined,
    },
  );
  const scan = scanSegment(bytes, older);
  assert.deepEqual([scan.status, scan.damageOffset, scan.reason], ['corrupt', at(4), 'the end mark is missing']);
});

test('damage with nothing good after it is torn in the newest segment, corrupt in an older one', async () => {
  const bytes = await segmentBytes(0);
  bytes.fill(0, at(3) + 30);
  const scan = scanSegment(bytes, newest);
  assert.deepEqual([scan.status, scan.records, scan.framesEnd], ['torn', 3, at(3)]);
  assert.equal(scanSegment(bytes, older).status, 'corrupt');
});

test('a changed byte before good records is corrupt', async () => {
  const bytes = await segmentBytes(0);
  bytes.writeUInt8(bytes.readUInt8(at(1) + 100) ^ 1, at(1) + 100);
  const scan = scanSegment(bytes, newest);
  assert.deepEqual([scan.status, scan.records, scan.damageOffset], ['corrupt', 1, at(1)]);
});

test('a sector that never reached the disk is torn while no later record proves that it had been synced', async () => {
  const hole = (bytes: Buffer) => bytes.fill(0, 1536, 2048);
  assert.ok(at(1) < 1536 && 2048 < at(2));
  const unproven = scanSegment(hole(await segmentBytes(1)), newest);
  assert.deepEqual([unproven.status, unproven.records], ['torn', 1]);
  const proven = scanSegment(hole(await segmentBytes(3)), newest);
  assert.deepEqual([proven.status, proven.records, proven.damageOffset], ['corrupt', 1, at(1)]);
});

test('a torn header is torn only in a file that never held a record', async () => {
  const bytes = await segmentBytes(0);
  for (let length = 0; length < SEGMENT_HEADER_BYTES; length += 1) {
    assert.equal(scanSegment(bytes.subarray(0, length), newest).status, 'torn');
    assert.equal(scanSegment(bytes.subarray(0, length), older).status, 'corrupt');
  }
  assert.equal(scanSegment(new Uint8Array(SEGMENT_HEADER_BYTES), newest).status, 'torn');
  bytes.fill(0, 0, SEGMENT_HEADER_BYTES);
  assert.equal(scanSegment(bytes, newest).status, 'corrupt');
});

test('a segment of format version 3 is corrupt by name and never torn, even when it is empty', async () => {
  const bytes = await segmentBytes(0);
  bytes.writeUInt16LE(3, 4);
  for (const length of [SEGMENT_HEADER_BYTES, bytes.length]) {
    const scan = scanSegment(bytes.subarray(0, length), newest);
    assert.equal(scan.status, 'corrupt');
    assert.match(scan.reason ?? '', /version 3 is not supported/);
  }
});

test('a segment under the name of another is corrupt', async () => {
  assert.equal(scanSegment(await segmentBytes(0), { ...newest, sequence: 2 }).status, 'corrupt');
});

test('another journal key is told from a crash, and without a key the checksums still hold', async () => {
  const bytes = await segmentBytes(0);
  const scan = scanSegment(bytes, { ...newest, key: new Uint8Array(32) });
  assert.deepEqual([scan.status, scan.records, scan.damageOffset], ['corrupt', 0, SEGMENT_HEADER_BYTES]);
  assert.match(scan.reason ?? '', /another journal key/);
  assert.equal(scanSegment(bytes, { sequence: 1, newest: true }).records, 4);
});

const forgeries: Record<string, (bytes: Buffer) => Buffer> = {
  swapped: (bytes) =>
    Buffer.concat([
      bytes.subarray(0, at(1)),
      bytes.subarray(at(2), at(3)),
      bytes.subarray(at(1), at(2)),
      bytes.subarray(at(3)),
    ]),
  'copied over another': (bytes) =>
    Buffer.concat([bytes.subarray(0, at(2)), bytes.subarray(at(1), at(2)), bytes.subarray(at(3))]),
  'copied to the end': (bytes) => Buffer.concat([bytes, bytes.subarray(at(1), at(2))]),
  'taken out': (bytes) => Buffer.concat([bytes.subarray(0, at(1)), bytes.subarray(at(2))]),
  'renumbered with a right checksum': (bytes) => {
    const taken = Buffer.from(bytes.subarray(at(2)));
    for (let frame = 0; frame < 2; frame += 1) {
      const head = taken.subarray(frame * FRAME_BYTES, frame * FRAME_BYTES + FRAME_HEAD_BYTES);
      head.writeUInt32LE(frame + 1, 8);
      finishFrameHead(head, [taken.subarray(frame * FRAME_BYTES + FRAME_HEAD_BYTES, (frame + 1) * FRAME_BYTES)]);
    }
    return Buffer.concat([bytes.subarray(0, at(1)), taken]);
  },
};

for (const [name, forge] of Object.entries(forgeries)) {
  test(`a frame ${name} is refused`, async () => {
    const scan = scanSegment(forge(await segmentBytes(0)), newest);
    assert.equal(scan.status, 'corrupt');
  });
}

/** Groups of 2, 3 and 4 records, then one alone. */
async function groupedBytes(): Promise<{ bytes: Buffer; starts: number[] }> {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 100_000 });
  const starts: number[] = [];
  for (const count of [2, 3, 4, 1]) {
    starts.push(journal.written().offset);
    await journal.appendAll(Array.from({ length: count }, (_, index) => bytesOf(`${index}`.repeat(100))));
  }
  return { bytes: disk.bytesOf(segmentPath(1)), starts };
}

test('the records of groups are counted, with the key and without; a torn group is cut off whole', async () => {
  const { bytes, starts } = await groupedBytes();
  assert.equal(scanSegment(bytes, newest).records, 10);
  assert.equal(scanSegment(bytes, { sequence: 1, newest: true }).records, 10);
  const [, , third = 0, last = 0] = starts;
  for (let length = third + 1; length < last; length += 1) {
    const scan = scanSegment(bytes.subarray(0, length), newest);
    assert.deepEqual([scan.status, scan.records, scan.framesEnd], ['torn', 5, third], `${length}`);
  }
});

test('groups that changed places, are left out, or say another count with a right checksum are refused', async () => {
  const { bytes, starts } = await groupedBytes();
  const [first = 0, second = 0, third = 0, last = 0] = starts;
  const [one, two, three] = [bytes.subarray(first, second), bytes.subarray(second, third), bytes.subarray(third, last)];
  const header = bytes.subarray(0, first);
  const rest = bytes.subarray(last);
  const recounted = Buffer.from(one);
  recounted.writeUInt16LE(3, 6);
  finishFrameHead(recounted.subarray(0, FRAME_HEAD_BYTES), [recounted.subarray(FRAME_HEAD_BYTES)]);
  const asRecord = Buffer.from(one);
  asRecord.write('SKTF', 'latin1');
  asRecord.writeUInt32LE(one.length - 36, 4);
  finishFrameHead(asRecord.subarray(0, FRAME_HEAD_BYTES), [asRecord.subarray(FRAME_HEAD_BYTES)]);
  for (const frames of [[two, one, three], [one, three], [one, one, two, three], [recounted, two, three], [asRecord]]) {
    assert.equal(scanSegment(Buffer.concat([header, ...frames, rest]), newest).status, 'corrupt');
  }
});

test('a segment that says it is of version 1, with a right checksum, is not authentic', async () => {
  const { bytes } = await groupedBytes();
  bytes.writeUInt16LE(1, 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 40)), 40);
  const scan = scanSegment(bytes, newest);
  assert.deepEqual([scan.status, scan.records], ['corrupt', 0]);
  assert.match(scan.reason ?? '', /not authentic/);
});

test('a frame of another segment with the same key is refused', async () => {
  const [one, other] = [await segmentBytes(0), await segmentBytes(0)];
  const mixed = Buffer.concat([one.subarray(0, at(1)), other.subarray(at(1))]);
  const scan = scanSegment(mixed, newest);
  assert.deepEqual([scan.status, scan.damageOffset], ['corrupt', at(1)]);
});

test('a crafted file full of frame beginnings is judged in linear time', async () => {
  const bytes = await segmentBytes(0);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.write('SKTF', 'latin1');
  head.writeUInt32LE(1_000_000, 4);
  const crafted = Buffer.concat([bytes, Buffer.alloc(16), ...Array.from({ length: 200_000 }, () => head)]);
  assert.equal(scanSegment(crafted, newest).status, 'corrupt');
});

test('a segment whose end mark was written and not synced when the process died is durable before the next one is begun', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 512 });
  await journal.append(bytesOf('x'.repeat(400)));
  const stall = disk.stallSync();
  journal.append(bytesOf('y'.repeat(400))).catch(() => {});
  await stall.started;
  disk.kill();
  stall.release();
  await openOn(disk, { segmentMaxBytes: 512 });
  assert.deepEqual(disk.paths(), [segmentPath(1), segmentPath(2)]);
  disk.crash();
  const { recovery } = await openOn(disk, { segmentMaxBytes: 512 });
  assert.deepEqual(recovery.damage, []);
});
