/** Layout of a journal segment on disk: segment header and frame heads, encoded and decoded, nothing else. */
import { crc32 } from 'node:zlib';

/** Written; version 1, which has no groups, is read too. */
export const FORMAT_VERSION = 2;
const READ_VERSIONS: readonly number[] = [1, FORMAT_VERSION];
export const SEGMENT_HEADER_BYTES = 44;
export const FRAME_HEAD_BYTES = 20;
export const TAG_BYTES = 16;
export const END_MARK_BYTES = FRAME_HEAD_BYTES + TAG_BYTES;
/** Largest payload of one frame. */
export const frameMaxBytes = 17 * 1024 * 1024;
/** Largest payload of a group; one record is looked for in so many bytes, and a power failure takes so many at once. */
export const groupMaxBytes = 32 * 1024;

/** Largest `segmentMaxBytes`; offsets stay far below u32, and a segment fits into memory. */
export const segmentMaxBytesLimit = 256 * 1024 * 1024;

const SEGMENT_MAGIC = Buffer.from('SKTJ', 'latin1');
const MARKERS = {
  record: Buffer.from('SKTF', 'latin1'),
  group: Buffer.from('SKTG', 'latin1'),
  end: Buffer.from('SKTE', 'latin1'),
} as const;

export type SegmentHeader = {
  version: number;
  sequence: number;
  id: Uint8Array;
  createdMs: number;
};
export type HeaderDecoding =
  | { status: 'header'; header: SegmentHeader }
  | { status: 'damaged'; reason: string }
  | { status: 'unsupported'; reason: string };

/**
 * `group` has several records in its payload (group.ts). `end` is the end mark of a sealed segment: no payload. The
 * number of a frame is the count of records before it, so no two of a kind have the same one.
 */
export type FrameKind = 'record' | 'group' | 'end';
export type FrameHead = {
  kind: FrameKind;
  payloadBytes: number;
  /** In this frame. */
  records: number;
  frameNumber: number;
  syncedOffset: number;
};

/** `incomplete`: the bytes given end before the frame does; `needBytes` counts from the frame's first byte. */
export type FrameDecoding =
  | {
      status: 'frame';
      head: FrameHead;
      headBytes: Uint8Array;
      sealed: Uint8Array;
      bytes: number;
    }
  | { status: 'incomplete'; needBytes: number }
  | { status: 'damaged'; reason: string };

/**
 * Segment header, little-endian:
 * ```
 *  0        4         6          8               16               32              40        44
 *  +--------+---------+----------+----------------+----------------+---------------+---------+
 *  | "SKTJ" | version | reserved | sequence       | segment id     | created       | crc32   |
 *  |        | u16 = 2 | u16 = 0  | u64            | 16 random      | u64 ms        | of 0-39 |
 *  +--------+---------+----------+----------------+----------------+---------------+---------+
 * ```
 */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.set(SEGMENT_MAGIC, 0);
  bytes.writeUInt16LE(header.version, 4);
  bytes.writeBigUInt64LE(BigInt(header.sequence), 8);
  bytes.set(header.id.subarray(0, 16), 16);
  bytes.writeBigUInt64LE(BigInt(header.createdMs), 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 40)), 40);
  return bytes;
}

/** The version is judged before the checksum: a later format may lay out the rest otherwise. */
export function decodeSegmentHeader(input: Uint8Array): HeaderDecoding {
  const bytes = asBuffer(input);
  if (bytes.length < SEGMENT_HEADER_BYTES) return { status: 'damaged', reason: 'the segment header is cut short' };
  if (!bytes.subarray(0, 4).equals(SEGMENT_MAGIC)) return { status: 'damaged', reason: 'not a journal segment' };
  const version = bytes.readUInt16LE(4);
  if (!READ_VERSIONS.includes(version)) {
    return {
      status: 'unsupported',
      reason: `journal format version ${version} is not supported (this program reads ${READ_VERSIONS.join(' and ')})`,
    };
  }
  if (crc32(bytes.subarray(0, 40)) !== bytes.readUInt32LE(40) || bytes.readUInt16LE(6) !== 0) {
    return {
      status: 'damaged',
      reason: 'the checksum of the segment header is wrong',
    };
  }
  const sequence = Number(bytes.readBigUInt64LE(8));
  const createdMs = Number(bytes.readBigUInt64LE(32));
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(createdMs)) {
    return {
      status: 'damaged',
      reason: 'a number in the segment header is out of range',
    };
  }
  return {
    status: 'header',
    header: { version, sequence, id: new Uint8Array(bytes.subarray(16, 32)), createdMs },
  };
}

