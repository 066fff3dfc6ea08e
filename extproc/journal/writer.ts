/** The append path: order, backpressure, one writev per tick, rotation, group commit, poison. */
import { diskFault } from '../disk-fault.ts';
import { SkilltapeError } from '../errors.ts';
import { freeBuffer } from '../large-work.ts';
import type { SealedSegment } from './directory.ts';
import { END_MARK_BYTES, frameBytes } from './format.ts';
import type { FileSystem } from './fs.ts';
import type { Position } from './position.ts';
import { type Frame, Segment } from './segment.ts';

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

type Settle = { resolve: (position: Position) => void; reject: (error: SkilltapeError) => void };
type Waiting = Settle & { parts: readonly Uint8Array[]; payloadBytes: number; bytes: number };
type Pending = Settle & { frame: Frame; segment: Segment };
type SyncWaiter = { target: number; resolve: () => void; reject: (error: SkilltapeError) => void };

/** A writev with more buffers would be split by the system anyway. */
const BATCH_BUFFERS_MAX = 1024;

/**
 * Appends pass `#waiting` (no room yet; payload not copied), `#pending` (frame made, not written) and `#writing` (in the
 * write under way), in that order. Appends are counted: `#appended` calls made, `#written` writes returned, `#durable` synced.
 */
export class Writer {
  readonly #options: WriterOptions;
  /** The file being written, and the one new frames are made for; they differ from planning a rotation to doing it. */
  #active: Segment;
  #planned: Segment;
  #waiting: Waiting[] = [];
  #pending: Pending[] = [];
  #writing: Pending[] = [];
  #pendingBytes = 0;
  #waitingBytes = 0;
  #sealedPlannedBytes = 0;
  #appended = 0;
  #written = 0;
  #durable = 0;
  #flush: Promise<void> | undefined;
  #syncInFlight: Promise<void> | undefined;
  #syncWaiters: SyncWaiter[] = [];
  #syncTimer: NodeJS.Timeout | undefined;
  #failure: SkilltapeError | undefined;
  #closed = false;

  private constructor(options: WriterOptions, first: Segment) {
    this.#options = options;
    this.#active = first;
    this.#planned = first;
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

  /** Bytes of the segments not reported as sealed yet, with everything accepted but not written. */
  get openBytes(): number {
    return this.#sealedPlannedBytes + this.#planned.plannedBytes + END_MARK_BYTES + this.#waitingBytes;
  }

  written(): Position {
    return { segment: this.#active.sequence, offset: this.#active.writtenBytes };
  }

  append(parts: readonly Uint8Array[]): Promise<Position> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    const payloadBytes = parts.reduce((sum, part) => sum + part.length, 0);
    const bytes = frameBytes(payloadBytes);
    this.#appended += 1;
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ parts, payloadBytes, bytes, resolve, reject });
      this.#makeFrames();
    });
  }

  sync(): Promise<void> {
    const refusal = this.#refusal();
    return refusal === undefined ? this.#syncUpTo(this.#appended) : Promise.reject(refusal);
  }

  /** Ends the segment that is written to when it has records and was begun before; whatever comes goes to the next one. */
  async rotate(createdBeforeMs: number): Promise<void> {
    const { createdMs, plannedFrames } = this.#planned;
    if (!this.usable || plannedFrames === 0 || createdMs >= createdBeforeMs) return;
    this.#planNext();
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

  #makeFrames(): void {
    let taken = 0;
    for (const { parts, payloadBytes, bytes, resolve, reject } of this.#waiting) {
      if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > this.#options.pendingMaxBytes) break;
      this.#planRotation(bytes);
      const frame = this.#planned.makeFrame(parts, payloadBytes);
      this.#pending.push({ frame, segment: this.#planned, resolve, reject });
      this.#pendingBytes += bytes;
      this.#waitingBytes -= bytes;
      taken += 1;
    }
    this.#waiting.splice(0, taken);
    if (this.#pending.length > 0) this.#flushSoon();
  }

  /** One turn of the event loop later, so that what arrives together is written together. */
  #flushSoon(): void {
    this.#flush ??= new Promise((done) => setImmediate(() => done(this.#run())));
  }

  #planRotation(bytes: number): void {
    const planned = this.#planned;
    const full = planned.plannedBytes + bytes + END_MARK_BYTES > this.#options.segmentMaxBytes;
    if (full && planned.plannedFrames > 0) this.#planNext();
  }

  #planNext(): void {
    const { plannedBytes, sequence } = this.#planned;
    this.#sealedPlannedBytes += plannedBytes + END_MARK_BYTES;
    this.#planned = new Segment(this.#options.directory, sequence + 1, this.#options.key);
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasWork() && this.#failure === undefined) await this.#writeBatch();
    } catch (thrown) {
      this.#poison(thrown);
    } finally {
      this.#flush = undefined;
    }
  }

  #hasWork(): boolean {
    return this.#pending.length > 0 || this.#planned !== this.#active;
  }

  async #writeBatch(): Promise<void> {
    const next = this.#pending[0]?.segment ?? this.#planned;
    if (next !== this.#active) await this.#runSync(() => this.#rotate(next));
    if (this.#failure !== undefined || this.#pending.length === 0) return;
    const batch = this.#takeBatch();
    await this.#active.append(batch.flatMap(({ frame }) => frame.buffers));
    if (this.#failure !== undefined) return;
    this.#writing = [];
    this.#written += batch.length;
    for (const { frame, resolve } of batch) {
      this.#pendingBytes -= frame.bytes;
      // The cipher made them for this write alone.
      for (const buffer of frame.buffers) freeBuffer(buffer);
      resolve(frame.position);
    }
    this.#makeFrames();
    this.#startSync();
  }

  #takeBatch(): Pending[] {
    let count = 0;
    let buffers = 0;
    for (const { frame, segment } of this.#pending) {
      buffers += frame.buffers.length;
      if (segment !== this.#active || (count > 0 && buffers > BATCH_BUFFERS_MAX)) break;
      count += 1;
    }
    this.#writing = this.#pending.splice(0, count);
    return this.#writing;
  }

  async #rotate(next: Segment): Promise<void> {
    const { sequence, createdMs, plannedBytes } = this.#active;
    const bytes = await this.#seal();
    this.#sealedPlannedBytes -= plannedBytes + END_MARK_BYTES;
    this.#options.onSealed({ sequence, bytes, createdMs });
    await next.create(this.#options.fileSystem);
    this.#active = next;
  }

  async #seal(): Promise<number> {
    const covered = this.#written;
    const bytes = await this.#active.seal();
    this.#markDurable(covered);
    return bytes;
  }

  #syncUpTo(target: number): Promise<void> {
    if (target <= this.#durable) return Promise.resolve();
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
    const refused = [...this.#writing, ...this.#pending, ...this.#waiting, ...this.#syncWaiters];
    this.#writing = [];
    this.#pending = [];
    this.#waiting = [];
    this.#syncWaiters = [];
    for (const { reject } of refused) reject(failure);
    queueMicrotask(() => this.#options.onPoison(failure));
  }
}
