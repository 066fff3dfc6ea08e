import type { JournalPlace } from '../archive/format.ts';
import { SkilltapeError } from '../errors.ts';
import type { Delivery } from '../index/port.ts';
import type { Position } from '../journal/position.ts';
import type { LargeWork } from '../large-work.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { AttemptLinks } from './attempt-links.ts';
import type { FinishedExchange, RecordSource } from './follower.ts';
import { deliveryExchangesMax, deliveryMaxBytes, JournalFollower } from './follower.ts';
import type { ShipperStatus } from './protocol.ts';
import { reasonOf } from './reason.ts';
import type { Recorded } from './recorded.ts';

/**
 * Takes finished exchanges all the way to the index; one outcome for each, in their order. What it wants to be given
 * again later comes as the same list. `recorded` has the records of each, in the same order. Throws `archive_failed` when
 * the archive took none of them: all are given again.
 */
export type TranscriptSink<Outcome extends Taken = Taken> = {
  deliver(transcripts: readonly Transcript[], recorded: readonly Recorded[]): Promise<readonly Outcome[]>;
};
/** `erased`: of a person who was erased after it began, and so left out of archive and index. */
export type Taken = Delivery | { kind: 'erased' };

export type ShipperEvents = {
  onDelivering: (exchangeIds: readonly string[]) => void;
  /** `reason` holds no content. */
  onRejected: (exchangeId: string, reason: string) => void;
};

/**
 * - `caught_up`: everything to the present end of the journals was read and delivered.
 * - `paused`: it was asked to pause after a delivery; there is more.
 * - `retry`: the index would not take exchanges now, or the archive; they are delivered again at the next call.
 */
export type Advance =
  | { kind: 'caught_up' }
  | { kind: 'paused' }
  | { kind: 'retry'; reason: string; waitsFor?: 'archive' };

/** A journal that is followed; `number` is its own, whatever its place in the list. */
export type FollowedJournal = { source: RecordSource; from: Position | null; number?: number };

type Chosen = FinishedExchange & { follower: JournalFollower; journal: number };

/** `broken`: the ids of those whose records are not whole. */
type Loaded = { transcripts: Transcript[]; recorded: Recorded[]; broken: string[] };

/**
 * Delivers exchanges when their ends are in a journal, many at once, those of all journals in the order of their ends:
 * which exchange brought a turn or a thing is said of the first one that is delivered. Each comes at least once, and the
 * index takes each id once.
 *
 * One caller's exchanges follow one another through several journals. What is found in one journal is therefore
 * delivered only when all the others were read once more after it: whatever was written before it is known then. This
 * holds without comparing clocks; times decide only between what is there together.
 */
export class Shipper {
  readonly #followers: readonly JournalFollower[];
  readonly #numbers: readonly number[];
  readonly #sink: TranscriptSink;
  readonly #events: ShipperEvents;
  readonly #largeWork: Pick<LargeWork, 'run'>;
  #round = 0;
  #chosen: Chosen[] = [];
  /** The chosen ones as they were given to the sink, which would not take them then. */
  #waiting: Loaded | null = null;
  /** When the last one delivered ended. */
  #deliveredEndMs: number | null = null;
  #shipped = 0;
  #rejected = 0;
  #erased = 0;

  constructor(
    journals: readonly FollowedJournal[],
    sink: TranscriptSink,
    events: ShipperEvents,
    largeWork: Pick<LargeWork, 'run'> = { run: (_, work) => work() },
  ) {
    const shared = { keptBytes: 0, attempts: new AttemptLinks(journals.length) };
    this.#followers = journals.map(({ source, from }) => new JournalFollower(source, from, shared));
    this.#numbers = journals.map(({ number = 1 }) => number);
    this.#sink = sink;
    this.#largeWork = largeWork;
    this.#events = events;
  }

