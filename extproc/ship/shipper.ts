import type { ExchangeRecord } from '../exchange/record.ts';
import { decodeRecord, decodeRecordHead } from '../exchange/record.ts';
import type { Delivery } from '../index/port.ts';
import type { Position } from '../journal/position.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { assembleTranscript, readBodyMaxBytes } from '../transcript/transcript.ts';
import { reasonOf } from './reason.ts';

/** What the shipper needs of the journal's reading side. */
export type RecordSource = {
  read(from: Position | null): AsyncIterable<{ position: Position; next: Position; payload: Uint8Array }>;
  readAt(position: Position): Promise<Uint8Array>;
};

/**
 * Takes finished exchanges all the way to the index; one outcome for each, in their order. What it wants to be given
 * again later comes as the same list.
 */
export type TranscriptSink = { deliver(transcripts: readonly Transcript[]): Promise<readonly Delivery[]> };

export type ShipperStatus = {
  /** Everything before this position has been delivered: the journal may free it. */
  delivered: Position | null;
  shipped: number;
  rejected: number;
  openExchanges: number;
};

export type ShipperEvents = {
  onDelivering: (exchangeIds: readonly string[]) => void;
  /** `reason` holds no content. */
  onRejected: (exchangeId: string, reason: string) => void;
};

/**
 * - `caught_up`: everything to the present end of the journal was read and delivered.
 * - `paused`: it was asked to pause after a delivery; there is more.
 * - `retry`: the index would not take exchanges now; they are delivered again at the next call.
 */
export type Advance = { kind: 'caught_up' } | { kind: 'paused' } | { kind: 'retry'; reason: string };

/** One delivery: an index takes many documents in one request, and what is held for it must stay bounded (inv. 10). */
const deliveryExchangesMax = 64;
const deliveryMaxBytes = 8 * 1024 * 1024;

/** Records of all exchanges that are kept as they were read; beyond it, only where they are is remembered (inv. 10). */
export const keptRecordsMaxBytes = 16 * 1024 * 1024;

/** One record of an exchange that was not delivered. */
type OpenRecord = {
  position: Position;
  kind: ExchangeRecord['kind'];
  contentBytes: number;
  /** Null where there was no room. */
  kept: Uint8Array | null;
};

/** `broken`: the ids of those whose records are not whole. */
type Loaded = { transcripts: Transcript[]; broken: string[] };

/**
 * Reads the journal behind the writer and delivers exchanges when their ends are there, many at once. The cursor stays
 * at the start of the oldest exchange that was not delivered, so a restart reads it again from its start: at least
 * once, and the index takes each id once.
 */
export class Shipper {
  readonly #source: RecordSource;
  readonly #sink: TranscriptSink;
  readonly #events: ShipperEvents;
  /** The records of each exchange that was not delivered, in order of arrival of the first one. */
  readonly #open = new Map<string, OpenRecord[]>();
  /** Those of them that are finished, in the order of their ends. */
  #finished: string[] = [];
  #finishedBytes = 0;
  /** The finished ones as they were given to the sink, which would not take them then. */
  #waiting: Loaded | null = null;
  #keptBytes = 0;
  #next: Position | null;
  #shipped = 0;
  #rejected = 0;
  #readUntilMs = 0;

  constructor(source: RecordSource, sink: TranscriptSink, from: Position | null, events: ShipperEvents) {
    this.#source = source;
    this.#sink = sink;
    this.#next = from;
    this.#events = events;
  }

  status(): ShipperStatus {
    const [oldest] = this.#open.values();
    return {
      delivered: oldest?.[0]?.position ?? this.#next,
      shipped: this.#shipped,
      rejected: this.#rejected,
      openExchanges: this.#open.size - this.#finished.length,
    };
  }

  /** When the last record that was read was made, by the clock then; 0 before. */
  get readUntilMs(): number {
    return this.#readUntilMs;
  }

  /** Its start was read, and it was not delivered. */
  isOpen(exchangeId: string): boolean {
    return this.#open.has(exchangeId);
  }

