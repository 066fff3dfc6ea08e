/** Layout of an archive segment on disk: header and frames, encoded and decoded, nothing else. README.md draws it. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { chainPattern, isOfMetadata } from './chain-name.ts';

/** Of exchanges, and of what is left of them: a program that knows none of the latter says so. */
const EXCHANGES_VERSION = 1;
const METADATA_VERSION = 2;
export const FRAME_HEAD_BYTES = 84;
export const TAG_BYTES = 16;
export const HASH_BYTES = 32;
/** Content of one frame; a manifest of the largest body stays far below it. */
export const frameContentMaxBytes = 32 * 1024 * 1024;
const headerJsonMaxBytes = 64 * 1024;
const HEADER_FIXED_BYTES = 12;

const SEGMENT_MAGIC = Buffer.from('SKTA', 'latin1');
const MARKERS = {
  key: Buffer.from('SKAK', 'latin1'),
  block: Buffer.from('SKAB', 'latin1'),
  exchange: Buffer.from('SKAX', 'latin1'),
  end: Buffer.from('SKAE', 'latin1'),
} as const;

/**
 * - `key`: the key of one person in this segment, sealed to that person; its frame number is the person's slot.
 * - `block`: bytes that exchanges refer to.
 * - `exchange`: the manifest of one exchange, with the bytes of it that no block has.
 * - `end`: closes the segment; after it nothing follows.
 */
export type FrameKind = keyof typeof MARKERS;

/** The end of an exchange in the journal: which one, and where. Positions of one journal only grow. */
export type JournalPlace = { journal: number; segment: number; offset: number };

export type FrameHead = {
  kind: FrameKind;
  contentBytes: number;
  frameNumber: number;
  /** The frame number of the key frame whose key seals the content; its own number for a key frame; 0 for an end. */
  slot: number;
  /** The chain up to this frame, which is not in it yet. */
  chain: Uint8Array;
  /** Empty but for an exchange. */
  exchangeId: string;
  place: JournalPlace;
  /** So many frames of the segment were on disk when this one was made: damage before them is no crash. */
  syncedFrames: number;
};

export const noPlace: JournalPlace = { journal: 0, segment: 0, offset: 0 };

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const count = z.int().nonnegative();

/** What the writer had archived of a journal when the segment was begun; `exchangeId` stands at that place. */
const journalMark = z.strictObject({ journal: count, segment: count, offset: count, exchangeId: z.string().max(36) });
export type JournalMark = z.output<typeof journalMark>;

const segmentHeader = z.strictObject({
  writer: hex(8),
  /** The name of its chain. */
  retentionClass: z.string().regex(chainPattern),
  /** UTC. */
  day: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  /** Counts the segments of one writer and class, from 1, over all days. */
  sequence: z.int().positive(),
  id: hex(16),
  createdMs: count,
  /** The chain at the end of the segment before; null for the first one. */
  previous: hex(HASH_BYTES).nullable(),
  journals: z.array(journalMark).max(1024),
  /** The segment of its class from which on there may be exchanges that `journals` do not cover; its own when none. */
  uncoveredFrom: z.int().positive().optional(),
});
export type SegmentHeader = z.output<typeof segmentHeader>;

export type HeaderDecoding =
  | { status: 'header'; header: SegmentHeader; bytes: number; hash: Buffer }
  | { status: 'incomplete' }
  | { status: 'damaged'; reason: string };