/**
 * Frame, little-endian; the head is followed by ciphertext of the payload's length and the GCM tag:
 * ```
 *  0        4          8          12         16                  20
 *  +--------+----------+----------+----------+-------------------+------------+---------+
 *  | marker | payload  | frame    | synced   | crc32             | ciphertext | tag     |
 *  | 4 byte | u32 byte | number   | offset   | of 0-15, cipher-  |            | 16 byte |
 *  |        |          | u32      | u32      | text and tag      |            |         |
 *  +--------+----------+----------+----------+-------------------+------------+---------+
 * ```
 * marker: "SKTF" record, "SKTG" group, "SKTE" end mark. A group has its payload's length and the count of its records as
 * u16 each where the others have the length as u32. synced offset: everything before it was on disk when this frame was
 * made, so damage there is no crash. The end mark says 0: made again after a crash it must come out the same, byte for byte.
 */
export function encodeFrameHead(head: FrameHead): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  bytes.set(MARKERS[head.kind], 0);
  bytes.writeUInt32LE(head.payloadBytes, 4);
  if (head.kind === 'group') bytes.writeUInt16LE(head.records, 6);
  bytes.writeUInt32LE(head.frameNumber, 8);
  bytes.writeUInt32LE(head.syncedOffset, 12);
  return bytes;
}

/** Fills in the checksum, which covers the ciphertext: damage is found without the key. */
export function finishFrameHead(head: Buffer, sealed: readonly Uint8Array[]): void {
  let checksum = crc32(head.subarray(0, 16));
  for (const part of sealed) checksum = crc32(part, checksum);
  head.writeUInt32LE(checksum, 16);
}

export function decodeFrame(input: Uint8Array): FrameDecoding {
  const bytes = asBuffer(input);
  if (bytes.length < FRAME_HEAD_BYTES) return { status: 'incomplete', needBytes: FRAME_HEAD_BYTES };
  const kind = kindAt(bytes);
  if (kind === undefined) return { status: 'damaged', reason: 'no frame begins here' };
  const payloadBytes = payloadBytesOf(kind, bytes);
  if (payloadBytes > payloadMaxBytes[kind]) {
    return {
      status: 'damaged',
      reason: 'the length of the frame is out of range',
    };
  }
  const end = frameBytes(payloadBytes);
  if (bytes.length < end) return { status: 'incomplete', needBytes: end };
  const sealed = bytes.subarray(FRAME_HEAD_BYTES, end);
  if (crc32(sealed, crc32(bytes.subarray(0, 16))) !== bytes.readUInt32LE(16)) {
    return { status: 'damaged', reason: 'the checksum of the frame is wrong' };
  }
  const head = {
    kind,
    payloadBytes,
    records: kind === 'group' ? bytes.readUInt16LE(6) : kind === 'record' ? 1 : 0,
    frameNumber: bytes.readUInt32LE(8),
    syncedOffset: bytes.readUInt32LE(12),
  };
  return {
    status: 'frame',
    head,
    headBytes: bytes.subarray(0, FRAME_HEAD_BYTES),
    sealed,
    bytes: end,
  };
}

const payloadMaxBytes = { record: frameMaxBytes, group: groupMaxBytes, end: 0 } as const;

function payloadBytesOf(kind: FrameKind, head: Buffer): number {
  return kind === 'group' ? head.readUInt16LE(4) : head.readUInt32LE(4);
}

/** Size on disk of a frame with a payload of this size. */
export function frameBytes(payloadBytes: number): number {
  return FRAME_HEAD_BYTES + payloadBytes + TAG_BYTES;
}

/** Offset of the next place at or after `from` where a frame may begin, or undefined. */
export function nextMarker(input: Uint8Array, from: number): number | undefined {
  const bytes = asBuffer(input);
  for (let at = bytes.indexOf('SKT', from, 'latin1'); at >= 0; at = bytes.indexOf('SKT', at + 1, 'latin1')) {
    if (kindAt(bytes.subarray(at)) !== undefined) return at;
  }
  return undefined;
}

/** Bytes of the frame that is said to begin here, whether it is one or not; only where there is a marker. */
export function claimedBytes(input: Uint8Array): number {
  const bytes = asBuffer(input);
  const kind = kindAt(bytes);
  return kind === undefined || bytes.length < FRAME_HEAD_BYTES ? 0 : frameBytes(payloadBytesOf(kind, bytes));
}

/**
 * Where the group begins in which the byte at `at` lies, or undefined. Checksums are taken over at most four times the
 * input, so that a crafted file costs linear time.
 */
export function groupAround(input: Uint8Array, at: number): number | undefined {
  const bytes = asBuffer(input);
  let budgetBytes = 4 * bytes.length;
  for (let end = at; end > 0 && budgetBytes > 0; ) {
    const start = bytes.lastIndexOf(MARKERS.group, end - 1);
    if (start < 0) return undefined;
    end = start;
    const claimed = claimedBytes(bytes.subarray(start));
    if (start + claimed <= at) continue;
    if (decodeFrame(bytes.subarray(start)).status === 'frame') return start;
    budgetBytes -= claimed;
  }
  return undefined;
}

function kindAt(bytes: Buffer): FrameKind | undefined {
  const marker = bytes.subarray(0, 4);
  if (marker.equals(MARKERS.record)) return 'record';
  if (marker.equals(MARKERS.group)) return 'group';
  return marker.equals(MARKERS.end) ? 'end' : undefined;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
