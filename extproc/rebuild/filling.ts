/** Fills an index from what is recorded, by the one function that fills it otherwise: shipping's. */
import { SkilltapeError } from '../errors.ts';
import type { ShipMemory } from '../index/memory.ts';
import type { Delivery, IndexSearch } from '../index/port.ts';
import { transcriptOf } from '../remask/archived-exchanges.ts';
import { withLinkOf } from '../remask/mask-again.ts';
import { deliveryMaxBytes } from '../ship/follower.ts';
import { createPipeline, endedTheThread, type PipelineParts } from '../ship/pipeline.ts';
import { reasonOf } from '../ship/reason.ts';
import { type FollowedJournal, Shipper } from '../ship/shipper.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { type LeftOf, leavingOut } from './left.ts';
import { type ArchiveChains, type Archived, inOrderOfEnds, type Place } from './order.ts';
import type { Progress } from './progress.ts';

export type FillingParts = Omit<
  PipelineParts,
  'archive' | 'tokenKeeper' | 'reduced' | 'onReading' | 'onMaskingFailed' | 'onFindings'
> & {
  /** Of the new index. */
  search: Pick<IndexSearch, 'get'>;
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

export class Filling {
  readonly #parts: FillingParts;
  readonly #progress: Progress;
  readonly #pipeline: ReturnType<typeof createPipeline>;
  readonly #reduced = new Set<string>();
  readonly #classes = new Map<string, string>();
  /** Documents of a delivery of which nothing is left. */
  readonly #expired = new Set<string>();

  /** `progress` is kept up to date. */
  constructor(parts: FillingParts, progress: Progress) {
    this.#parts = parts;
    this.#progress = progress;
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
  async fromArchive(archive: ArchiveChains): Promise<string | null> {
    let batch: Transcript[] = [];
    let bytes = 0;
    let reached: Place[] = [];
    const deliver = async (): Promise<string | null> => {
      const waiting = await this.#deliver(batch);
      if (waiting !== null) return waiting;
      for (const place of reached) this.#pass(place);
      await this.#parts.save(this.#progress);
      [batch, bytes, reached] = [[], 0, []];
      return null;
    };
    for await (const archived of inOrderOfEnds(archive, this.#progress.places)) {
      const transcript = await this.#transcriptOf(archived);
      if (transcript !== null) {
        batch.push(transcript);
        bytes += transcript.requestBytes + transcript.answerBytes;
      }
      reached.push(archived.at);
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
    for (const transcript of transcripts) if (!(await has(transcript.exchangeId))) missing.push(transcript);
    for (const { finishedMs } of missing) this.#parts.onReached(finishedMs);
    const waiting = await this.#deliver(missing);
    return transcripts.map(() => (waiting === null ? { kind: 'accepted' } : { kind: 'retry', reason: waiting }));
  }

  async #transcriptOf(archived: Archived): Promise<Transcript | null> {
    switch (archived.kind) {
      case 'unopened':
        this.#progress.counts.erased += 1;
        return null;
      case 'damaged':
        return this.#failed('damaged', archived.exchangeId, archived.reason);
      case 'found':
        return this.#load(archived);
      default:
        return archived satisfies never;
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

  #pass({ writer, retentionClass, segment, frame }: Place): void {
    const others = this.#progress.places.filter(
      (place) => place.writer !== writer || place.retentionClass !== retentionClass,
    );
    this.#progress.places = [...others, { writer, retentionClass, segment, frame }];
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
