/** Reads the journal, in order from a position or one record at a time; takes no lock and changes nothing. */
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { freeBuffer } from '../large-work.ts';
import { missing } from './directory.ts';
import {
  decodeFrame,
  END_MARK_BYTES,
  type FrameDecoding,
  frameBytes,
  groupAround,
  groupMaxBytes,
  SEGMENT_HEADER_BYTES,
} from './format.ts';
import type { FileSystem } from './fs.ts';
import { type PlacedRecord, recordsOf } from './group.ts';
import { corrupt, type OpenSegment, openSegment, SegmentCache } from './open-segment.ts';
import { type Position, segmentFileName, segmentSequences } from './position.ts';
import { framesAfter, NOT_AUTHENTIC } from './recover.ts';

export type JournalRecord = { position: Position; next: Position; payload: Uint8Array };

export type JournalReader = {
  /**
   * Records from `from` (null: the oldest there is) to the present end; written ones, not only synced ones. Call again
   * with the last `next` for more. `{ segment, offset: 0 }` begins with that segment. Errors: `journal_corrupt` with
   * file and offset, also for a position whose segment the journal never reached or has lost.
   */
  read: (from: Position | null) => AsyncGenerator<JournalRecord, void, undefined>;
  /** The record at a position of `append` or `read`. Errors: `not_found` (freed, or not there), `journal_corrupt`. */
  readAt: (position: Position) => Promise<Uint8Array>;
  /** Resolves when everything that `read` gave is on disk, whoever wrote it. Errors: that of the system. */
  sync: () => Promise<void>;
  close: () => Promise<void>;
};

export type ReaderOptions = { directory: string; fileSystem: FileSystem; key: Uint8Array };

/** Read at once: by whoever reads on, and by whoever wants one record. */
const WINDOW_BYTES = 256 * 1024;
const SINGLE_WINDOW_BYTES = 4 * 1024;

type WholeFrame = FrameDecoding & { status: 'frame' };
type Step = { status: 'record'; payload: Uint8Array; end: number } | { status: 'sealed' } | { status: 'tail' };

export function openJournalReader(options: ReaderOptions): JournalReader {
  const cache = new SegmentCache(options);
  // A later segment is made only after this one was synced, so of what was read only the last one may need it.
  let unsynced: number | undefined;
  const onRead = (segment: number, isNewest: boolean) => {
    unsynced = isNewest ? segment : undefined;
  };
  return {
    read: (from) => readFrom(options, from, onRead),
    async sync() {
      if (unsynced === undefined) return;
      const segment = unsynced;
      unsynced = undefined;
      await cache
        .use(segment, ({ file }) => file.datasync())
        .catch((thrown: unknown) => {
          // What was freed had been synced before.
          if (SkilltapeError.from(thrown).code === 'not_found') return;
          unsynced ??= segment;
          throw thrown;
        });
    },
    readAt: (position) =>
      cache.use(position.segment, async (segment) => {
        const walk = new Walk(segment, SINGLE_WINDOW_BYTES);
        const step = await walk.step(position.offset, false);
        walk.end();
        if (step.status === 'record') return step.payload;
        throw new SkilltapeError('not_found', `no record stands at ${segment.path} offset ${position.offset}`);
      }),
    close: () => cache.close(),
  };
}

