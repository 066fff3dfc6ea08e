/** The writing side: takes exchanges in the order of their ends, and answers when all of them are on disk. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { diskFault } from '../disk-fault.ts';
import { SkilltapeError } from '../errors.ts';
import { BlockTables, type KnownChunks } from './blocks.ts';
import { type Checkpoint, checkpointsOf, pointOf, type Tombstone, tombstonesOf } from './checkpoint.ts';
import { Checkpoints } from './checkpoints.ts';
import { type Gear, randomGear } from './chunker.ts';
import type { Person } from './cipher.ts';
import { FrameCompressor } from './compressor.ts';
import { dayOf, isOfDay, isOver } from './day.ts';
import { type Deleted, deleteFamily, type Family, finishDeletions } from './deletion.ts';
import type { JournalMarks } from './marks.ts';
import { type EndReason, OpenSegment, type Slot } from './open-segment.ts';
import type { ArchivedExchange, ArchiveOptions } from './options.ts';
import { Packer } from './packer.ts';
import { checkpointsFile, familyOf, publicKeyFile, segmentPath, tombstonesFile } from './places.ts';
import { type ChainEnd, recoverArchive } from './recover.ts';
import { SignedLog } from './signed-log.ts';
import { publicKeyPem } from './signing.ts';

/** Classes that have a segment open at once, each with a file and its tables; one more ends the one used longest ago. */
const openSegmentsMax = 8;

/** Everything that a start reads, and that a failure lets go of. */
type Writing = {
  ends: Map<string, ChainEnd>;
  marks: JournalMarks;
  checkpoints: Checkpoints;
  stones: SignedLog<Tombstone>;
  tables: BlockTables;
  /** By class; the one used last at the end. */
  open: Map<string, OpenSegment>;
};

export class Archive {
  readonly #options: ArchiveOptions;
  readonly #directory: string;
  readonly #gear: Gear = randomGear();
  readonly #compressor = new FrameCompressor();
  #writing: Writing | undefined;
  readonly #certainBytes = new Map<string, number>();

  constructor(options: ArchiveOptions) {
    this.#options = options;
    this.#directory = join(options.directory, options.key.writer);
  }

