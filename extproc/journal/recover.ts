/** Judges the bytes of one segment: where its good frames end, and whether what follows is a crash or damage. */
import { segmentCipher } from './cipher.ts';
import {
  claimedBytes,
  decodeFrame,
  decodeSegmentHeader,
  nextMarker,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './format.ts';

/**
 * `clean`: every byte belongs to a good frame. `torn`: the tail is what a crash leaves; it may be cut off.
 * `corrupt`: damage no crash explains; nothing may be cut off or skipped.
 * `header` is undefined when unreadable; `framesEnd` is the end of the last good record, an end mark not counted.
 */
export type Scan = {
  status: 'clean' | 'torn' | 'corrupt';
  header: SegmentHeader | undefined;
  records: number;
  framesEnd: number;
  sealed: boolean;
  /** First byte that is not good; undefined when clean. */
  damageOffset: number | undefined;
  reason: string | undefined;
};

/** `newest`: no later segment exists, so the process may have died writing this one. Without `key`, checksums only. */
export type ScanOptions = {
  sequence: number;
  newest: boolean;
  key?: Uint8Array | undefined;
};

const SECTOR_BYTES = 512;

export function scanSegment(bytes: Uint8Array, options: ScanOptions): Scan {
  const scan: Scan = {
    status: 'clean',
    header: undefined,
    records: 0,
    framesEnd: 0,
    sealed: false,
    damageOffset: undefined,
    reason: undefined,
  };
  const decoded = decodeSegmentHeader(bytes);
  if (decoded.status !== 'header') {
    // The header is synced before the first frame is written, so only a file without frames can have a torn one.
    const torn = options.newest && decoded.status === 'damaged' && bytes.length <= SEGMENT_HEADER_BYTES;
    return damaged(scan, torn ? 'torn' : 'corrupt', 0, decoded.reason);
  }
  scan.framesEnd = SEGMENT_HEADER_BYTES;
  if (decoded.header.sequence !== options.sequence) {
    return damaged(scan, 'corrupt', 0, `the file holds segment ${decoded.header.sequence}, not its own`);
  }
  scan.header = decoded.header;
  return scanFrames(bytes, scan, decoded.header, options);
}

function scanFrames(bytes: Uint8Array, scan: Scan, header: SegmentHeader, options: ScanOptions): Scan {
  const cipher = options.key === undefined ? undefined : segmentCipher(options.key, header);
  let at = SEGMENT_HEADER_BYTES;
  while (at < bytes.length) {
    const frame = decodeFrame(bytes.subarray(at));
    if (frame.status !== 'frame') {
      const reason = frame.status === 'damaged' ? frame.reason : 'the frame is cut short';
      const status = options.newest ? judgeDamage(bytes, at) : 'corrupt';
      return damaged(scan, status, at, reason);
    }
    // From here on the checksum is right, which no crash leaves behind by chance.
    if (frame.head.frameNumber !== scan.records || frame.head.syncedOffset > at) {
      return damaged(scan, 'corrupt', at, 'the frame does not belong here');
    }
    if (cipher !== undefined && cipher.open(frame.head, frame.headBytes, at, frame.sealed) === undefined) {
      return damaged(scan, 'corrupt', at, NOT_AUTHENTIC);
    }
    at += frame.bytes;
    if (frame.head.kind === 'end') {
      scan.sealed = true;
      return at === bytes.length ? scan : damaged(scan, 'corrupt', at, 'bytes follow the end mark');
    }
    scan.records += frame.head.records;
    scan.framesEnd = at;
  }
  return options.newest ? scan : damaged(scan, 'corrupt', at, 'the end mark is missing');
}

export const NOT_AUTHENTIC = 'the frame is not authentic: forged, moved, or sealed with another journal key';

/**
 * Damage at `at` of the newest segment is torn when nothing good follows it; or when good frames follow, none of them
 * proves that the damaged bytes had been synced, and a whole sector there never reached the disk (it reads as zeros).
 */
function judgeDamage(bytes: Uint8Array, at: number): 'torn' | 'corrupt' {
  const after = framesAfter(bytes, at);
  if (after.first === undefined) return 'torn';
  if (after.syncedOffset > at) return 'corrupt';
  return hasZeroSector(bytes, at, after.first) ? 'torn' : 'corrupt';
}

/**
 * Good frames beyond damage at `at`: where the first stands and the highest synced offset they name. Checksums are
 * taken over at most four times the input, so that a crafted file costs linear time; past that, damage is proven.
 * `base` is the offset in the file of the first of `bytes`.
 */
export function framesAfter(
  bytes: Uint8Array,
  at: number,
  base = 0,
): { first: number | undefined; syncedOffset: number } {
  let budgetBytes = 4 * bytes.length;
  let first: number | undefined;
  let syncedOffset = 0;
  let next = nextMarker(bytes, at + 1);
  while (next !== undefined) {
    const frame = decodeFrame(bytes.subarray(next));
    if (frame.status === 'frame') {
      first ??= next;
      // A claim about its own bytes cannot be true; such a frame was not made by the writer at this place.
      if (frame.head.syncedOffset <= base + next) syncedOffset = Math.max(syncedOffset, frame.head.syncedOffset);
      next = nextMarker(bytes, next + frame.bytes);
      continue;
    }
    if (frame.status === 'damaged') budgetBytes -= Math.min(claimedBytes(bytes.subarray(next)), bytes.length - next);
    if (budgetBytes < 0) return { first: first ?? next, syncedOffset: Number.POSITIVE_INFINITY };
    next = nextMarker(bytes, next + 1);
  }
  return { first, syncedOffset };
}

function hasZeroSector(bytes: Uint8Array, from: number, to: number): boolean {
  let start = from;
  while (start < to) {
    const end = start - (start % SECTOR_BYTES) + SECTOR_BYTES;
    if (end > to) return false;
    if (bytes.subarray(start, end).every((byte) => byte === 0)) return true;
    start = end;
  }
  return false;
}

function damaged(scan: Scan, status: 'torn' | 'corrupt', offset: number, reason: string): Scan {
  return { ...scan, status, damageOffset: offset, reason };
}
