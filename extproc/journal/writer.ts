/** The append path: order, batches of one write, backpressure, rotation, group commit, poison. */
import { diskFault } from '../disk-fault.ts';
import { SkilltapeError } from '../errors.ts';
import { freeBuffer } from '../large-work.ts';
import { Batch } from './batch.ts';
import type { SealedSegment } from './directory.ts';
import { END_MARK_BYTES, frameBytes } from './format.ts';
import type { FileSystem } from './fs.ts';
import { partsBytes, type UnwrittenRecord } from './group.ts';
import type { Position } from './position.ts';
import { Segment } from './segment.ts';

export type WriterOptions = {
  directory: string;
  fileSystem: FileSystem;
  key: Uint8Array;
  segmentMaxBytes: number;
  pendingMaxBytes: number;
  syncIntervalMs: number;
  onPoison: (error: SkilltapeError) => void;
  /** A rotation gave this segment its end mark; it is durable and `bytes` long. */
  onSealed: (segment: SealedSegment) => void;
};

type SyncWaiter = { target: number; resolve: () => void; reject: (error: SkilltapeError) => void };

/**
 * Appends wait in `#batches`, their payload not copied; those of the batch that is written are sealed then, and have
 * their places from then on. Appends are counted: `#appended` calls made, `#written` writes returned, `#durable` synced.
 */
export class Writer {
  readonly #options: WriterOptions;
  #active: Segment;
  /** The first is the next to be written, the last takes appends. */
  #batches: Batch[] = [];
  #writing: Batch | undefined;
  /** Of records that have no frame yet. */
  #waitingBytes = 0;
  #appended = 0;
  #written = 0;
  #durable = 0;
  #flush: Promise<void> | undefined;
  #syncInFlight: Promise<void> | undefined;
  #syncWaiters: SyncWaiter[] = [];
  #syncTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #failure: SkilltapeError | undefined;
  #closed = false;

  private constructor(options: WriterOptions, first: Segment) {
    this.#options = options;
    this.#active = first;
  }

  /** Makes the segment with this sequence number; it must not exist. */
  static async begin(options: WriterOptions, sequence: number): Promise<Writer> {
    const first = new Segment(options.directory, sequence, options.key);
    await first.create(options.fileSystem);
    return new Writer(options, first);
  }

  get usable(): boolean {
    return this.#failure === undefined && !this.#closed;
  }

  /** Bytes of the segment not reported as sealed yet, with everything accepted but not written. */
  get openBytes(): number {
    return this.#active.madeBytes + END_MARK_BYTES + this.#waitingBytes;
  }

  written(): Position {
    return { segment: this.#active.sequence, offset: this.#active.writtenBytes };
  }

  /** Resolves with the record's place when it was written. */
  append(parts: readonly Uint8Array[]): Promise<Position> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    const record = unwritten(parts);
    return this.#take(record).then(() => ({ segment: record.segment, offset: record.offset }));
  }