async function* readFrom(
  options: ReaderOptions,
  from: Position | null,
  onRead: (segment: number, isNewest: boolean) => void,
): AsyncGenerator<JournalRecord, void, undefined> {
  let at = await startOf(options, from);
  while (at !== undefined) {
    // Asked before the bytes are read: a later segment is made only after this one was sealed and synced.
    const isNewest = !(await hasLater(options, at.segment));
    const segment = await openSegment(options, at.segment, isNewest).catch((thrown) => reportGap(options, at, thrown));
    if (segment === undefined) return;
    let sealed = false;
    try {
      const walk = new Walk(segment, WINDOW_BYTES);
      if (await walk.isBeyondEnd(at.offset, isNewest)) sealed = true;
      while (!sealed) {
        const step = await walk.step(at.offset, isNewest);
        if (step.status === 'tail' && !isNewest) throw corrupt(segment.path, at.offset, 'the end mark is missing');
        if (step.status === 'tail') break;
        if (step.status === 'sealed') sealed = true;
        else {
          const next: Position = { segment: at.segment, offset: step.end };
          onRead(at.segment, isNewest);
          yield { position: at, next, payload: step.payload };
          at = next;
        }
      }
    } finally {
      await segment.file.close();
    }
    if (!(await hasLater(options, at.segment))) return;
    // What was the newest segment a moment ago no longer is: go on with the next, or with the rest of this one.
    if (sealed) at = { segment: at.segment + 1, offset: SEGMENT_HEADER_BYTES };
  }
}

/** A reader that came to the end of one segment finds the next one, unless it was lost, or freed under the reader. */
async function reportGap(options: ReaderOptions, at: Position | undefined, thrown: unknown): Promise<never> {
  const sequences = await listSegments(options);
  const later = sequences.find((sequence) => at !== undefined && sequence > at.segment);
  const isGap = at !== undefined && later !== undefined && (sequences[0] ?? later) < at.segment;
  if (!isGap || SkilltapeError.from(thrown).code !== 'not_found') throw thrown;
  const { file, reason } = missing(options.directory, at.segment, later);
  throw corrupt(file, 0, reason);
}

async function startOf(options: ReaderOptions, from: Position | null): Promise<Position | undefined> {
  const sequences = await listSegments(options);
  const oldest = sequences[0];
  const newest = sequences.at(-1);
  if (from === null) return oldest === undefined ? undefined : { segment: oldest, offset: SEGMENT_HEADER_BYTES };
  if (oldest === undefined || newest === undefined || from.segment > newest) {
    const file = join(options.directory, segmentFileName(from.segment));
    throw corrupt(file, from.offset, 'the position lies beyond the journal');
  }
  if (from.segment >= oldest) return { segment: from.segment, offset: Math.max(from.offset, SEGMENT_HEADER_BYTES) };
  // A reader frees what it has read, so the segment it stands at the end of may be gone, but no other.
  if (from.segment + 1 === oldest) return { segment: oldest, offset: SEGMENT_HEADER_BYTES };
  const { file, reason } = missing(options.directory, from.segment, oldest);
  throw corrupt(file, from.offset, reason);
}

/** Steps from record to record through one open segment, reading ahead by a window. */
class Walk {
  readonly #segment: OpenSegment;
  readonly #windowBytes: number;
  #window: Uint8Array = new Uint8Array();
  #windowAt = 0;
  /** Of the frame that was opened last. */
  #records: readonly PlacedRecord[] = [];
  #next = 0;
  #frameEnd = 0;

  constructor(segment: OpenSegment, windowBytes: number) {
    this.#segment = segment;
    this.#windowBytes = windowBytes;
  }

  /** A record lost in a crash may have been read before; its reader stands beyond what recovery sealed. */
  async isBeyondEnd(offset: number, isNewest: boolean): Promise<boolean> {
    const { file } = this.#segment;
    const endMarkAt = (await file.size()) - END_MARK_BYTES;
    if (offset <= endMarkAt || endMarkAt < SEGMENT_HEADER_BYTES) return false;
    const frame = decodeFrame(await file.read(endMarkAt, END_MARK_BYTES));
    if (frame.status !== 'frame' || frame.head.kind !== 'end') return isNewest ? false : this.#fail(endMarkAt, frame);
    this.#open(frame, endMarkAt);
    return true;
  }

