/** One segment file on its way from made to sealed: frames made in memory, appended, synced, ended. */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { type SegmentCipher, segmentCipher } from './cipher.ts';
import {
  END_MARK_BYTES,
  encodeSegmentHeader,
  FORMAT_VERSION,
  frameBytes,
  groupMaxBytes,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './format.ts';
import type { AppendFile, FileSystem } from './fs.ts';
import { groupParts, lengthBytes, partsBytes, placeInFrame, type UnwrittenRecord } from './group.ts';
import { segmentFileName } from './position.ts';
import type { Scan } from './recover.ts';

/** A writev with more buffers would be split by the system anyway. */
const WRITE_BUFFERS_MAX = 1024;

/**
 * Order of calls: `create` first; `append` calls one at a time; `seal` after the last append and with no other call
 * under way. Frames are appended in the order they were made, all of them before `seal`.
 */
export class Segment {
  readonly sequence: number;
  readonly #path: string;
  readonly #header: SegmentHeader;
  readonly #cipher: SegmentCipher;
  #file: AppendFile | undefined;
  #madeBytes = SEGMENT_HEADER_BYTES;
  #madeRecords = 0;
  #writtenBytes = 0;
  #syncedBytes = 0;

  constructor(directory: string, sequence: number, key: Uint8Array) {
    this.sequence = sequence;
    this.#path = join(directory, segmentFileName(sequence));
    this.#header = {
      version: FORMAT_VERSION,
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
  get madeBytes(): number {
    return this.#madeBytes;
  }

  get hasRecords(): boolean {
    return this.#madeRecords > 0;
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

  /**
   * Seals records from the one at `from` on for one write, small ones together, and gives them their places. `to` is
   * the first for which there is no room, in that write or in a file of `maxBytes`; a larger one gets a segment alone.
   */
  makeFrames(
    records: readonly UnwrittenRecord[],
    from: number,
    maxBytes: number,
  ): { buffers: Uint8Array[]; to: number } {
    const buffers: Uint8Array[] = [];
    let to = from;
    while (to < records.length && buffers.length < WRITE_BUFFERS_MAX) {
      const taken = records.slice(to, this.#frameEnd(records, to, maxBytes));
      if (taken.length === 0) break;
      buffers.push(...this.#makeFrame(taken));
      to += taken.length;
    }
    return { buffers, to };
  }

  /** The first record that does not come into the next frame. */
  #frameEnd(records: readonly UnwrittenRecord[], from: number, maxBytes: number): number {
    const fits = (payloadBytes: number) => this.#madeBytes + frameBytes(payloadBytes) + END_MARK_BYTES <= maxBytes;
    let to = from;
    let groupBytes = 0;
    for (let next = records[to]; next !== undefined; next = records[to]) {
      groupBytes += lengthBytes + next.payloadBytes;
      if (groupBytes > groupMaxBytes || !fits(groupBytes)) break;
      to += 1;
    }
    if (to > from) return to;
    return !this.hasRecords || fits(records[from]?.payloadBytes ?? 0) ? from + 1 : from;
  }

  #makeFrame(taken: readonly UnwrittenRecord[]): Uint8Array[] {
    const [first] = taken;
    const parts = first !== undefined && taken.length === 1 ? first.parts : groupParts(taken);
    const payloadBytes = partsBytes(parts);
    const lengthsBytes = taken.length === 1 ? 0 : lengthBytes * taken.length;
    // What would be acknowledged and could not be read back.
    if (payloadBytes !== taken.reduce((sum, record) => sum + record.payloadBytes, lengthsBytes)) {
      throw new SkilltapeError('internal', 'a record changed while it waited to be written');
    }
    const head = {
      kind: taken.length === 1 ? 'record' : 'group',
      payloadBytes,
      records: taken.length,
      frameNumber: this.#madeRecords,
      syncedOffset: this.#syncedBytes,
    } as const;
    const buffers = this.#cipher.seal(head, this.#madeBytes, parts);
    for (const [index, record] of taken.entries()) {
      record.segment = this.sequence;
      record.offset = this.#madeBytes + placeInFrame(index);
    }
    this.#madeRecords += taken.length;
    this.#madeBytes += frameBytes(payloadBytes);
    return buffers;
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
    await appendEndMark(file, this.#cipher, this.#madeRecords, this.#madeBytes);
    await file.datasync();
    await this.close();
    return this.#madeBytes + END_MARK_BYTES;
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
    cipher.seal({ kind: 'end', payloadBytes: 0, records: 0, frameNumber: records, syncedOffset: 0 }, offset, []),
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
