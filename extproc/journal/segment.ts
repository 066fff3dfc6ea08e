/** One segment file on its way from planned to sealed: frames made in memory, appended, synced, ended. */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { type SegmentCipher, segmentCipher } from './cipher.ts';
import { END_MARK_BYTES, encodeSegmentHeader, frameBytes, SEGMENT_HEADER_BYTES, type SegmentHeader } from './format.ts';
import type { AppendFile, FileSystem } from './fs.ts';
import { type Position, segmentFileName } from './position.ts';
import type { Scan } from './recover.ts';

export type Frame = {
  position: Position;
  buffers: Uint8Array[];
  bytes: number;
};

/**
 * Order of calls: `create` first; `append` calls one at a time; `seal` after the last append and with no other call
 * under way. `makeFrame` may be called at any time before `seal`; frames are appended in the order they were made.
 */
export class Segment {
  readonly sequence: number;
  readonly #path: string;
  readonly #header: SegmentHeader;
  readonly #cipher: SegmentCipher;
  #file: AppendFile | undefined;
  #plannedBytes = SEGMENT_HEADER_BYTES;
  #plannedFrames = 0;
  #writtenBytes = 0;
  #syncedBytes = 0;

  constructor(directory: string, sequence: number, key: Uint8Array) {
    this.sequence = sequence;
    this.#path = join(directory, segmentFileName(sequence));
    this.#header = {
      sequence,
      id: new Uint8Array(randomBytes(16)),
      createdMs: Date.now(),
    };
    this.#cipher = segmentCipher(key, this.#header);
  }

  /** Milliseconds since the epoch: nothing in it was written earlier. */
  get createdMs(): number {
    return this.#header.createdMs;
  }

  /** Size with every frame made so far, end mark not counted. */
  get plannedBytes(): number {
    return this.#plannedBytes;
  }

  get plannedFrames(): number {
    return this.#plannedFrames;
  }

  /** End of the frames whose write returned: what a reader may read up to. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Header and directory entry are durable on return, so a torn header means that no frame was ever written. */
  async create(fileSystem: FileSystem): Promise<void> {
    this.#file = await fileSystem.createAppend(this.#path);
    await this.append([encodeSegmentHeader(this.#header)]);
    await this.datasync();
    await fileSystem.syncDirectory(dirname(this.#path));
  }

  makeFrame(parts: readonly Uint8Array[], payloadBytes: number): Frame {
    const offset = this.#plannedBytes;
    const frameNumber = this.#plannedFrames;
    const head = {
      kind: 'record',
      payloadBytes,
      frameNumber,
      syncedOffset: this.#syncedBytes,
    } as const;
    const buffers = this.#cipher.seal(head, offset, parts);
    const bytes = frameBytes(payloadBytes);
    this.#plannedFrames += 1;
    this.#plannedBytes += bytes;
    return { position: { segment: this.sequence, offset }, buffers, bytes };
  }

  async append(buffers: readonly Uint8Array[]): Promise<void> {
    this.#writtenBytes += await appendAll(this.#open(), buffers);
  }

  async datasync(): Promise<void> {
    const covered = this.#writtenBytes;
    await this.#open().datasync();
    this.#syncedBytes = covered;
  }

  /** Ends the file for good; returns its size. */
  async seal(): Promise<number> {
    const file = this.#open();
    await appendEndMark(file, this.#cipher, this.#plannedFrames, this.#plannedBytes);
    await file.datasync();
    await this.close();
    return this.#plannedBytes + END_MARK_BYTES;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #open(): AppendFile {
    if (this.#file === undefined) throw new Error(`${this.#path} is not open`);
    return this.#file;
  }
}

/** Cuts off a torn tail and ends the file of a process that died; returns its size. Repeating it changes nothing. */
export async function sealAfterCrash(
  fileSystem: FileSystem,
  path: string,
  scan: Scan,
  key: Uint8Array,
): Promise<number> {
  if (scan.header === undefined) throw new Error(`${path} has no readable header`);
  if (scan.status === 'torn') await fileSystem.truncate(path, scan.framesEnd);
  const file = await fileSystem.openAppend(path);
  try {
    await appendEndMark(file, segmentCipher(key, scan.header), scan.records, scan.framesEnd);
    await file.datasync();
  } finally {
    await file.close();
  }
  return scan.framesEnd + END_MARK_BYTES;
}

/**
 * A process may have died between the end mark and its sync. The next segment must not be there before this one is
 * durable: a power failure would then leave a gap before good records, which is damage.
 */
export async function syncSealed(fileSystem: FileSystem, path: string): Promise<void> {
  const file = await fileSystem.openAppend(path);
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The end mark after n records is always the same bytes, so writing it again after a crash reuses no nonce. */
async function appendEndMark(file: AppendFile, cipher: SegmentCipher, records: number, offset: number): Promise<void> {
  await appendAll(
    file,
    cipher.seal({ kind: 'end', payloadBytes: 0, frameNumber: records, syncedOffset: 0 }, offset, []),
  );
}

async function appendAll(file: AppendFile, buffers: readonly Uint8Array[]): Promise<number> {
  let rest = buffers.filter((buffer) => buffer.length > 0);
  let total = 0;
  while (rest.length > 0) {
    const count = await file.writev(rest);
    if (count <= 0) throw new Error('the disk took no bytes of a write');
    total += count;
    rest = afterBytes(rest, count);
  }
  return total;
}

function afterBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  let index = 0;
  for (const buffer of buffers) {
    if (skip < buffer.length) break;
    skip -= buffer.length;
    index += 1;
  }
  const [first, ...others] = buffers.slice(index);
  return first === undefined ? [] : [first.subarray(skip), ...others];
}
