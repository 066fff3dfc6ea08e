/** The reading side: exchanges as they were recorded, by id or in the order in which they were archived. */
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { type FileSystem, isSystemError } from '../journal/fs.ts';
import { isOfMetadata } from './chain-name.ts';
import type { Opener } from './cipher.ts';
import { headsOf, joined, recordsOf } from './exchange-records.ts';
import { decodeManifest, type Extent, type Manifest, type StreamName } from './extent.ts';
import { type JournalPlace, jsonOf, type SegmentHeader } from './format.ts';
import { excerptInstead, storedIn } from './held-places.ts';
import { type SegmentPlace, segmentPath, writersIn } from './places.ts';
import { corrupt, type ExchangeEntry, SegmentReader, type Unopened } from './segment-reader.ts';

/** Where an exchange stands in the archive. `retentionClass`: the name of the chain. */
export type ArchivePlace = { writer: string; retentionClass: string; day: string; segment: number; frame: number };

export type StoredExchange = {
  exchangeId: string;
  at: ArchivePlace;
  /** Its records as the journal had them, in their order; one is in memory at a time. @throws SkilltapeError `archive_corrupt` */
  records(): AsyncGenerator<Buffer>;
  /**
   * The same without the bytes of its bodies, which are not read: their records have empty content. Cheaper by far, and
   * each frame is authentic, but that all of them together are what was recorded is known by `records` alone.
   */
  heads(): AsyncGenerator<{ payload: Buffer; contentBytes: number }>;
  /** Where its end stood in a journal. */
  place: JournalPlace;
  /** The masked documents that the index was given. */
  documents(): Promise<unknown[]>;
  /** Of a reader of metadata: what was to be kept. */
  metadata(): Promise<unknown>;
};

/** `unopened`: the exchange is there, and the key that it was sealed with is not. */
export type ReadOutcome =
  | { kind: 'found'; exchange: StoredExchange }
  | { kind: 'unopened'; exchangeId: string; at: ArchivePlace; why: Unopened }
  | { kind: 'absent' };

/** An exchange of which the archive has bytes that are not what was written. */
export type Damaged = { kind: 'damaged'; exchangeId: string; at: ArchivePlace; reason: string };

export type Chain = Pick<ArchivePlace, 'writer' | 'retentionClass'>;

/** Moments in milliseconds: when the exchange began, which its id says. */
export type Range = { fromMs?: number; toMs?: number };

/** `metadata`: what is left of exchanges when the days of their content are over; they have no records. */
export type ArchiveReaderOptions = {
  directory: string;
  fileSystem: FileSystem;
  opener: Opener;
  of?: 'exchanges' | 'metadata';
};

const openSegmentsMax = 16;
/** More than a writer makes. */
const basesMax = 64;
const dayMs = 86_400_000;

export class ArchiveReader {
  readonly #options: ArchiveReaderOptions;
  /** The one used last at the end. */
  readonly #open = new Map<string, SegmentReader>();

  constructor(options: ArchiveReaderOptions) {
    this.#options = options;
  }

  async read(exchangeId: string): Promise<ReadOutcome> {
    const beganMs = beganMsOf(exchangeId);
    for (const { path } of await this.#segments({ fromMs: beganMs, toMs: Number.POSITIVE_INFINITY })) {
      const segment = await this.#ifThere(path);
      const entry = segment?.exchanges.find((one) => one.exchangeId === exchangeId);
      if (segment !== undefined && entry !== undefined) return this.#stored(segment, entry);
    }
    return { kind: 'absent' };
  }

  /** Those that are wanted, class by class and writer by writer, in the order in which they were archived. */
  async *exchanges(
    range: Range = {},
    isWanted: (exchangeId: string) => boolean = () => true,
  ): AsyncGenerator<Exclude<ReadOutcome, { kind: 'absent' }>> {
    const { fromMs = 0, toMs = Number.POSITIVE_INFINITY } = range;
    for (const { path } of await this.#segments({ fromMs, toMs })) {
      for await (const { segment, entry } of this.#entries(path)) {
        const beganMs = beganMsOf(entry.exchangeId);
        if (beganMs >= fromMs && beganMs < toMs && isWanted(entry.exchangeId)) yield await this.#stored(segment, entry);
      }
    }
  }

