/** The write-ahead log: opens a directory after recovery, appends, syncs, frees; payloads are opaque bytes. */
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { type RecoveryReport, recoverDirectory, type SealedSegment } from './directory.ts';
import { END_MARK_BYTES, frameBytes, frameMaxBytes, SEGMENT_HEADER_BYTES, segmentMaxBytesLimit } from './format.ts';
import { type FileSystem, isSystemError } from './fs.ts';
import { partsBytes } from './group.ts';
import { type Position, segmentFileName } from './position.ts';
import { Writer } from './writer.ts';

export type JournalOptions = {
  directory: string;
  fileSystem: FileSystem;
  /** 32 bytes. */
  key: Uint8Array;
  /** A segment ends before the frame that would pass this; one larger frame gets a segment alone. At most 256 MiB. */
  segmentMaxBytes: number;
  /** From here on `admits` is false; appends go on up to a quarter more. At least twice `segmentMaxBytes`. */
  journalMaxBytes: number;
  /** A written frame is synced this soon even when nobody waits. */
  syncIntervalMs: number;
  /** Bytes that one write has at most, unless a record alone has more; what else was appended waits, and is not copied. */
  pendingMaxBytes?: number;
  /** Called once; the process should stop taking traffic and end. */
  onPoison: (error: SkilltapeError) => void;
};

/** Each of them as the parts that it is put together from. */
type Records = readonly (readonly Uint8Array[])[];

export type JournalUsage = {
  bytes: number;
  maxBytes: number;
  segments: number;
};

/** Rejections: `journal_poisoned` after a failed write or sync, `journal_closed` after `close`. */
export type Journal = {
  /**
   * One record of these parts put together; resolves when `write()` returned. Positions follow the order of calls. The
   * parts must not change until then. Also `journal_full` past the reserve, `usage` for more than `frameMaxBytes`.
   * `isEnd`: a small record that ends something, taken past the reserve too, since only what has ended can be freed.
   */
  append: (parts: readonly Uint8Array[], options?: { isEnd?: boolean }) => Promise<Position>;
  /**
   * Several records in this order, or none of them; rejects like `append`. Resolves when the last one was written. Cheaper
   * than `append` where nobody needs the place: all that are written together share one promise. `lingers`: nobody waits
   * for them, so they are written with what comes next, after some milliseconds at the latest.
   */
  appendAll: (records: Records, options?: { isEnd?: boolean; lingers?: boolean }) => Promise<void>;
  /** Resolves when every append made before this call is on disk. */
  sync: () => Promise<void>;
  /** Whether there is room for new work. */
  admits: () => boolean;
  usage: () => JournalUsage;
  /**
   * Deletes sealed segments wholly before this position, oldest first, until `downToBytes` are left and none is older
   * than `createdBeforeMs`; returns how many.
   */
  free: (upTo: Position, until?: { downToBytes: number; createdBeforeMs: number }) => Promise<number>;
  /** Seals the segment that is written to when it has records and was begun before; nothing is lost when that fails. */
  rotate: (createdBeforeMs: number) => Promise<void>;
  /** Readers may read up to here. */
  written: () => Position;
  /** Writes, syncs and seals what was accepted; rejects when not all of it became durable. */
  close: () => Promise<void>;
};

const KEY_BYTES = 32;
const SEGMENT_MIN_BYTES = 256;
const PENDING_MAX_BYTES_DEFAULT = 8 * 1024 * 1024;
const RESERVE_SHARE = 0.25;
/** An append may begin a segment. */
const segmentOverheadBytes = SEGMENT_HEADER_BYTES + END_MARK_BYTES;

/**
 * Errors: `config_invalid` (limits, or another writer holds the directory), `key_invalid`, or that of the system.
 * Damage is no error here: it is in the report, and the caller decides.
 */
