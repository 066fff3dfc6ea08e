/** Fills an index from what is recorded, by the one function that fills it otherwise: shipping's. */
import { isOfMetadata } from '../archive/chain-name.ts';
import { SkilltapeError } from '../errors.ts';
import type { ShipMemory } from '../index/memory.ts';
import type { Delivery, IndexSearch } from '../index/port.ts';
import { transcriptOf } from '../remask/archived-exchanges.ts';
import { withLinkOf } from '../remask/mask-again.ts';
import type { MaskMetadataParts } from '../remask/mask-metadata.ts';
import { deliveryMaxBytes } from '../ship/follower.ts';
import { createPipeline, endedTheThread, type PipelineParts } from '../ship/pipeline.ts';
import { reasonOf } from '../ship/reason.ts';
import { type FollowedJournal, Shipper } from '../ship/shipper.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { FromMetadata, type OfMetadata } from './from-metadata.ts';
import { type LeftOf, leavingOut } from './left.ts';
import { type ArchiveChains, type Archived, inOrderOfEnds, type Place } from './order.ts';
import { type Progress, passed } from './progress.ts';

export type FillingParts = Omit<
  PipelineParts,
  'archive' | 'tokenKeeper' | 'reduced' | 'onReading' | 'onMaskingFailed' | 'onFindings'
> &
  MaskMetadataParts & {
    /** Of the new index. */
    search: Pick<IndexSearch, 'get'>;
    /** Of a person who was erased after it began; a journal may still have it (inv. 9). */
    isErased: (transcript: Transcript) => boolean;
    /** What retention left of a day. */
    leftOf: LeftOf;
    /** Told when the exchange ended that is filled in: memory forgets by that clock, as it did then. */
    onReached: (endedMs: number) => void;
    /** Told after each delivery, when it is in the index; to be on disk when it resolves. */
    save: (progress: Progress) => Promise<void>;
    /** Told of each exchange that is not in the index as it should be; `reason` holds no content. */
    onFailed: (exchangeId: string, reason: string) => void;
  };

type Found = Archived & { kind: 'found' };

/** After so many the place is saved: an attempt that is ended does these again at most. */
const stepExchangesMax = 64;
/** Beyond it metadata of an exchange may come to an index that has its content, which then stays (inv. 10). */
const awaitedMax = 100_000;

export class Filling {
  readonly #parts: FillingParts;
  readonly #progress: Progress;
  readonly #pipeline: ReturnType<typeof createPipeline>;
  readonly #fromMetadata: FromMetadata;
  readonly #reduced = new Set<string>();
  /** Exchanges that are in the index with their content, whose metadata did not come yet. */
  readonly #withContent = new Set<string>();
  readonly #classes = new Map<string, string>();
  /** Documents of a delivery of which nothing is left. */
  readonly #expired = new Set<string>();

  /** `progress` is kept up to date. */
  constructor(parts: FillingParts, progress: Progress) {
    this.#parts = parts;
    this.#progress = progress;
    this.#fromMetadata = new FromMetadata(parts, progress);
    this.#pipeline = createPipeline({
      ...parts,
      ...{ archive: null, tokenKeeper: null, reduced: this.#reduced },
      memory: this.#withArchivedClasses(parts.memory),
      index: leavingOut(parts.index, parts.leftOf, (documentId) => this.#expired.add(documentId)),
      onReading: () => {},
      onFindings: () => {},
      onMaskingFailed: (exchangeId, reason) => {
        progress.counts.maskingFailed += 1;
        parts.onFailed(exchangeId, reason);
      },
    });
  }

