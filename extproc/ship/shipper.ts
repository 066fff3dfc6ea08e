import type { ExchangeRecord } from '../exchange/record.ts';
import { decodeRecord } from '../exchange/record.ts';
import type { Delivery } from '../index/port.ts';
import type { Position } from '../journal/position.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { assembleTranscript } from '../transcript/transcript.ts';

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

/**
 * Reads the journal behind the writer and delivers each exchange when its end is there. The cursor stays at the start
 * of the oldest exchange that is still open, so a restart reads it again from its start: at least once, and the index
 * takes each id once.
 */
export class Shipper {
  readonly #source: RecordSource;
  readonly #sink: TranscriptSink;
  /** Positions of the records of each open exchange, in order of arrival of the first one. */
  readonly #open = new Map<string, Position[]>();
  #next: Position | null;
  #shipped = 0;
  #rejected = 0;

  constructor(source: RecordSource, sink: TranscriptSink, from: Position | null) {
    this.#source = source;
    this.#sink = sink;
    this.#next = from;
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
   * Reads to the present end of the journal. `retry` means that the index would not take an exchange now: call again
   * later, it is delivered again.
   */
  async advance(): Promise<'caught_up' | 'retry'> {
    for await (const { position, next, payload } of this.#source.read(this.#next)) {
      const record = decodeRecord(payload);
      // Records whose start lies before the cursor belong to an exchange that was delivered already.
      if (record.kind === 'started') this.#open.set(record.exchangeId, []);
      this.#open.get(record.exchangeId)?.push(position);
      if (record.kind === 'finished' && !(await this.#deliver(record.exchangeId))) return 'retry';
      this.#next = next;
    }
    return 'caught_up';
  }

  async #deliver(exchangeId: string): Promise<boolean> {
    const positions = this.#open.get(exchangeId) ?? [];
    const records: ExchangeRecord[] = [];
    for (const position of positions) records.push(decodeRecord(await this.#source.readAt(position)));
    const transcript = assembleTranscript(records);
    const delivery = transcript === null ? undefined : await this.#sink.deliver(transcript);
    if (delivery?.kind === 'retry') {
      // The end is read again at the next call; it must not stand in the list twice then.
      positions.pop();
      return false;
    }
    if (delivery?.kind === 'accepted') this.#shipped += 1;
    if (delivery?.kind === 'rejected') this.#rejected += 1;
    this.#open.delete(exchangeId);
    return true;
  }
}