/** "SKTA" | version u16 | 0 u16 | length u32 | JSON | crc32 u32 of all before it. Little-endian. */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.alloc(HEADER_FIXED_BYTES + json.length + 4);
  bytes.set(SEGMENT_MAGIC, 0);
  bytes.writeUInt16LE(versionOf(header), 4);
  bytes.writeUInt32LE(json.length, 8);
  bytes.set(json, HEADER_FIXED_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** As many bytes as a header may have at most; what is read at the begin of a file. */
export const headerMaxBytes = HEADER_FIXED_BYTES + headerJsonMaxBytes + 4;

export function decodeSegmentHeader(input: Uint8Array): HeaderDecoding {
  const bytes = asBuffer(input);
  const known = Math.min(bytes.length, SEGMENT_MAGIC.length);
  if (!bytes.subarray(0, known).equals(SEGMENT_MAGIC.subarray(0, known)))
    return damagedHeader('it is no archive segment');
  if (bytes.length < HEADER_FIXED_BYTES) return { status: 'incomplete' };
  const version = bytes.readUInt16LE(4);
  if (version !== EXCHANGES_VERSION && version !== METADATA_VERSION)
    return damagedHeader(`its version is ${version}, which this program cannot read`);
  const jsonBytes = bytes.readUInt32LE(8);
  if (jsonBytes > headerJsonMaxBytes) return damagedHeader('the length of its header is out of range');
  const end = HEADER_FIXED_BYTES + jsonBytes + 4;
  if (bytes.length < end) return { status: 'incomplete' };
  if (crc32(bytes.subarray(0, end - 4)) !== bytes.readUInt32LE(end - 4))
    return damagedHeader('the checksum of its header is wrong');
  const parsed = segmentHeader.safeParse(jsonOf(bytes.toString('utf8', HEADER_FIXED_BYTES, end - 4)));
  if (!parsed.success || versionOf(parsed.data) !== version)
    return damagedHeader('its header says what no header may say');
  return { status: 'header', header: parsed.data, bytes: end, hash: headerHash(bytes.subarray(0, end)) };
}

function versionOf({ retentionClass }: Pick<SegmentHeader, 'retentionClass'>): number {
  return isOfMetadata(retentionClass) ? METADATA_VERSION : EXCHANGES_VERSION;
}

/** The chain before the first frame. */
export function headerHash(headerBytes: Uint8Array): Buffer {
  return createHash('sha256').update('skilltape archive segment v1\0').update(headerBytes).digest();
}

/** The checksum stays 0 until `finishFrameHead`. What stands before it is authenticated with the content. */
export function encodeFrameHead(head: FrameHead): Buffer {
  const bytes = Buffer.alloc(FRAME_HEAD_BYTES);
  bytes.set(MARKERS[head.kind], 0);
  bytes.writeUInt32LE(head.contentBytes, 4);
  bytes.writeUInt32LE(head.frameNumber, 8);
  bytes.writeUInt32LE(head.slot, 12);
  bytes.set(head.chain, 16);
  if (head.exchangeId !== '') bytes.write(head.exchangeId.replaceAll('-', ''), 48, 'hex');
  bytes.writeUInt32LE(head.place.journal, 64);
  bytes.writeUInt32LE(head.place.segment, 68);
  bytes.writeUInt32LE(head.place.offset, 72);
  bytes.writeUInt32LE(head.syncedFrames, 76);
  return bytes;
}

export const authenticatedHeadBytes = FRAME_HEAD_BYTES - 4;

/** The crc32 of head and content: damage is found without a key. */
export function finishFrameHead(head: Buffer, content: readonly Uint8Array[]): void {
  let checksum = crc32(head.subarray(0, authenticatedHeadBytes));
  for (const part of content) checksum = crc32(part, checksum);
  head.writeUInt32LE(checksum, authenticatedHeadBytes);
}

export type Frame = { head: FrameHead; headBytes: Buffer; content: Buffer; bytes: number };
/** `incomplete`: the input ends before the frame does; `needBytes` counts from the frame's first byte. */
export type FrameDecoding =
  | ({ status: 'frame' } & Frame)
  | { status: 'incomplete'; needBytes: number }
  | { status: 'damaged'; reason: string };

export function decodeFrame(input: Uint8Array): FrameDecoding {
  const bytes = asBuffer(input);
  const head = decodeFrameHead(bytes);
  if (head === undefined) {
    return bytes.length < FRAME_HEAD_BYTES
      ? { status: 'incomplete', needBytes: FRAME_HEAD_BYTES }
      : { status: 'damaged', reason: 'no frame begins here' };
  }
  const end = FRAME_HEAD_BYTES + head.contentBytes;
  if (head.contentBytes > frameContentMaxBytes)
    return { status: 'damaged', reason: 'the length of the frame is out of range' };
  if (bytes.length < end) return { status: 'incomplete', needBytes: end };
  const headBytes = bytes.subarray(0, FRAME_HEAD_BYTES);
  const content = bytes.subarray(FRAME_HEAD_BYTES, end);
  if (crc32(content, crc32(bytes.subarray(0, authenticatedHeadBytes))) !== bytes.readUInt32LE(authenticatedHeadBytes)) {
    return { status: 'damaged', reason: 'the checksum of the frame is wrong' };
  }
  return { status: 'frame', head, headBytes, content, bytes: end };
}

/** Undefined when no whole head begins here; its checksum is not looked at. */
export function decodeFrameHead(input: Uint8Array): FrameHead | undefined {
  const bytes = asBuffer(input);
  if (bytes.length < FRAME_HEAD_BYTES) return undefined;
  const kind = kindAt(bytes);
  if (kind === undefined) return undefined;
  return {
    kind,
    contentBytes: bytes.readUInt32LE(4),
    frameNumber: bytes.readUInt32LE(8),
    slot: bytes.readUInt32LE(12),
    chain: bytes.subarray(16, 48),
    exchangeId: kind === 'exchange' ? uuidText(bytes.subarray(48, 64)) : '',
    place: { journal: bytes.readUInt32LE(64), segment: bytes.readUInt32LE(68), offset: bytes.readUInt32LE(72) },
    syncedFrames: bytes.readUInt32LE(76),
  };
}

/** Where the next marker stands at or after `from`; undefined where there is none. */
export function nextMarker(input: Uint8Array, from: number): number | undefined {
  const bytes = asBuffer(input);
  for (let at = bytes.indexOf('SKA', from, 'latin1'); at >= 0; at = bytes.indexOf('SKA', at + 1, 'latin1')) {
    if (kindAt(bytes.subarray(at)) !== undefined) return at;
  }
  return undefined;
}

const kinds = Object.keys(MARKERS) as FrameKind[];

function kindAt(bytes: Buffer): FrameKind | undefined {
  return kinds.find((kind) => bytes.subarray(0, 4).equals(MARKERS[kind]));
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Undefined for what is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function damagedHeader(reason: string): HeaderDecoding {
  return { status: 'damaged', reason };
}

function uuidText(bytes: Buffer): string {
  const text = bytes.toString('hex');
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}