  /**
   * Reads on. Under steady traffic the end of the journal is never reached, so after each delivery `shouldPause` is
   * asked: the caller saves the cursor and looks for commands then. Throws what the journal throws: a record that
   * cannot be read is nobody's to pass over; what stands before it is delivered.
   */
  async advance(shouldPause: () => boolean = () => false): Promise<Advance> {
    const waiting = await this.#deliverFinished();
    if (waiting !== null) return waiting;
    try {
      for await (const { position, next, payload } of this.#source.read(this.#next)) {
        this.#take(payload, position);
        this.#next = next;
        if (this.#finished.length < deliveryExchangesMax && this.#finishedBytes < deliveryMaxBytes) continue;
        const retry = await this.#deliverFinished();
        if (retry !== null) return retry;
        if (shouldPause()) return { kind: 'paused' };
      }
    } catch (fault) {
      await this.#deliverFinished();
      throw fault;
    }
    return (await this.#deliverFinished()) ?? { kind: 'caught_up' };
  }

  #take(payload: Uint8Array, position: Position): void {
    const { kind, exchangeId, contentBytes, timeMs } = decodeRecordHead(payload);
    this.#readUntilMs = timeMs;
    if (kind === 'started' && !this.#open.has(exchangeId)) this.#open.set(exchangeId, []);
    const records = this.#open.get(exchangeId);
    // Records whose start lies before the cursor belong to an exchange that was delivered already.
    if (records === undefined) return;
    const isKept = this.#keptBytes + payload.length <= keptRecordsMaxBytes;
    if (isKept) this.#keptBytes += payload.length;
    records.push({ position, kind, contentBytes, kept: isKept ? payload : null });
    if (kind !== 'finished' || this.#finished.includes(exchangeId)) return;
    this.#finished.push(exchangeId);
    this.#finishedBytes += records.reduce((sum, record) => sum + record.contentBytes, 0);
  }

  /** Null when nothing is left to deliver. */
  async #deliverFinished(): Promise<Advance | null> {
    if (this.#finished.length === 0) return null;
    this.#waiting ??= await this.#loadFinished();
    const { transcripts, broken } = this.#waiting;
    const deliveries = await this.#taken(transcripts);
    const retry = deliveries.find((delivery) => delivery.kind === 'retry');
    if (retry !== undefined) return retry;
    this.#waiting = null;
    for (const exchangeId of broken) this.#reject(exchangeId, 'its records are not whole');
    for (const [at, { exchangeId }] of transcripts.entries()) {
      const delivery = deliveries[at];
      if (delivery?.kind === 'accepted') this.#shipped += 1;
      if (delivery?.kind === 'rejected') this.#reject(exchangeId, delivery.reason);
    }
    for (const exchangeId of this.#finished) this.#forget(exchangeId);
    this.#finished = [];
    this.#finishedBytes = 0;
    return null;
  }

  async #loadFinished(): Promise<Loaded> {
    const loaded: Loaded = { transcripts: [], broken: [] };
    for (const exchangeId of this.#finished) {
      const transcript = await this.#load(this.#open.get(exchangeId) ?? []);
      if (transcript === null) loaded.broken.push(exchangeId);
      else loaded.transcripts.push(transcript);
    }
    return loaded;
  }

  /** An exchange that nothing can be made of must not stop the others: it is told from them, counted and passed. */
  async #taken(transcripts: readonly Transcript[]): Promise<readonly Delivery[]> {
    if (transcripts.length === 0) return [];
    this.#events.onDelivering(transcripts.map(({ exchangeId }) => exchangeId));
    try {
      return await this.#sink.deliver(transcripts);
    } catch (thrown) {
      if (transcripts.length === 1) return [{ kind: 'rejected', reason: reasonOf(thrown) }];
      const deliveries: Delivery[] = [];
      for (const transcript of transcripts) deliveries.push(...(await this.#taken([transcript])));
      return deliveries;
    }
  }

  /** Null when its records are not whole. Of a body that is too large only a beginning is loaded. */
  async #load(records: readonly OpenRecord[]): Promise<Transcript | null> {
    const unread = { request: 0, answer: 0 };
    const loaded: ExchangeRecord[] = [];
    let room = readBodyMaxBytes;
    for (const { position, kind, contentBytes, kept } of records) {
      const body = kind === 'request_body' ? 'request' : kind === 'answer_body' ? 'answer' : null;
      if (body !== null) room -= contentBytes;
      if (body !== null && room < 0) unread[body] += contentBytes;
      else loaded.push(decodeRecord(kept ?? (await this.#source.readAt(position))));
    }
    return assembleTranscript(loaded, unread);
  }

  #forget(exchangeId: string): void {
    for (const { kept } of this.#open.get(exchangeId) ?? []) this.#keptBytes -= kept?.length ?? 0;
    this.#open.delete(exchangeId);
  }

  #reject(exchangeId: string, reason: string): void {
    this.#rejected += 1;
    this.#events.onRejected(exchangeId, reason);
  }
}