  status(): ShipperStatus {
    const open = this.#followers.reduce((sum, { openExchanges }) => sum + openExchanges, 0);
    return {
      delivered: this.#followers.map(({ delivered }) => delivered),
      shipped: this.#shipped,
      rejected: this.#rejected,
      erased: this.#erased,
      openExchanges: open - this.#chosen.length,
      waitingExchanges: this.#followers.reduce((sum, { finished }) => sum + finished.length, this.#chosen.length),
      undeliveredSinceMs: this.#undeliveredSinceMs(),
    };
  }

  /** Its start was read, and it was not delivered. */
  isOpen(exchangeId: string): boolean {
    return this.#followers.some((follower) => follower.isOpen(exchangeId));
  }

  /** Which exchange ended at this place of a journal; null when none did, or the place is not there any more. */
  async endAt({ journal, segment, offset }: JournalPlace): Promise<string | null> {
    const follower = this.#followers[this.#numbers.indexOf(journal)];
    return follower === undefined ? null : follower.endAt({ segment, offset });
  }

  /**
   * Whatever was written to a journal before this moment was read, if `beganMs` is when the last `advance` began: a
   * journal that was read to its end has it all, another one up to its last record that was read. By the clock then.
   */
  readUntilMs(beganMs: number): number {
    return Math.min(...this.#followers.map(({ atEnd, readUntilMs }) => (atEnd ? beganMs : readUntilMs)));
  }

  #undeliveredSinceMs(): number | null {
    const first = this.#chosen[0] ?? this.#earliest()?.finished[0];
    if (first !== undefined) return first.finishedMs;
    return this.#followers.every(({ atEnd }) => atEnd) ? null : this.#deliveredEndMs;
  }

  /**
   * Reads on. Under steady traffic the ends of the journals are never reached, so after each delivery `shouldPause` is
   * asked: the caller saves the cursors and looks for commands then. Throws what a journal throws: a record that cannot
   * be read is nobody's to pass over; what stands before it and in other journals is delivered first.
   */
  async advance(shouldPause: () => boolean = () => false): Promise<Advance> {
    for (;;) {
      const retry = await this.#deliverChosen();
      if (retry !== null) return retry;
      const fault = await this.#readRound();
      this.#choose();
      if (this.#chosen.length > 0) {
        const refused = await this.#deliverChosen();
        if (refused !== null) return refused;
      }
      const isMore = this.#followers.some(({ finished, atEnd }) => finished.length > 0 || !atEnd);
      if (fault !== null && !this.#followers.some(({ finished }) => finished.length > 0)) throw fault.thrown;
      if (!isMore) return { kind: 'caught_up' };
      if (shouldPause()) return { kind: 'paused' };
    }
  }

  async close(): Promise<void> {
    for (const follower of this.#followers) await follower.close();
  }

  /** A journal that cannot be read does not hold up the others. */
  async #readRound(): Promise<{ thrown: unknown } | null> {
    this.#round += 1;
    let fault: { thrown: unknown } | null = null;
    for (const follower of this.#followers) {
      await follower.readOn(this.#round).catch((thrown: unknown) => {
        fault ??= { thrown };
      });
    }
    return fault;
  }

  /**
   * Takes from the queues in the order of time, as far as nothing earlier can be missing. The queue of a journal that
   * was not read to its end does not run out in here: it holds as much as one delivery takes.
   */
  #choose(): void {
    let bytes = 0;
    while (this.#chosen.length < deliveryExchangesMax && bytes < deliveryMaxBytes) {
      const follower = this.#earliest();
      const first = follower?.finished[0];
      if (follower === undefined || first === undefined) return;
      if (this.#followers.length > 1 && first.round === this.#round) return;
      follower.takeFirst();
      this.#chosen.push({ ...first, follower, journal: this.#numbers[this.#followers.indexOf(follower)] ?? 1 });
      bytes += first.contentBytes;
    }
  }

