/** Layout of a journal segment on disk: segment header and frame heads, encoded and decoded, nothing else. */
import { crc32 } from 'node:zlib';

export const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 44;
export const FRAME_HEAD_BYTES = 20;
export const TAG_BYTES = 16;
export const END_MARK_BYTES = FRAME_HEAD_BYTES + TAG_BYTES;
/** Largest payload of one frame. */
export const frameMaxBytes = 17 * 1024 * 1024;

/** Largest `segmentMaxBytes`; offsets stay far below u32, and a segment fits into memory. */
export const segmentMaxBytesLimit = 256 * 1024 * 1024;

const SEGMENT_MAGIC = Buffer.from('SKTJ', 'latin1');
const MARKERS = {
  record: Buffer.from('SKTF', 'latin1'),
  end: Buffer.from('SKTE', 'latin1'),
} as const;

export type SegmentHeader = {
  sequence: number;
  id: Uint8Array;
  createdMs: number;
};
export type HeaderDecoding =
  | { status: 'header'; header: SegmentHeader }
  | { status: 'damaged'; reason: string }
  | { status: 'unsupported'; reason: string };

/** `end` is the end mark of a sealed segment: no payload, its number is the count of records before it. */
export type FrameKind = 'record' | 'end';
export type FrameHead = {
  kind: FrameKind;
  payloadBytes: number;
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
 *  |        | u16 = 1 | u16 = 0  | u64            | 16 random      | u64 ms        | of 0-39 |
 *  +--------+---------+----------+----------------+----------------+---------------+---------+
 * ```
 */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.set(SEGMENT_MAGIC, 0);
  bytes.writeUInt16LE(FORMAT_VERSION, 4);
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
  if (version !== FORMAT_VERSION) {
    return {
      status: 'unsupported',
      reason: `journal format version ${version} is not supported (this program reads version ${FORMAT_VERSION})`,
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
    header: { sequence, id: new Uint8Array(bytes.subarray(16, 32)), createdMs },
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
 * marker: "SKTF" record, "SKTE" end mark. synced offset: everything before it was on disk when this frame was made, so
 * damage there is no crash. The end mark says 0: made again after a crash it must come out the same, byte for byte.
 */
export function encodeFrameHead(head: FrameHead): Buffer {
  const bytes = Buffer.alloc(FRAME_HEAD_BYTES);
  bytes.set(MARKERS[head.kind], 0);
  bytes.writeUInt32LE(head.payloadBytes, 4);
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
  const payloadBytes = bytes.readUInt32LE(4);
  if (payloadBytes > frameMaxBytes || (kind === 'end' && payloadBytes !== 0)) {
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

function kindAt(bytes: Buffer): FrameKind | undefined {
  const marker = bytes.subarray(0, 4);
  if (marker.equals(MARKERS.record)) return 'record';
  return marker.equals(MARKERS.end) ? 'end' : undefined;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
