import { decodeRecord } from '../exchange/record.ts';
import type { Delivery } from '../index/port.ts';
import type { Position } from '../journal/position.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { assembleTranscript } from '../transcript/transcript.ts';
import { reasonOf } from './reason.ts';

/** What the shipper needs of the journal's reading side. */
export type RecordSource = {
  read(from: Position | null): AsyncIterable<{ position: Position; next: Position; payload: Uint8Array }>;
  readAt(position: Position): Promise<Uint8Array>;
};

/** Takes one finished exchange all the way to the index. */
export type TranscriptSink = { deliver(transcript: Transcript): Promise<Delivery> };

export type ShipperStatus = {
  /** Everything before this position has been delivered: the journal may free it. */
  delivered: Position | null;
  shipped: number;
  rejected: number;
  openExchanges: number;
};

/** `reason` holds no content. */
export type ShipperEvents = {
  onDelivering: (exchangeId: string) => void;
  onRejected: (exchangeId: string, reason: string) => void;
};

/**
 * - `caught_up`: everything to the present end of the journal was read.
 * - `paused`: it was asked to pause after a delivery; there is more.
 * - `retry`: the index would not take an exchange now; it is delivered again at the next call.
 */
export type Advance = { kind: 'caught_up' } | { kind: 'paused' } | { kind: 'retry'; reason: string };

/**
 * Reads the journal behind the writer and delivers each exchange when its end is there. The cursor stays at the start
 * of the oldest exchange that is still open, so a restart reads it again from its start: at least once, and the index
 * takes each id once. Memory of an open exchange: the positions of its records.
 */
export class Shipper {
  readonly #source: RecordSource;
  readonly #sink: TranscriptSink;
  readonly #events: ShipperEvents;
  /** Positions of the records of each open exchange, in order of arrival of the first one. */
  readonly #open = new Map<string, Position[]>();
  #next: Position | null;
  #shipped = 0;
  #rejected = 0;

  constructor(source: RecordSource, sink: TranscriptSink, from: Position | null, events: ShipperEvents) {
    this.#source = source;
    this.#sink = sink;
    this.#next = from;
    this.#events = events;
  }

  status(): ShipperStatus {
    const [oldest] = this.#open.values();
    return {
      delivered: oldest?.[0] ?? this.#next,
      shipped: this.#shipped,
      rejected: this.#rejected,
      openExchanges: this.#open.size,
    };
  }

  /**
   * Reads on. Under steady traffic the end of the journal is never reached, so after each delivery `shouldPause` is
   * asked: the caller saves the cursor and looks for commands then. Throws what the journal throws: a record that
   * cannot be read is nobody's to pass over.
   */
  async advance(shouldPause: () => boolean = () => false): Promise<Advance> {
    for await (const { position, next, payload } of this.#source.read(this.#next)) {
      const { kind, exchangeId } = decodeRecord(payload);
      if (kind === 'started' && !this.#open.has(exchangeId)) this.#open.set(exchangeId, []);
      const positions = this.#open.get(exchangeId);
      // Records whose start lies before the cursor belong to an exchange that was delivered already.
      if (positions !== undefined) {
        positions.push(position);
        if (kind === 'finished') {
          const delivery = await this.#deliver(exchangeId, positions);
          if (delivery.kind === 'retry') {
            // The end is read again at the next call; it must not stand in the list twice then.
            positions.pop();
            return delivery;
          }
          this.#open.delete(exchangeId);
          this.#next = next;
          if (shouldPause()) return { kind: 'paused' };
        }
      }
      this.#next = next;
    }
    return { kind: 'caught_up' };
  }

  async #deliver(exchangeId: string, positions: readonly Position[]): Promise<Delivery> {
    this.#events.onDelivering(exchangeId);
    const payloads: Uint8Array[] = [];
    for (const position of positions) payloads.push(await this.#source.readAt(position));
    const delivery = await this.#assembledAndTaken(payloads);
    if (delivery.kind === 'accepted') this.#shipped += 1;
    if (delivery.kind === 'rejected') {
      this.#rejected += 1;
      this.#events.onRejected(exchangeId, delivery.reason);
    }
    return delivery;
  }

  /** One exchange that nothing can be made of must not stop all others: it is counted, reported and passed. */
  async #assembledAndTaken(payloads: readonly Uint8Array[]): Promise<Delivery> {
    try {
      const transcript = assembleTranscript(payloads.map(decodeRecord));
      if (transcript === null) return { kind: 'rejected', reason: 'its records are not whole' };
      return await this.#sink.deliver(transcript);
    } catch (thrown) {
      return { kind: 'rejected', reason: reasonOf(thrown) };
    }
  }
}
