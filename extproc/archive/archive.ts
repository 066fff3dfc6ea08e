/** The writing side: takes exchanges in the order of their ends, and answers when all of them are on disk. */
import { join } from 'node:path';
import { diskFault } from '../disk-fault.ts';
import { SkilltapeError } from '../errors.ts';
import { BlockTables, KnownChunks } from './blocks.ts';
import { isOfMetadata, metadataChainOf } from './chain-name.ts';
import { type Checkpoint, checkpointsOf, type Tombstone, tombstonesOf } from './checkpoint.ts';
import { Checkpoints } from './checkpoints.ts';
import { type Gear, randomGear } from './chunker.ts';
import type { Person } from './cipher.ts';
import { dayOf } from './day.ts';
import { type Deleted, deleteFamily, type Family, finishDeletions } from './deletion.ts';
import type { OpenSegment, Slot } from './open-segment.ts';
import { OpenSegments } from './open-segments.ts';
import type { ArchivedExchange, ArchiveOptions } from './options.ts';
import { Packer } from './packer.ts';
import { checkpointsFile, familyOf, publicKeyFile, tombstonesFile } from './places.ts';
import { type Marks, recoverArchive } from './recover.ts';
import { SignedLog } from './signed-log.ts';
import { publicKeyPem } from './signing.ts';

/** Everything that a start reads, and that a failure lets go of. */
type Writing = {
  marks: Marks;
  checkpoints: Checkpoints;
  stones: SignedLog<Tombstone>;
  tables: BlockTables;
  segments: OpenSegments;
  /** Pairs of keys that were asked for in this batch. */
  current: Set<string>;
};