  /** One for each writer and retention class; the segments of a chain stand one behind the other. */
  async chains(): Promise<Chain[]> {
    const found = new Map<string, Chain>();
    for (const { writer, retentionClass } of await this.#segments({ fromMs: 0, toMs: Number.POSITIVE_INFINITY }))
      found.set(`${writer}/${retentionClass}`, { writer, retentionClass });
    return [...found.values()];
  }

  /** Those of one chain behind a place, in the order in which they were archived. */
  async *chain(
    { writer, retentionClass }: Chain,
    behind: { segment: number; frame: number } | null,
  ): AsyncGenerator<Exclude<ReadOutcome, { kind: 'absent' }> | Damaged> {
    for (const place of await this.#segments({ fromMs: 0, toMs: Number.POSITIVE_INFINITY })) {
      if (place.writer !== writer || place.retentionClass !== retentionClass) continue;
      if (behind !== null && place.sequence < behind.segment) continue;
      for await (const { segment, entry } of this.#entries(place.path)) {
        if (behind !== null && place.sequence === behind.segment && entry.frame <= behind.frame) continue;
        yield await this.#storedOrDamaged(segment, entry);
      }
    }
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const segment of all) await segment.close();
  }

  /** Those of days on which what began in this range may have ended. */
  async #segments({ fromMs }: Required<Range>): Promise<(SegmentPlace & { writer: string })[]> {
    const { directory, fileSystem, of = 'exchanges' } = this.#options;
    const firstDay = new Date(Math.max(0, fromMs - dayMs)).toISOString().slice(0, 10);
    const found: (SegmentPlace & { writer: string })[] = [];
    for (const writer of await writersIn(directory, fileSystem)) {
      const segments = await storedIn(join(directory, writer), fileSystem);
      for (const segment of segments) {
        const isOfThose = isOfMetadata(segment.retentionClass) === (of === 'metadata');
        if (isOfThose && segment.day >= firstDay) found.push({ ...segment, writer });
      }
    }
    return found;
  }

  /** Those that are there when it is their turn: retention may take the segment, or leave of it what is held. */
  async *#entries(path: string): AsyncGenerator<{ segment: SegmentReader; entry: ExchangeEntry }> {
    let known = await this.#ifThere(path);
    let left: ReadonlySet<number> | undefined;
    for (const entry of known?.exchanges ?? []) {
      // Others may have been opened since, and this one closed.
      const segment = await this.#ifThere(path);
      if (segment === undefined) return;
      if (segment !== known) left = new Set(segment.exchanges.map(({ frame }) => frame));
      known = segment;
      if (left?.has(entry.frame) ?? true) yield { segment, entry };
    }
  }

  async #stored(
    segment: SegmentReader,
    { exchangeId, frame, place }: ExchangeEntry,
  ): Promise<Exclude<ReadOutcome, { kind: 'absent' }>> {
    const { writer, retentionClass, day, sequence } = segment.header;
    const at = { writer, retentionClass, day, segment: sequence, frame };
    const plain = await segment.plain(frame);
    if ('kind' in plain) return { kind: 'unopened', exchangeId, at, why: plain };
    const manifest = manifestOf(plain, { segment: sequence, frame }, segment.path);
    manifest.streams.request = await this.#requestOf(segment.header, manifest, basesMax);
    const bytes = (name: StreamName) => this.#bytes(segment.header, manifest.streams[name]);
    const metadata = async () => jsonOf((await joined(bytes('documents'))).toString());
    return {
      kind: 'found',
      exchange: {
        exchangeId,
        at,
        place,
        heads: () => headsOf(exchangeId, bytes, segment.path),
        records: () => recordsOf(exchangeId, manifest, bytes, segment.path),
        documents: async () => {
          const found = await metadata();
          return Array.isArray(found) ? (found as unknown[]) : [];
        },
        metadata,
      },
    };
  }

  async #storedOrDamaged(segment: SegmentReader, entry: ExchangeEntry) {
    try {
      return await this.#stored(segment, entry);
    } catch (thrown) {
      if (!(thrown instanceof SkilltapeError) || thrown.code !== 'archive_corrupt') throw thrown;
      const { exchangeId, frame } = entry;
      const { writer, retentionClass, day, sequence } = segment.header;
      const at = { writer, retentionClass, day, segment: sequence, frame };
      return { kind: 'damaged' as const, exchangeId, at, reason: thrown.message };
    }
  }

  /** With what its base has, and that of the base before it. */
  async #requestOf(home: SegmentHeader, { base, streams }: Manifest, deeper: number): Promise<Extent[]> {
    if (base === null) return streams.request;
    const { path, plain } = await this.#plainOf(home, base);
    if (deeper === 0) throw corrupt(path, 0, `the request in frame ${base.frame} refers too far back`);
    const extents = await this.#requestOf(home, manifestOf(plain, base, path), deeper - 1);
    return [...extents.slice(0, base.count), ...streams.request];
  }

  async #plainOf(
    home: SegmentHeader,
    at: { segment: number; frame: number },
  ): Promise<{ path: string; plain: Buffer }> {
    const path = segmentPath(join(this.#options.directory, home.writer), { ...home, sequence: at.segment });
    const plain = await (await this.#segment(path)).plain(at.frame);
    if ('kind' in plain)
      throw corrupt(path, 0, 'what belongs to one exchange is sealed with two keys, of which one is gone');
    return { path, plain };
  }

  async *#bytes(home: SegmentHeader, extents: readonly Extent[]): AsyncGenerator<Buffer> {
    for (const { segment, frame, offset, length } of extents) {
      const { path, plain } = await this.#plainOf(home, { segment, frame });
      if (offset + length > plain.length) throw corrupt(path, 0, `frame ${frame} has no byte ${offset + length}`);
      yield plain.subarray(offset, offset + length);
    }
  }

  /** A segment that went, also in this moment: what holds kept of it stands elsewhere. Undefined where they kept nothing. */
  async #opened(path: string): Promise<SegmentReader | undefined> {
    const { fileSystem, opener } = this.#options;
    try {
      return await SegmentReader.open(fileSystem, path, opener);
    } catch (thrown) {
      if (!isSystemError(thrown, 'ENOENT')) throw thrown;
      const instead = await excerptInstead(path, fileSystem);
      return instead === undefined ? undefined : SegmentReader.open(fileSystem, instead, opener);
    }
  }

  /** @throws SkilltapeError `archive_corrupt` when it went: what was found in it cannot be read to its end */
  async #segment(path: string): Promise<SegmentReader> {
    const segment = await this.#ifThere(path);
    if (segment !== undefined) return segment;
    throw corrupt(path, 0, 'it is not there any more: see its tombstone, or `skilltape verify`');
  }

  async #ifThere(path: string): Promise<SegmentReader | undefined> {
    const known = this.#open.get(path) ?? (await this.#opened(path));
    if (known === undefined) return undefined;
    this.#open.delete(path);
    this.#open.set(path, known);
    const [oldest] = this.#open;
    if (this.#open.size > openSegmentsMax && oldest !== undefined) {
      this.#open.delete(oldest[0]);
      await oldest[1].close();
    }
    return known;
  }
}

/** The time in a UUIDv7 (RFC 9562 section 5.7). */
export function beganMsOf(exchangeId: string): number {
  const time = Number.parseInt(exchangeId.replaceAll('-', '').slice(0, 12), 16);
  if (Number.isSafeInteger(time)) return time;
  throw new SkilltapeError('usage', `"${exchangeId}" is not the id of an exchange`, {
    remedy: 'Ids are listed by `skilltape search`.',
  });
}

function manifestOf(plain: Buffer, home: { segment: number; frame: number }, path: string): Manifest {
  try {
    const length = plain.readUInt32LE(plain.length - 4);
    return decodeManifest(plain.subarray(plain.length - 4 - length, plain.length - 4), home);
  } catch (cause) {
    throw corrupt(
      path,
      0,
      `the manifest in frame ${home.frame} cannot be read: ${cause instanceof Error ? cause.message : ''}`,
    );
  }
}
