/** Brings a journal directory into order before a writer begins: judges what is there, ends what a crash left open. */
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { segmentCipher } from './cipher.ts';
import {
  decodeFrame,
  decodeSegmentHeader,
  END_MARK_BYTES,
  SEGMENT_HEADER_BYTES,
  segmentMaxBytesLimit,
} from './format.ts';
import type { FileSystem } from './fs.ts';
import { segmentFileName, segmentSequences } from './position.ts';
import { NOT_AUTHENTIC, scanSegment } from './recover.ts';
import { sealAfterCrash, syncSealed } from './segment.ts';

/** Something in this file, from this offset on, cannot be what a working journal or a crash leaves. */
export type Damage = { file: string; offset: number; reason: string };

/**
 * `torn`: a crash left a tail, `truncatedBytes` of it were cut off (never a synced record). `corrupt`: see `damage`; the
 * files named there are left as they are, and a reader stops at them with an error.
 */
export type RecoveryReport = {
  status: 'clean' | 'torn' | 'corrupt';
  segments: number;
  bytes: number;
  /** Records in the newest segment that the crash left; older segments are not counted at start. */
  newestRecords: number;
  truncatedBytes: number;
  damage: readonly Damage[];
};

/** `createdMs`: nothing in it was written earlier; of a damaged one it may be 0. */
export type SealedSegment = { sequence: number; bytes: number; createdMs: number };
export type DirectoryState = {
  sealed: SealedSegment[];
  nextSequence: number;
  recovery: RecoveryReport;
};

type Place = { directory: string; fileSystem: FileSystem; key: Uint8Array };

/** The newest segment is read whole; of older ones, sealed before the next was made, only header and end mark. */
export async function recoverDirectory(place: Place): Promise<DirectoryState> {
  const sequences = segmentSequences(await place.fileSystem.list(place.directory));
  const newest = sequences.pop();
  const damage: Damage[] = [];
  const sealed: SealedSegment[] = [];
  let expected = sequences[0] ?? newest;
  for (const sequence of sequences) {
    if (sequence !== expected) damage.push(missing(place.directory, expected ?? sequence, sequence));
    expected = sequence + 1;
    const checked = await checkEnds(place, sequence);
    sealed.push({ sequence, bytes: checked.bytes, createdMs: checked.createdMs });
    if (checked.damage !== undefined) damage.push(checked.damage);
  }
  if (newest === undefined) return { sealed, nextSequence: 1, recovery: report(sealed, damage, 0, 0) };
  if (newest !== expected) damage.push(missing(place.directory, expected ?? newest, newest));
  const end = await recoverNewest(place, newest);
  if (end.damage !== undefined) damage.push(end.damage);
  if (end.bytes > 0) sealed.push({ sequence: newest, bytes: end.bytes, createdMs: end.createdMs });
  // No frame was ever written to a file with a torn header, so its number may be given again.
  const nextSequence = end.bytes > 0 ? newest + 1 : newest;
  return {
    sealed,
    nextSequence,
    recovery: report(sealed, damage, end.records, end.truncatedBytes),
  };
}

type NewestEnd = {
  bytes: number;
  createdMs: number;
  records: number;
  truncatedBytes: number;
  damage?: Damage;
};

async function recoverNewest(place: Place, sequence: number): Promise<NewestEnd> {
  const path = join(place.directory, segmentFileName(sequence));
  const bytes = await readWhole(place.fileSystem, path);
  const scan = scanSegment(bytes, { sequence, newest: true, key: place.key });
  const { records } = scan;
  const createdMs = scan.header?.createdMs ?? 0;
  switch (scan.status) {
    case 'corrupt': {
      const damage = {
        file: path,
        offset: scan.damageOffset ?? 0,
        reason: scan.reason ?? 'damaged',
      };
      return { bytes: bytes.length, createdMs, records, truncatedBytes: 0, damage };
    }
    case 'clean':
    case 'torn': {
      const truncatedBytes = scan.status === 'torn' ? bytes.length - scan.framesEnd : 0;
      if (scan.header === undefined) {
        await place.fileSystem.remove(path);
        await place.fileSystem.syncDirectory(place.directory);
        return { bytes: 0, createdMs, records: 0, truncatedBytes };
      }
      if (scan.sealed) {
        await syncSealed(place.fileSystem, path);
        return { bytes: bytes.length, createdMs, records, truncatedBytes };
      }
      return {
        bytes: await sealAfterCrash(place.fileSystem, path, scan, place.key),
        createdMs,
        records,
        truncatedBytes,
      };
    }
  }
}

async function checkEnds(
  place: Place,
  sequence: number,
): Promise<{ bytes: number; createdMs: number; damage?: Damage }> {
  const path = join(place.directory, segmentFileName(sequence));
  const file = await place.fileSystem.openRead(path);
  try {
    const bytes = await file.size();
    const decoded = decodeSegmentHeader(await file.read(0, SEGMENT_HEADER_BYTES));
    const createdMs = decoded.status === 'header' ? decoded.header.createdMs : 0;
    const damaged = (offset: number, reason: string) => ({
      bytes,
      createdMs,
      damage: { file: path, offset, reason },
    });
    if (decoded.status !== 'header') return damaged(0, decoded.reason);
    if (decoded.header.sequence !== sequence) {
      return damaged(0, `the file holds segment ${decoded.header.sequence}, not its own`);
    }
    const at = Math.max(SEGMENT_HEADER_BYTES, bytes - END_MARK_BYTES);
    const frame = decodeFrame(await file.read(at, END_MARK_BYTES));
    if (frame.status !== 'frame' || frame.head.kind !== 'end') return damaged(at, 'the end mark is missing');
    const { head, headBytes, sealed } = frame;
    const isOurs = segmentCipher(place.key, decoded.header).open(head, headBytes, at, sealed) !== undefined;
    return isOurs ? { bytes, createdMs } : damaged(at, NOT_AUTHENTIC);
  } finally {
    await file.close();
  }
}

/** A longer file was not written by a journal; it is not taken into memory. */
const SEGMENT_FILE_MAX_BYTES = 2 * segmentMaxBytesLimit;

export async function readWhole(fileSystem: FileSystem, path: string): Promise<Uint8Array> {
  const file = await fileSystem.openRead(path);
  try {
    const bytes = await file.size();
    if (bytes > SEGMENT_FILE_MAX_BYTES) {
      throw new SkilltapeError('journal_corrupt', `${path} is larger than any journal segment`);
    }
    return await file.read(0, bytes);
  } finally {
    await file.close();
  }
}

/** Segments `from` up to but not including `before`. */
export function missing(directory: string, from: number, before: number): Damage {
  const reason = `segments ${from} to ${before - 1} are missing`;
  return {
    file: join(directory, segmentFileName(from)),
    offset: 0,
    reason,
  };
}

function report(
  sealed: readonly SealedSegment[],
  damage: readonly Damage[],
  newestRecords: number,
  truncatedBytes: number,
): RecoveryReport {
  const bytes = sealed.reduce((sum, segment) => sum + segment.bytes, 0);
  const status = damage.length > 0 ? 'corrupt' : truncatedBytes > 0 ? 'torn' : 'clean';
  return {
    status,
    segments: sealed.length,
    bytes,
    newestRecords,
    truncatedBytes,
    damage,
  };
}
