/** The segments that a writer has open, one of each chain at most: begun, passed on to the next one, ended. */
import { randomBytes } from 'node:crypto';
import { isOfMetadata } from './chain-name.ts';
import { type ChainPoint, pointOf } from './checkpoint.ts';
import { exchangeLevels, FrameCompressor, metadataLevels } from './compressor.ts';
import { isOfDay, isOver } from './day.ts';
import type { SegmentHeader } from './format.ts';
import { type EndReason, OpenSegment } from './open-segment.ts';
import type { ArchiveOptions } from './options.ts';
import { segmentPath } from './places.ts';
import type { ChainEnd } from './recover.ts';

/** Each with a file and its tables; one more ends the one used longest ago. Eight classes, each with its metadata. */
const openSegmentsMax = 16;

export type OpenSegmentsParts = Pick<ArchiveOptions, 'fileSystem' | 'nowMs' | 'segmentMaxBytes' | 'key'> & {
  /** Of the writer. */
  directory: string;
  /** Where each chain goes on, by its name; kept up to date. */
  ends: Map<string, ChainEnd>;
  /** What a new segment says of the journals. */
  marksFor(home: Pick<SegmentHeader, 'retentionClass' | 'sequence'>): Pick<SegmentHeader, 'journals' | 'uncoveredFrom'>;
  onEnded(end: ChainEnd): void;
  /** Nothing more comes for the family of this segment. */
  onFamilyOver(header: SegmentHeader): void;
};

export class OpenSegments {
  readonly #parts: OpenSegmentsParts;
  readonly #compressors = {
    exchanges: new FrameCompressor(exchangeLevels),
    metadata: new FrameCompressor(metadataLevels),
  };
  /** By the name of the chain; the one used last at the end. */
  readonly #open = new Map<string, OpenSegment>();

  constructor(parts: OpenSegmentsParts) {
    this.#parts = parts;
  }

  of(chain: string): OpenSegment | undefined {
    return this.#open.get(chain);
  }

  /** A segment that is full is ended between two frames, also of one exchange: those of a family may refer to each other. */
  async for(chain: string, day: string): Promise<OpenSegment> {
    const open = this.#open.get(chain);
    if (open !== undefined) {
      const isFull = open.bytes >= this.#parts.segmentMaxBytes;
      if (!isFull && isOfDay(open.header.day, day)) {
        this.#open.delete(chain);
        this.#open.set(chain, open);
        return open;
      }
      await this.end(open, isFull ? 'size' : 'day');
      // A late exchange stays with the family that it was begun in.
      if (isFull && isOfDay(open.header.day, day)) return this.#begin(chain, open.header.day);
      this.#parts.onFamilyOver(open.header);
    }
    const [oldest] = this.#open.values();
    if (this.#open.size >= openSegmentsMax && oldest !== undefined) await this.end(oldest, 'idle');
    return this.#begin(chain, day);
  }

  async end(segment: OpenSegment, reason: EndReason): Promise<void> {
    await segment.end(reason);
    this.#open.delete(segment.header.retentionClass);
    const end = pointOf(segment.header, segment.state(), true);
    this.#parts.ends.set(segment.header.retentionClass, end);
    this.#parts.onEnded(end);
  }

  async endAll(reason: EndReason): Promise<void> {
    for (const segment of [...this.#open.values()]) await this.end(segment, reason);
  }

  /** Those whose day is over, so that retention finds them ended. */
  async endOver(): Promise<void> {
    for (const segment of [...this.#open.values()]) {
      if (!isOver(segment.header.day, this.#parts.nowMs())) continue;
      await this.end(segment, 'idle');
      this.#parts.onFamilyOver(segment.header);
    }
  }

  /** Everything that was added is on disk on return. All at once: the disk takes them together. */
  async sync(): Promise<void> {
    const synced = await Promise.allSettled([...this.#open.values()].map((segment) => segment.sync()));
    for (const one of synced) if (one.status === 'rejected') throw one.reason;
  }

  /** Of each chain the newest segment. */
  states(): ChainPoint[] {
    const open = [...this.#open].map(
      ([name, segment]) => [name, pointOf(segment.header, segment.state(), false)] as const,
    );
    return [...new Map([...this.#parts.ends, ...open]).values()];
  }

  /** After a failure: told of each what is on disk for certain. */
  async abandon(onAbandoned: (path: string, certainBytes: number) => void): Promise<void> {
    for (const segment of this.#open.values()) {
      onAbandoned(segment.path, segment.syncedBytes);
      await segment.abandon();
    }
  }

  async #begin(chain: string, day: string): Promise<OpenSegment> {
    const { fileSystem, key, nowMs, ends, directory, marksFor } = this.#parts;
    const before = ends.get(chain);
    const home = { retentionClass: chain, sequence: (before?.segment ?? 0) + 1 };
    const header = {
      writer: key.writer,
      ...home,
      day,
      id: randomBytes(16).toString('hex'),
      createdMs: nowMs(),
      previous: before?.hash ?? null,
      ...marksFor(home),
    };
    const path = segmentPath(directory, header);
    const compressor = this.#compressors[isOfMetadata(chain) ? 'metadata' : 'exchanges'];
    const segment = await OpenSegment.create(fileSystem, path, header, compressor);
    this.#open.set(chain, segment);
    return segment;
  }
}