  /**
   * On disk on return; what the archive has already is passed over. After a failure nothing of these may be taken for
   * archived: they are to be given again, and what of them did come to disk is found then.
   * @throws SkilltapeError `archive_failed`
   */
  async archive(exchanges: readonly ArchivedExchange[]): Promise<void> {
    await this.#failing(async () => {
      const writing = await this.#begun();
      for (const exchange of exchanges) await this.#add(writing, exchange);
      await this.#sync(writing);
      await writing.checkpoints.writeWhenDue(() => this.#states(writing));
    });
  }

  /**
   * Ends segments whose day is over, so that retention finds them ended, and signs what was not signed yet, when it is
   * time. @throws SkilltapeError `archive_failed`
   */
  async idle(): Promise<void> {
    const writing = this.#writing;
    if (writing === undefined) return;
    await this.#failing(async () => {
      for (const segment of [...writing.open.values()]) {
        if (!isOver(segment.header.day, this.#options.nowMs())) continue;
        await this.#end(writing, segment, 'idle');
        writing.tables.forgetFamily(familyOf(segment.header));
      }
      await writing.checkpoints.writeWhenDue(() => this.#states(writing));
    });
  }

  /**
   * Deletes a class's segments of one day and signs that it did. @throws SkilltapeError `archive_failed`, and
   * `archive_corrupt` for what is damaged or still written
   */
  async deleteFamily(family: Family, reason: string): Promise<Deleted> {
    let deleted: Deleted = { segments: 0, exchanges: 0, bytes: 0 };
    await this.#failing(async () => {
      const writing = await this.#begun();
      const { fileSystem, key, nowMs } = this.#options;
      const open = writing.open.get(family.retentionClass);
      if (open?.header.day === family.day) await this.#end(writing, open, 'day');
      writing.tables.forgetFamily(familyOf(family));
      const parts = { directory: this.#directory, fileSystem, writer: key.writer, log: writing.stones, nowMs };
      deleted = await deleteFamily(parts, family, reason);
      writing.checkpoints.changed();
      await writing.checkpoints.write(this.#states(writing));
    });
    return deleted;
  }

  /** Ends all segments and signs them. @throws SkilltapeError `archive_failed` */
  async close(): Promise<void> {
    const writing = this.#writing;
    try {
      if (writing === undefined) return;
      await this.#failing(async () => {
        for (const segment of [...writing.open.values()]) await this.#end(writing, segment, 'stop');
        await writing.checkpoints.write(this.#states(writing));
      });
    } finally {
      this.#writing = undefined;
      for (const sink of this.#options.sinks) await sink.close?.();
    }
  }

  async #begun(): Promise<Writing> {
    if (this.#writing !== undefined) return this.#writing;
    const { fileSystem, key, onRecovered, sinks, onSinkFailed, nowMs, checkpointIntervalMs } = this.#options;
    await fileSystem.makeDirectory(this.#directory);
    await fileSystem.createSmall(join(this.#directory, publicKeyFile), Buffer.from(publicKeyPem(key.publicKey)));
    const log = new SignedLog<Checkpoint>(join(this.#directory, checkpointsFile), 'checkpoint', key, fileSystem);
    const entries = await log.open(checkpointsOf);
    const stones = new SignedLog<Tombstone>(join(this.#directory, tombstonesFile), 'tombstone', key, fileSystem);
    const deleted = (await stones.open(tombstonesOf)).map(({ value }) => value);
    await finishDeletions(this.#directory, fileSystem, deleted);
    const signed = { checkpoints: entries.map(({ value }) => value), tombstones: deleted };
    const place = { directory: this.#directory, fileSystem, signed, certainBytes: this.#certainBytes };
    const { ends, marks, recovery } = await recoverArchive(place);
    this.#certainBytes.clear();
    onRecovered(recovery);
    const checkpoints = new Checkpoints({
      log,
      tombstones: stones,
      writer: key.writer,
      nowMs,
      checkpointIntervalMs,
      sinks,
      onSinkFailed,
    });
    const signedIds = new Map(log.last?.value.chains.map(({ id, hash }) => [id, hash]));
    // Segments that a crash left open were ended just now.
    for (const end of ends.values()) if (end.isEnded && signedIds.get(end.id) !== end.hash) checkpoints.ended(end);
    this.#writing = { ends, marks, checkpoints, stones, tables: new BlockTables(), open: new Map() };
    return this.#writing;
  }

  async #add(writing: Writing, exchange: ArchivedExchange): Promise<void> {
    const { place, exchangeId, documents } = exchange;
    if (await writing.marks.has(place, exchangeId, this.#options.findEnd)) return;
    const segment = await this.#segmentFor(writing, exchange.retentionClass, dayOf(exchange.finishedMs));
    const known = await this.#knownOf(writing, segment, exchange.person);
    const sink = this.#sinkFor(writing, exchange, segment.header.day, known);
    const packer = new Packer(sink, known, writing.tables.max, this.#gear);
    for await (const payload of exchange.records()) await packer.addRecord(payload);
    await packer.finish(Buffer.from(JSON.stringify(documents)));
    writing.tables.trim();
    const { header } = writing.open.get(exchange.retentionClass) ?? segment;
    writing.marks.written({ ...place, exchangeId }, header);
    writing.checkpoints.changed();
  }

  /** A person who was erased meanwhile begins anew, with another key and nothing known. */
  async #knownOf({ tables }: Writing, segment: OpenSegment, person: Person): Promise<KnownChunks> {
    const [family, name] = [familyOf(segment.header), JSON.stringify(person)];
    const known = tables.of(family, name);
    const used = new Set([known.sealedWith, segment.sealedKeyOf(person)]);
    for (const sealed of used) {
      if (sealed === undefined || (await this.#options.sealer.isCurrent(sealed))) continue;
      segment.forgetSlot(person);
      return tables.renew(family, name);
    }
    return known;
  }

  /** A segment that is full is ended between two frames, also of one exchange: those of a family may refer to each other. */
  #sinkFor(
    writing: Writing,
    { exchangeId, place, person, retentionClass }: ArchivedExchange,
    day: string,
    known: KnownChunks,
  ) {
    // What `next` told holds for `put`: the key's own frame may have filled the segment meanwhile.
    let told: { segment: OpenSegment; slot: Slot } | undefined;
    const ready = async () => {
      const segment = await this.#segmentFor(writing, retentionClass, day);
      return { segment, slot: await segment.slotOf(person, this.#options.sealer) };
    };
    return {
      next: async () => {
        told = await ready();
        return { segment: told.segment.header.sequence, frame: told.segment.nextFrame };
      },
      put: async (kind: 'block' | 'exchange', plain: readonly Uint8Array[]) => {
        const { segment, slot } = told ?? (await ready());
        told = undefined;
        known.sealedWith = slot.sealed;
        await segment.add(kind, slot, { exchangeId: kind === 'exchange' ? exchangeId : '', place }, plain);
      },
    };
  }

  async #segmentFor(writing: Writing, retentionClass: string, day: string): Promise<OpenSegment> {
    const open = writing.open.get(retentionClass);
    if (open !== undefined) {
      const isFull = open.bytes >= this.#options.segmentMaxBytes;
      if (!isFull && isOfDay(open.header.day, day)) {
        writing.open.delete(retentionClass);
        writing.open.set(retentionClass, open);
        return open;
      }
      await this.#end(writing, open, isFull ? 'size' : 'day');
      // A late exchange stays with the family that it was begun in.
      if (isFull && isOfDay(open.header.day, day)) return this.#begin(writing, retentionClass, open.header.day);
      writing.tables.forgetFamily(familyOf(open.header));
    }
    const [oldest] = writing.open.values();
    if (writing.open.size >= openSegmentsMax && oldest !== undefined) await this.#end(writing, oldest, 'idle');
    return this.#begin(writing, retentionClass, day);
  }

  async #begin(writing: Writing, retentionClass: string, day: string): Promise<OpenSegment> {
    const { fileSystem, key, nowMs } = this.#options;
    const before = writing.ends.get(retentionClass);
    const home = { retentionClass, sequence: (before?.segment ?? 0) + 1 };
    const header = {
      writer: key.writer,
      ...home,
      day,
      id: randomBytes(16).toString('hex'),
      createdMs: nowMs(),
      previous: before?.hash ?? null,
      ...writing.marks.forHeader(home),
    };
    const segment = await OpenSegment.create(
      fileSystem,
      segmentPath(this.#directory, header),
      header,
      this.#compressor,
    );
    writing.open.set(retentionClass, segment);
    return segment;
  }

  async #end(writing: Writing, segment: OpenSegment, reason: EndReason): Promise<void> {
    await segment.end(reason);
    writing.open.delete(segment.header.retentionClass);
    const end = pointOf(segment.header, segment.state(), true);
    writing.ends.set(segment.header.retentionClass, end);
    writing.checkpoints.ended(end);
  }

  async #sync({ open, marks }: Writing): Promise<void> {
    for (const segment of open.values()) await segment.sync();
    marks.synced();
  }

  /** Of each class the newest segment. */
  #states({ ends, open }: Writing): ChainEnd[] {
    return [
      ...new Map([
        ...ends,
        ...[...open].map(([name, segment]) => [name, pointOf(segment.header, segment.state(), false)] as const),
      ]).values(),
    ];
  }

  /** Whatever failed, the next attempt begins with what is on disk: after a failed sync the memory of the system lies. */
  async #failing(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (thrown) {
      const writing = this.#writing;
      this.#writing = undefined;
      for (const segment of writing?.open.values() ?? []) {
        this.#certainBytes.set(segment.path, segment.syncedBytes);
        await segment.abandon();
      }
      throw failed(thrown, this.#directory);
    }
  }
}

function failed(thrown: unknown, directory: string): SkilltapeError {
  if (thrown instanceof SkilltapeError && thrown.code !== 'internal') return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const { message, remedy } = diskFault(thrown, directory) ?? {
    message: text,
    remedy: 'Repair the disk that holds it.',
  };
  return new SkilltapeError('archive_failed', `the archive cannot be written: ${message}`, {
    cause: thrown,
    ...(remedy !== undefined && { remedy }),
  });
}
