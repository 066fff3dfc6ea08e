/** The reading side: exchanges as they were recorded, by id or in the order in which they were archived. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { decodeRecordHead, recordOf } from '../exchange/record.ts';
import type { FileSystem } from '../journal/fs.ts';
import type { Opener } from './cipher.ts';
import { decodeManifest, type Extent, type Manifest, type StreamName } from './extent.ts';
import { jsonOf, type SegmentHeader } from './format.ts';
import { addToDigest, streamOf } from './packer.ts';
import { type SegmentPlace, segmentPath, segmentsIn, writersIn } from './places.ts';
import { corrupt, type ExchangeEntry, SegmentReader, type Unopened } from './segment-reader.ts';
import { ByteReader } from './varint.ts';

/** Where an exchange stands in the archive. */
export type ArchivePlace = { writer: string; retentionClass: string; day: string; segment: number; frame: number };

export type StoredExchange = {
  exchangeId: string;
  at: ArchivePlace;
  /** Its records as the journal had them, in their order; one is in memory at a time. @throws SkilltapeError `archive_corrupt` */
  records(): AsyncGenerator<Buffer>;
  /** The masked documents that the index was given. */
  documents(): Promise<unknown[]>;
};

/** `unopened`: the exchange is there, and the key that it was sealed with is not. */
export type ReadOutcome =
  | { kind: 'found'; exchange: StoredExchange }
  | { kind: 'unopened'; exchangeId: string; at: ArchivePlace; why: Unopened }
  | { kind: 'absent' };

/** Moments in milliseconds: when the exchange began, which its id says. */
export type Range = { fromMs?: number; toMs?: number };

export type ArchiveReaderOptions = { directory: string; fileSystem: FileSystem; opener: Opener };

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
      const segment = await this.#segment(path);
      const entry = segment.exchanges.find((one) => one.exchangeId === exchangeId);
      if (entry !== undefined) return this.#stored(segment, entry);
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
      const { exchanges } = await this.#segment(path);
      for (const entry of exchanges) {
        const beganMs = beganMsOf(entry.exchangeId);
        if (beganMs < fromMs || beganMs >= toMs || !isWanted(entry.exchangeId)) continue;
        // Others may have been opened since, and this one closed.
        yield await this.#stored(await this.#segment(path), entry);
      }
    }
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const segment of all) await segment.close();
  }

  /** Those of days on which what began in this range may have ended. */
  async #segments({ fromMs }: Required<Range>): Promise<SegmentPlace[]> {
    const { directory, fileSystem } = this.#options;
    const firstDay = new Date(Math.max(0, fromMs - dayMs)).toISOString().slice(0, 10);
    const found: SegmentPlace[] = [];
    for (const writer of await writersIn(directory, fileSystem)) {
      const segments = await segmentsIn(join(directory, writer), fileSystem);
      found.push(...segments.filter(({ day }) => day >= firstDay));
    }
    return found;
  }

  async #stored(
    segment: SegmentReader,
    { exchangeId, frame }: ExchangeEntry,
  ): Promise<Exclude<ReadOutcome, { kind: 'absent' }>> {
    const { writer, retentionClass, day, sequence } = segment.header;
    const at = { writer, retentionClass, day, segment: sequence, frame };
    const plain = await segment.plain(frame);
    if ('kind' in plain) return { kind: 'unopened', exchangeId, at, why: plain };
    const manifest = manifestOf(plain, { segment: sequence, frame }, segment.path);
    manifest.streams.request = await this.#requestOf(segment.header, manifest, basesMax);
    const bytes = (name: StreamName) => this.#bytes(segment.header, manifest.streams[name]);
    return {
      kind: 'found',
      exchange: {
        exchangeId,
        at,
        records: () => recordsOf(exchangeId, manifest, bytes, segment.path),
        documents: async () => {
          const found = jsonOf((await joined(bytes('documents'))).toString());
          return Array.isArray(found) ? (found as unknown[]) : [];
        },
      },
    };
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

  async #segment(path: string): Promise<SegmentReader> {
    const known =
      this.#open.get(path) ?? (await SegmentReader.open(this.#options.fileSystem, path, this.#options.opener));
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

async function* recordsOf(
  exchangeId: string,
  { digest }: Manifest,
  bytes: (name: StreamName) => AsyncGenerator<Buffer>,
  path: string,
): AsyncGenerator<Buffer> {
  const timeline = new ByteReader(await joined(bytes('timeline')));
  const names = ['heads', 'request', 'answer', 'changed'] as const;
  const sources = new Map(names.map((name) => [name, new ByteSource(bytes(name))]));
  const check = createHash('sha256');
  let lastTimeMs = 0;
  while (!timeline.isAtEnd) {
    const version = timeline.uint();
    const kindNumber = timeline.uint();
    const isExact = timeline.uint() === 1;
    const timeMs = isExact ? timeline.bytes(8).readDoubleLE() : lastTimeMs + timeline.int();
    if (!isExact) lastTimeMs = timeMs;
    const length = timeline.uint();
    const empty = recordOf({ exchangeId, version, kindNumber, timeMs, content: new Uint8Array() });
    const content = await sources.get(streamOf(decodeRecordHead(empty).kind))?.take(length);
    if (content === undefined) throw corrupt(path, 0, 'an exchange has fewer bytes than its timeline says');
    const payload = recordOf({ exchangeId, version, kindNumber, timeMs, content });
    addToDigest(check, payload);
    yield payload;
  }
  if (!check.digest().equals(digest)) throw corrupt(path, 0, 'an exchange is not put together as it was recorded');
}

/** Bytes of one run, in pieces of any length. */
class ByteSource {
  readonly #source: AsyncGenerator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncGenerator<Buffer>) {
    this.#source = source;
  }

  /** Undefined when there are not so many. */
  async take(length: number): Promise<Buffer | undefined> {
    const parts = [this.#held];
    let held = this.#held.length;
    while (held < length) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      parts.push(next.value);
      held += next.value.length;
    }
    const all = parts.length === 1 ? this.#held : Buffer.concat(parts);
    this.#held = all.subarray(length);
    return all.subarray(0, length);
  }
}

async function joined(source: AsyncGenerator<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