  /**
   * Resolves when the last one was written. All of them are taken in one turn or, once the writer failed, none. Those that
   * linger wait up to `lingerMs` for a write that is made anyway.
   */
  appendAll(records: readonly (readonly Uint8Array[])[], lingers = false): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    let written: Promise<void> = Promise.resolve();
    for (const parts of records) written = this.#take(unwritten(parts), lingers);
    return written;
  }

  sync(): Promise<void> {
    const refusal = this.#refusal();
    return refusal === undefined ? this.#syncUpTo(this.#appended) : Promise.reject(refusal);
  }

  /** Ends the segment that is written to when it has records and was begun before; whatever comes goes to the next one. */
  async rotate(createdBeforeMs: number): Promise<void> {
    const last = this.#batches.at(-1);
    const hasRecords = last === undefined ? this.#active.hasRecords : last.records.length > 0;
    if (!this.usable || !hasRecords || this.#active.createdMs >= createdBeforeMs) return;
    this.#batches.push(new Batch(true));
    this.#flushSoon();
    await this.#flush;
  }

  /** Writes and syncs what was accepted, seals and closes; rejects when not all of it became durable. */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      if (this.#failure === undefined) await this.#syncUpTo(this.#appended);
      await this.#flush;
      await this.#runSync(() => this.#seal());
    } finally {
      clearTimeout(this.#syncTimer);
      clearTimeout(this.#lingerTimer);
      await this.#flush;
      while (this.#syncInFlight !== undefined) await this.#syncInFlight;
      // A descriptor is closed only with no call under way on it: its number may be another file's the moment after.
      await this.#active.close();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #refusal(): SkilltapeError | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return this.#closed ? new SkilltapeError('journal_closed', 'the journal is closed') : undefined;
  }

  #take(record: UnwrittenRecord, lingers = false): Promise<void> {
    const bytes = frameBytes(record.payloadBytes);
    let batch = this.#batches.at(-1);
    const isFull = (batch?.bytes ?? 0) > 0 && (batch?.bytes ?? 0) + bytes > this.#options.pendingMaxBytes;
    if (batch === undefined || isFull) {
      batch = new Batch(false);
      this.#batches.push(batch);
    }
    batch.records.push(record);
    batch.bytes += bytes;
    this.#appended += 1;
    this.#waitingBytes += bytes;
    if (lingers && !isFull) this.#linger();
    else this.#flushSoon();
    return batch.written;
  }

  /** A write of its own costs as much as all others of a small exchange together. */
  #linger(): void {
    this.#lingerTimer ??= setTimeout(() => {
      this.#lingerTimer = undefined;
      if (this.#batches.length > 0) this.#flushSoon();
    }, lingerMs).unref();
  }

  /** One turn of the event loop later, so that what arrives together is written together. */
  #flushSoon(): void {
    this.#flush ??= new Promise((done) => setImmediate(() => done(this.#run())));
  }

  async #run(): Promise<void> {
    try {
      for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
        this.#writing = batch;
        await this.#write(batch);
        if (this.#failure !== undefined) return;
        this.#writing = undefined;
        batch.resolve();
        this.#startSync();
      }
    } catch (thrown) {
      this.#poison(thrown);
    } finally {
      this.#flush = undefined;
    }
  }

  /** Returns early when the writer has failed. */
  async #write({ records, rotates }: Batch): Promise<void> {
    if (rotates && this.#active.hasRecords) await this.#runSync(() => this.#rotate());
    for (let from = 0; from < records.length; ) {
      if (this.#failure !== undefined) return;
      const { buffers, to } = this.#active.makeFrames(records, from, this.#options.segmentMaxBytes);
      if (to === from) {
        await this.#runSync(() => this.#rotate());
        continue;
      }
      for (let at = from; at < to; at += 1) this.#waitingBytes -= frameBytes(records[at]?.payloadBytes ?? 0);
      await this.#active.append(buffers);
      // The cipher made them for this write alone.
      for (const buffer of buffers) freeBuffer(buffer);
      this.#written += to - from;
      from = to;
    }
  }

  async #rotate(): Promise<void> {
    const { sequence, createdMs } = this.#active;
    const bytes = await this.#seal();
    this.#active = new Segment(this.#options.directory, sequence + 1, this.#options.key);
    this.#options.onSealed({ sequence, bytes, createdMs });
    await this.#active.create(this.#options.fileSystem);
  }

  async #seal(): Promise<number> {
    const covered = this.#written;
    const bytes = await this.#active.seal();
    this.#markDurable(covered);
    return bytes;
  }

  #syncUpTo(target: number): Promise<void> {
    if (target <= this.#durable) return Promise.resolve();
    if (this.#batches.length > 0) this.#flushSoon();
    return new Promise((resolve, reject) => {
      this.#syncWaiters.push({ target, resolve, reject });
      this.#startSync();
    });
  }

  /** Syncs now when someone waits for what is written already, else within the interval. */
  #startSync(): void {
    if (this.#failure !== undefined || this.#syncInFlight !== undefined || this.#written === this.#durable) return;
    const first = this.#syncWaiters[0];
    if (first !== undefined && first.target <= this.#written) void this.#runSync(() => this.#datasync());
    else this.#armTimer();
  }

  /** Never keeps a process alive: what was written survives its end, only a power failure needs the sync. */
  #armTimer(): void {
    this.#syncTimer ??= setTimeout(
      () => void this.#runSync(() => this.#datasync()),
      this.#options.syncIntervalMs,
    ).unref();
  }

  async #datasync(): Promise<void> {
    const covered = this.#written;
    if (covered === this.#durable) return;
    await this.#active.datasync();
    this.#markDurable(covered);
  }

  /** At most one sync, seal or rotation at a time; a failure poisons and is not thrown. */
  async #runSync(step: () => Promise<unknown>): Promise<void> {
    while (this.#syncInFlight !== undefined) await this.#syncInFlight;
    if (this.#failure !== undefined) return;
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    this.#syncInFlight = step().then(
      () => {},
      (thrown: unknown) => this.#poison(thrown),
    );
    await this.#syncInFlight;
    this.#syncInFlight = undefined;
    this.#startSync();
  }

  #markDurable(count: number): void {
    if (this.#failure !== undefined) return;
    this.#durable = count;
    const first = this.#syncWaiters.findIndex(({ target }) => target > count);
    for (const { resolve } of this.#syncWaiters.splice(0, first < 0 ? this.#syncWaiters.length : first)) resolve();
  }

  /** After a failed sync the system may have dropped the pages and call the next one a success: never try again. */
  #poison(thrown: unknown): void {
    if (this.#failure !== undefined) return;
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    const fault = diskFault(thrown) ?? { message: text, remedy: 'Repair the disk.' };
    const failure = new SkilltapeError('journal_poisoned', `the journal can no longer be written: ${fault.message}`, {
      cause: thrown,
      remedy: `${fault.remedy} Then restart: the journal recovers from what is on disk.`,
    });
    this.#failure = failure;
    clearTimeout(this.#syncTimer);
    const writing = this.#writing === undefined ? [] : [this.#writing];
    const refused = [...writing, ...this.#batches, ...this.#syncWaiters];
    this.#writing = undefined;
    this.#batches = [];
    this.#syncWaiters = [];
    for (const { reject } of refused) reject(failure);
    queueMicrotask(() => this.#options.onPoison(failure));
  }
}

/** Short beside `syncIntervalMs`: a kill within it takes these records. */
const lingerMs = 5;

function unwritten(parts: readonly Uint8Array[]): UnwrittenRecord {
  return { parts, payloadBytes: partsBytes(parts), segment: 0, offset: 0 };
}