  /** All that the archive has behind the places of the progress. Null, or why the index cannot go on now. */
  async fromArchive(archive: ArchiveChains, metadata: ArchiveChains): Promise<string | null> {
    let batch: Transcript[] = [];
    let left: OfMetadata[] = [];
    let bytes = 0;
    let reached: Place[] = [];
    const deliver = async (): Promise<string | null> => {
      const waiting = (await this.#deliver(batch)) ?? (await this.#fromMetadata.deliver(left));
      if (waiting !== null) return waiting;
      for (const place of reached) passed(this.#progress, place);
      await this.#parts.save(this.#progress);
      [batch, left, bytes, reached] = [[], [], 0, []];
      return null;
    };
    for await (const archived of inOrderOfEnds(archive, metadata, this.#progress.places)) {
      const next = await this.#nextOf(archived, archive);
      // Each must find in memory what those before it brought, and nothing of those behind it.
      const isOtherWay = next !== null && ('record' in next ? batch.length > 0 : left.length > 0);
      const waitingBefore = isOtherWay ? await deliver() : null;
      if (waitingBefore !== null) return waitingBefore;
      reached.push(archived.at);
      if (next !== null && 'record' in next) left.push(next);
      else if (next !== null) {
        batch.push(next);
        bytes += next.requestBytes + next.answerBytes;
      }
      if (reached.length < stepExchangesMax && bytes < deliveryMaxBytes) continue;
      const waiting = await deliver();
      if (waiting !== null) return waiting;
    }
    return deliver();
  }

  /** What the journals have and the archive had not; nobody may write to them. Answers as `fromArchive`. */
  async fromJournals(
    journals: readonly FollowedJournal[],
    archive: Pick<ArchiveChains, 'read'>,
  ): Promise<string | null> {
    const isResumed = this.#progress.isInJournals;
    this.#progress.isInJournals = true;
    await this.#parts.save(this.#progress);
    const has = async (exchangeId: string): Promise<boolean> => {
      // An index that shows what it took only after a while is not asked for what was just put there.
      if (!isResumed && this.#parts.memory.retentionClassOf(exchangeId) !== null) return true;
      if ((await this.#parts.search.get(exchangeId)) !== null) return true;
      // A journal keeps what was archived for a while: also of a person who was erased since (inv. 9).
      return (await archive.read(exchangeId)).kind === 'unopened';
    };
    const shipper = new Shipper(
      journals,
      { deliver: async (transcripts) => this.#missingOf(transcripts, has) },
      {
        onDelivering: () => {},
        onRejected: (exchangeId, reason) => this.#failed('rejected', exchangeId, reason),
      },
    );
    try {
      const result = await shipper.advance();
      return result.kind === 'retry' ? result.reason : null;
    } finally {
      await shipper.close();
      await this.#parts.save(this.#progress);
    }
  }

  async #missingOf(
    transcripts: readonly Transcript[],
    has: (exchangeId: string) => Promise<boolean>,
  ): Promise<Delivery[]> {
    const missing: Transcript[] = [];
    for (const transcript of transcripts) {
      if (await has(transcript.exchangeId)) continue;
      if (this.#parts.isErased(transcript)) this.#progress.counts.erased += 1;
      else missing.push(transcript);
    }
    for (const { finishedMs } of missing) this.#parts.onReached(finishedMs);
    const waiting = await this.#deliver(missing);
    return transcripts.map(() => (waiting === null ? { kind: 'accepted' } : { kind: 'retry', reason: waiting }));
  }

  async #nextOf(archived: Archived, archive: ArchiveChains): Promise<Transcript | OfMetadata | null> {
    switch (archived.kind) {
      case 'metadata':
        return this.#withContent.delete(archived.exchangeId) ? null : archived;
      case 'unopened':
        if (await isTwice(archived, archive)) return null;
        this.#progress.counts.erased += 1;
        return null;
      case 'damaged':
        if (await isTwice(archived, archive)) return null;
        return this.#failed('damaged', archived.exchangeId, archived.reason);
      case 'found': {
        const transcript = await this.#load(archived);
        if (transcript !== null) this.#expectMetadataOf(archived.exchange.exchangeId);
        return transcript;
      }
      default:
        return archived satisfies never;
    }
  }

  /** What was written before archives had any is forgotten again; of others it comes soon. */
  #expectMetadataOf(exchangeId: string): void {
    this.#withContent.add(exchangeId);
    if (this.#withContent.size <= awaitedMax) return;
    for (const oldest of this.#withContent) {
      this.#withContent.delete(oldest);
      break;
    }
  }

  async #load({ exchange, endedMs }: Found): Promise<Transcript | null> {
    const { exchangeId, at } = exchange;
    try {
      const [own] = (await exchange.documents()) as (ExchangeDocument | undefined)[];
      const transcript = await transcriptOf(exchange);
      if (transcript === null) return this.#failed('damaged', exchangeId, 'its records are not whole');
      this.#parts.onReached(endedMs);
      this.#classes.set(exchangeId, at.retentionClass);
      if (own?.skilltape.masking.reason === endedTheThread) this.#reduced.add(exchangeId);
      // Which attempt came first was known when both were shipped together.
      return withLinkOf(transcript, own ?? null);
    } catch (thrown) {
      if (!(thrown instanceof SkilltapeError) || thrown.code !== 'archive_corrupt') throw thrown;
      return this.#failed('damaged', exchangeId, thrown.message);
    }
  }

  /** Null, or why the index cannot go on now. What nothing can be made of is told from the others and passed. */
  async #deliver(transcripts: readonly Transcript[]): Promise<string | null> {
    if (transcripts.length === 0) return null;
    let deliveries: readonly Delivery[];
    try {
      deliveries = await this.#pipeline.deliver(transcripts, []);
    } catch (thrown) {
      const [only, ...others] = transcripts;
      if (only !== undefined && others.length === 0) return this.#failed('rejected', only.exchangeId, reasonOf(thrown));
      return this.#deliverEach(transcripts);
    }
    for (const delivery of deliveries) if (delivery.kind === 'retry') return delivery.reason;
    for (const [at, { exchangeId }] of transcripts.entries()) {
      const delivery = deliveries[at];
      if (this.#expired.delete(exchangeId)) this.#progress.counts.expired += 1;
      else if (delivery?.kind === 'accepted' || delivery?.kind === 'duplicate') this.#progress.counts.indexed += 1;
      if (delivery?.kind === 'rejected') this.#failed('rejected', exchangeId, delivery.reason);
      this.#classes.delete(exchangeId);
      this.#reduced.delete(exchangeId);
    }
    this.#expired.clear();
    return null;
  }

  async #deliverEach(transcripts: readonly Transcript[]): Promise<string | null> {
    for (const transcript of transcripts) {
      const waiting = await this.#deliver([transcript]);
      if (waiting !== null) return waiting;
    }
    return null;
  }

  #failed(count: 'damaged' | 'rejected', exchangeId: string, reason: string): null {
    this.#progress.counts[count] += 1;
    this.#parts.onFailed(exchangeId, reason);
    return null;
  }

  /** The class that an exchange is archived in is the one that it was first shipped with. */
  #withArchivedClasses(memory: ShipMemory): ShipMemory {
    return {
      turns: memory.turns,
      links: memory.links,
      rejects: memory.rejects,
      retentionClassOf: (exchangeId) => this.#classes.get(exchangeId) ?? memory.retentionClassOf(exchangeId),
      remember: (...remembered) => memory.remember(...remembered),
      forget: (documentIds) => memory.forget(documentIds),
      forgetExchange: (exchangeId) => memory.forgetExchange(exchangeId),
      close: () => {},
    };
  }
}

/** Metadata of an exchange that is there with its content, readable or not, is told of with that. */
async function isTwice(
  { exchangeId, at }: Extract<Archived, { kind: 'unopened' | 'damaged' }>,
  archive: Pick<ArchiveChains, 'read'>,
): Promise<boolean> {
  return isOfMetadata(at.retentionClass) && (await archive.read(exchangeId)).kind !== 'absent';
}