export async function openJournal(options: JournalOptions): Promise<{ journal: Journal; recovery: RecoveryReport }> {
  const { directory, fileSystem } = options;
  checkOptions(options);
  await fileSystem.makeDirectory(directory);
  const lock = await fileSystem.lock(directory);
  if (lock.status === 'held') {
    throw new SkilltapeError('config_invalid', `the journal ${directory} is in use by ${lock.holder}`, {
      remedy: 'Give each writer a directory of its own, or stop the other one first.',
    });
  }
  try {
    const { sealed, nextSequence, recovery } = await recoverDirectory(options);
    const pendingMaxBytes = options.pendingMaxBytes ?? PENDING_MAX_BYTES_DEFAULT;
    const onSealed = (segment: SealedSegment) => sealed.push(segment);
    const writer = await Writer.begin({ ...options, pendingMaxBytes, onSealed }, nextSequence);
    return {
      journal: journalOf(options, writer, sealed, lock.release),
      recovery,
    };
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

function journalOf(
  options: JournalOptions,
  writer: Writer,
  sealed: SealedSegment[],
  release: () => Promise<void>,
): Journal {
  const { journalMaxBytes } = options;
  let sealedBytes = 0;
  let counted = 0;
  let freeing: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;
  const usedBytes = () => {
    // Segments are only added at the end, by the writer, and taken from the front, by freeing.
    for (; counted < sealed.length; counted += 1) sealedBytes += sealed[counted]?.bytes ?? 0;
    return sealedBytes + writer.openBytes;
  };
  const freeOldest = async (upTo: Position, { downToBytes, createdBeforeMs }: typeof everything): Promise<number> => {
    let count = 0;
    for (let oldest = sealed[0]; oldest !== undefined && endsBefore(oldest, upTo); oldest = sealed[0]) {
      if (usedBytes() <= downToBytes && oldest.createdMs >= createdBeforeMs) break;
      await removeSegment(options, oldest.sequence);
      sealed.shift();
      counted -= 1;
      sealedBytes -= oldest.bytes;
      count += 1;
    }
    return count;
  };
  const refusalOf = (records: Records, isEnd: boolean): SkilltapeError | undefined => {
    let bytes = segmentOverheadBytes;
    let largestBytes = 0;
    for (const parts of records) {
      const payloadBytes = partsBytes(parts);
      bytes += frameBytes(payloadBytes);
      largestBytes = Math.max(largestBytes, payloadBytes);
    }
    if (writer.usable && !isEnd && usedBytes() + bytes > journalMaxBytes * (1 + RESERVE_SHARE)) {
      return new SkilltapeError(
        'journal_full',
        `the journal is full (journalMaxBytes ${journalMaxBytes} and its reserve)`,
        {
          remedy: 'See why records are not shipped and freed, or raise journalMaxBytes.',
        },
      );
    }
    if (largestBytes <= frameMaxBytes) return undefined;
    return new SkilltapeError('usage', `a journal record may have ${frameMaxBytes} bytes at most`);
  };
  return {
    append(parts, { isEnd = false } = {}) {
      const refusal = refusalOf([parts], isEnd);
      return refusal === undefined ? writer.append(parts) : Promise.reject(refusal);
    },
    appendAll(records, { isEnd = false, lingers = false } = {}) {
      const refusal = refusalOf(records, isEnd);
      return refusal === undefined ? writer.appendAll(records, lingers) : Promise.reject(refusal);
    },
    sync: () => writer.sync(),
    admits: () => writer.usable && usedBytes() < journalMaxBytes,
    usage: () => ({
      bytes: usedBytes(),
      maxBytes: journalMaxBytes,
      segments: sealed.length + 1,
    }),
    free(upTo, until = everything) {
      const freed = freeing.then(() => freeOldest(upTo, until));
      freeing = freed.catch(() => {});
      return freed;
    },
    rotate: (createdBeforeMs) => writer.rotate(createdBeforeMs),
    written: () => writer.written(),
    close() {
      closing ??= writer.close().finally(() => freeing.then(release));
      return closing;
    },
  };
}

const everything = { downToBytes: 0, createdBeforeMs: Number.POSITIVE_INFINITY };

function endsBefore(segment: SealedSegment, upTo: Position): boolean {
  if (segment.sequence !== upTo.segment) return segment.sequence < upTo.segment;
  return segment.bytes - END_MARK_BYTES <= upTo.offset;
}

/** Synced one by one, oldest first: a crash must not bring back an older segment beside the gap of a newer one. */
async function removeSegment({ directory, fileSystem }: JournalOptions, sequence: number): Promise<void> {
  try {
    await fileSystem.remove(join(directory, segmentFileName(sequence)));
  } catch (thrown) {
    if (!isSystemError(thrown, 'ENOENT')) throw SkilltapeError.from(thrown);
  }
  await fileSystem.syncDirectory(directory);
}

function checkOptions({ key, segmentMaxBytes, journalMaxBytes, syncIntervalMs }: JournalOptions): void {
  if (key.length !== KEY_BYTES) throw new SkilltapeError('key_invalid', `the journal key must have ${KEY_BYTES} bytes`);
  if (!(segmentMaxBytes >= SEGMENT_MIN_BYTES && segmentMaxBytes <= segmentMaxBytesLimit)) {
    throw new SkilltapeError(
      'config_invalid',
      `segmentMaxBytes must be ${SEGMENT_MIN_BYTES} to ${segmentMaxBytesLimit}`,
    );
  }
  // The segment being written is never freed: were it the whole journal, a full journal could not become empty again.
  if (!(journalMaxBytes >= 2 * segmentMaxBytes)) {
    throw new SkilltapeError('config_invalid', 'journalMaxBytes must be at least twice segmentMaxBytes');
  }
  if (!(syncIntervalMs >= 0)) throw new SkilltapeError('config_invalid', 'syncIntervalMs must be 0 or more');
}