  #earliest(): JournalFollower | undefined {
    const timeOf = ({ finished }: JournalFollower): number => finished[0]?.finishedMs ?? Number.POSITIVE_INFINITY;
    return this.#followers.reduce((best, next) => (timeOf(next) < timeOf(best) ? next : best));
  }

  /** Null when nothing is left to deliver. */
  async #deliverChosen(): Promise<Advance | null> {
    if (this.#chosen.length === 0) return null;
    // What was read before and only waits for the index takes no more memory.
    const bytes = this.#waiting === null ? this.#chosen.reduce((sum, { contentBytes }) => sum + contentBytes, 0) : 0;
    const outcome = await this.#largeWork.run(bytes, () => this.#loadAndDeliver()).catch(archiveAway);
    if ('kind' in outcome) return outcome;
    const { transcripts, broken, deliveries } = outcome;
    const retry = deliveries.find((delivery) => delivery.kind === 'retry');
    if (retry !== undefined) return retry;
    this.#waiting = null;
    for (const exchangeId of broken) this.#reject(exchangeId, 'its records are not whole');
    for (const [at, { exchangeId }] of transcripts.entries()) {
      const delivery = deliveries[at];
      if (delivery?.kind === 'accepted') this.#shipped += 1;
      if (delivery?.kind === 'erased') this.#erased += 1;
      if (delivery?.kind === 'rejected') this.#reject(exchangeId, delivery.reason);
    }
    for (const { follower, exchangeId } of this.#chosen) follower.forget(exchangeId);
    this.#deliveredEndMs = this.#chosen.at(-1)?.finishedMs ?? null;
    this.#chosen = [];
    return null;
  }

  async #loadAndDeliver(): Promise<Loaded & { deliveries: readonly Taken[] }> {
    this.#waiting ??= await this.#loadChosen();
    for (const follower of new Set(this.#chosen.map((chosen) => chosen.follower))) await follower.sync();
    return { ...this.#waiting, deliveries: await this.#taken(this.#waiting.transcripts, this.#waiting.recorded) };
  }

  async #loadChosen(): Promise<Loaded> {
    const loaded: Loaded = { transcripts: [], recorded: [], broken: [] };
    for (const { follower, exchangeId, finishedMs, journal, position } of this.#chosen) {
      const transcript = await follower.load(exchangeId);
      if (transcript === null) {
        loaded.broken.push(exchangeId);
        continue;
      }
      loaded.transcripts.push(transcript);
      loaded.recorded.push({
        place: { journal, ...position },
        finishedMs,
        records: () => follower.records(exchangeId),
      });
    }
    return loaded;
  }

  /** An exchange that nothing can be made of must not stop the others: it is told from them, counted and passed. */
  async #taken(transcripts: readonly Transcript[], recorded: readonly Recorded[]): Promise<readonly Taken[]> {
    if (transcripts.length === 0) return [];
    this.#events.onDelivering(transcripts.map(({ exchangeId }) => exchangeId));
    try {
      return await this.#sink.deliver(transcripts, recorded);
    } catch (thrown) {
      // The record comes first: nothing is passed over for want of it.
      if (isArchiveFault(thrown)) throw thrown;
      if (transcripts.length === 1) return [{ kind: 'rejected', reason: reasonOf(thrown) }];
      const deliveries: Taken[] = [];
      for (const [at, transcript] of transcripts.entries()) {
        deliveries.push(...(await this.#taken([transcript], recorded.slice(at, at + 1))));
      }
      return deliveries;
    }
  }

  #reject(exchangeId: string, reason: string): void {
    this.#rejected += 1;
    this.#events.onRejected(exchangeId, reason);
  }
}

function isArchiveFault(thrown: unknown): thrown is SkilltapeError {
  return thrown instanceof SkilltapeError && thrown.code === 'archive_failed';
}

function archiveAway(thrown: unknown): Advance & { kind: 'retry' } {
  if (!isArchiveFault(thrown)) throw thrown;
  const { message, remedy } = thrown;
  return { kind: 'retry', reason: remedy === undefined ? message : `${message}. ${remedy}`, waitsFor: 'archive' };
}