  /** Nothing is read any more; payloads stay good, being copies. */
  end(): void {
    freeBuffer(this.#window);
  }

  /** `mayGrow`: what is not good yet may be a frame being written, or the tail of a crash. */
  async step(offset: number, mayGrow: boolean): Promise<Step> {
    if (this.#records[this.#next]?.offset === offset) return this.#take();
    const found = await this.#frameWith(offset, mayGrow);
    if (found === undefined) return { status: 'tail' };
    this.#open(found.frame, found.at);
    if (found.frame.head.kind === 'end') return { status: 'sealed' };
    this.#next = this.#records.findIndex((record) => record.offset === offset);
    if (this.#next < 0) throw corrupt(this.#segment.path, offset, 'no record begins here');
    return this.#take();
  }

  #take(): Step {
    const payload = this.#records[this.#next]?.payload ?? new Uint8Array();
    this.#next += 1;
    return { status: 'record', payload, end: this.#records[this.#next]?.offset ?? this.#frameEnd };
  }

  /** The frame with the record at `offset` and where it begins; undefined while there is none. */
  async #frameWith(offset: number, mayGrow: boolean): Promise<{ frame: WholeFrame; at: number } | undefined> {
    let frame = decodeFrame(this.#window.subarray(Math.max(0, offset - this.#windowAt)));
    if (frame.status !== 'frame') frame = await this.#decodeFresh(offset);
    if (frame.status === 'frame') return { frame, at: offset };
    const size = await this.#segment.file.size();
    const group = offset < size ? await this.#groupAround(offset) : undefined;
    if (group !== undefined) return group;
    if (!mayGrow && offset < size) return this.#fail(offset, frame);
    if (!mayGrow || offset >= size || !(await this.#isProvenDamage(offset))) return undefined;
    // Whoever wrote the proof had written this frame before: read now, it is whole or it is damaged.
    frame = await this.#decodeFresh(offset);
    return frame.status === 'frame' ? { frame, at: offset } : this.#fail(offset, frame);
  }

  async #decodeFresh(offset: number): Promise<FrameDecoding> {
    this.#windowAt = offset;
    this.#window = await this.#segment.file.read(offset, this.#windowBytes);
    const frame = decodeFrame(this.#window);
    if (frame.status !== 'incomplete' || this.#window.length < this.#windowBytes) return frame;
    this.#window = await this.#segment.file.read(offset, frame.needBytes);
    return decodeFrame(this.#window);
  }

  async #groupAround(offset: number): Promise<{ frame: WholeFrame; at: number } | undefined> {
    this.#windowAt = Math.max(SEGMENT_HEADER_BYTES, offset - frameBytes(groupMaxBytes));
    this.#window = await this.#segment.file.read(this.#windowAt, 2 * frameBytes(groupMaxBytes));
    const start = groupAround(this.#window, offset - this.#windowAt);
    if (start === undefined) return undefined;
    const frame = decodeFrame(this.#window.subarray(start));
    return frame.status === 'frame' ? { frame, at: this.#windowAt + start } : undefined;
  }

  async #isProvenDamage(offset: number): Promise<boolean> {
    const { file } = this.#segment;
    const rest = await file.read(offset, Math.max(0, (await file.size()) - offset));
    return framesAfter(rest, 0, offset).syncedOffset > offset;
  }

  #open({ head, headBytes, sealed, bytes }: WholeFrame, at: number): void {
    const payload = this.#segment.cipher.open(head, headBytes, at, sealed);
    if (payload === undefined) throw corrupt(this.#segment.path, at, NOT_AUTHENTIC);
    const records = recordsOf(head, payload, at);
    if (records === undefined)
      throw corrupt(this.#segment.path, at, 'the records of a group are not as long as it says');
    this.#records = records;
    this.#next = 0;
    this.#frameEnd = at + bytes;
  }

  #fail(offset: number, frame: FrameDecoding): never {
    const reason = frame.status === 'damaged' ? frame.reason : 'the frame is cut short';
    throw corrupt(this.#segment.path, offset, reason);
  }
}

async function hasLater(options: ReaderOptions, sequence: number): Promise<boolean> {
  const sequences = await listSegments(options);
  return (sequences.at(-1) ?? 0) > sequence;
}

async function listSegments({ directory, fileSystem }: ReaderOptions): Promise<number[]> {
  return segmentSequences(await fileSystem.list(directory));
}