export class Archive {
  readonly #options: ArchiveOptions;
  readonly #directory: string;
  readonly #gear: Gear = randomGear();
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
      writing.current.clear();
      for (const exchange of exchanges) await this.#add(writing, exchange);
      await writing.segments.sync();
      writing.marks.exchanges.synced();
      writing.marks.metadata.synced();
      await writing.checkpoints.writeWhenDue(() => writing.segments.states());
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
      await writing.segments.endOver();
      await writing.checkpoints.writeWhenDue(() => writing.segments.states());
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
      const open = writing.segments.of(family.retentionClass);
      if (open?.header.day === family.day) await writing.segments.end(open, 'day');
      writing.tables.forgetFamily(familyOf(family));
      const parts = { directory: this.#directory, fileSystem, writer: key.writer, log: writing.stones, nowMs };
      deleted = await deleteFamily(parts, family, reason);
      writing.checkpoints.changed();
      await writing.checkpoints.write(writing.segments.states());
    });
    return deleted;
  }

  /** Ends all segments and signs them. @throws SkilltapeError `archive_failed` */
  async close(): Promise<void> {
    const writing = this.#writing;
    try {
      if (writing === undefined) return;
      await this.#failing(async () => {
        await writing.segments.endAll('stop');
        await writing.checkpoints.write(writing.segments.states());
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
    const tables = new BlockTables();
    const segments = new OpenSegments({
      ...this.#options,
      ...{ directory: this.#directory, ends },
      marksFor: (home) => marks[isOfMetadata(home.retentionClass) ? 'metadata' : 'exchanges'].forHeader(home),
      onEnded: (end) => checkpoints.ended(end),
      onFamilyOver: (header) => tables.forgetFamily(familyOf(header)),
    });
    this.#writing = { marks, checkpoints, stones, tables, segments, current: new Set() };
    return this.#writing;
  }

  /** Each of both once, whatever of the other a crash left. */
  async #add(writing: Writing, exchange: ArchivedExchange): Promise<void> {
    const { place, exchangeId, person, retentionClass, metadata } = exchange;
    const { findEnd } = this.#options;
    const isThere = await writing.marks.exchanges.has(place, exchangeId, findEnd);
    if (!isThere) await this.#addExchange(writing, exchange);
    if (metadata === null || (await writing.marks.metadata.has(place, exchangeId, findEnd))) return;
    // Else it was asked with the exchange.
    if (isThere) await this.#forgetErased(writing, writing.segments.of(metadataChainOf(retentionClass)), person);
    await this.#addMetadata(writing, exchange);
  }

  async #addExchange(writing: Writing, exchange: ArchivedExchange): Promise<void> {
    const { place, exchangeId, documents } = exchange;
    const segment = await writing.segments.for(exchange.retentionClass, dayOf(exchange.finishedMs));
    const known = await this.#knownOf(writing, segment, exchange.person);
    const sink = this.#sinkFor(writing, exchange, segment.header.day, known);
    const packer = new Packer(sink, known, writing.tables.max, this.#gear);
    for await (const payload of exchange.records()) await packer.addRecord(payload);
    await packer.finish(Buffer.from(JSON.stringify(documents)));
    writing.tables.trim();
    const { header } = writing.segments.of(exchange.retentionClass) ?? segment;
    writing.marks.exchanges.written({ ...place, exchangeId }, header);
    writing.checkpoints.changed();
  }

  /** Refers to nothing that goes before it, and nothing of the content can be told from it. */
  async #addMetadata(writing: Writing, exchange: ArchivedExchange): Promise<void> {
    const { place, exchangeId, metadata } = exchange;
    const chain = metadataChainOf(exchange.retentionClass);
    const segment = await writing.segments.for(chain, dayOf(exchange.finishedMs));
    const known = new KnownChunks();
    const sink = this.#sinkFor(writing, { ...exchange, retentionClass: chain }, segment.header.day, known);
    await new Packer(sink, known, 0, this.#gear).finish(Buffer.from(JSON.stringify(metadata)));
    const { header } = writing.segments.of(chain) ?? segment;
    writing.marks.metadata.written({ ...place, exchangeId }, header);
    writing.checkpoints.changed();
  }

  /** A person who was erased meanwhile begins anew, with another key and nothing known. */
  async #knownOf(writing: Writing, segment: OpenSegment, person: Person): Promise<KnownChunks> {
    const { segments, tables } = writing;
    const [family, name] = [familyOf(segment.header), JSON.stringify(person)];
    const known = tables.of(family, name);
    const metadata = segments.of(metadataChainOf(segment.header.retentionClass));
    const used = [known.sealedWith, segment.sealedKeyOf(person), metadata?.sealedKeyOf(person)];
    if (await this.#areCurrent(writing, used)) return known;
    for (const one of [segment, metadata]) one?.forgetSlot(person);
    return tables.renew(family, name);
  }

  async #forgetErased(writing: Writing, segment: OpenSegment | undefined, person: Person): Promise<void> {
    if (!(await this.#areCurrent(writing, [segment?.sealedKeyOf(person)]))) segment?.forgetSlot(person);
  }

  /**
   * What is sealed to one pair is asked once in a batch: it is a file that is read, and of whoever is erased meanwhile
   * all that is in the batch began before.
   */
  async #areCurrent({ current }: Writing, sealed: readonly (Uint8Array | undefined)[]): Promise<boolean> {
    const { sealer } = this.#options;
    for (const one of sealed) {
      if (one === undefined) continue;
      const pair = sealer.pairOf(one);
      if (current.has(pair)) continue;
      if (!(await sealer.isCurrent(one))) return false;
      current.add(pair);
    }
    return true;
  }

  #sinkFor(
    writing: Writing,
    { exchangeId, place, person, retentionClass }: ArchivedExchange,
    day: string,
    known: KnownChunks,
  ) {
    // What `next` told holds for `put`: the key's own frame may have filled the segment meanwhile.
    let told: { segment: OpenSegment; slot: Slot } | undefined;
    const ready = async () => {
      const segment = await writing.segments.for(retentionClass, day);
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

  /** Whatever failed, the next attempt begins with what is on disk: after a failed sync the memory of the system lies. */
  async #failing(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (thrown) {
      const writing = this.#writing;
      this.#writing = undefined;
      await writing?.segments.abandon((path, certainBytes) => this.#certainBytes.set(path, certainBytes));
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
