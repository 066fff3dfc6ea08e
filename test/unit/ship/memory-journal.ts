/** A journal in memory: what the shipper reads from, with a log of what it asked for. */
import type { RecordBody, Started } from '../../../extproc/exchange/record.ts';
import { encodeRecord } from '../../../extproc/exchange/record.ts';
import type { Position } from '../../../extproc/journal/position.ts';
import type { RecordSource } from '../../../extproc/ship/follower.ts';
import { decidedOf, exchangeIdOf, finishedOf, startedMs, startedOf } from '../transcript/example.ts';

export class MemoryJournal implements RecordSource {
  readonly payloads: Uint8Array[] = [];
  readonly readPositions: number[] = [];
  readonly #ticks: () => number;
  /** Called before each reading on. */
  onRead: () => void = () => {};
  onSync: () => Promise<void> = async () => {};

  /** Journals that stand beside each other are given one count of milliseconds. */
  constructor(ticks?: () => number) {
    this.#ticks = ticks ?? (() => this.payloads.length);
  }

  append(exchange: number, body: RecordBody): void {
    const record = { exchangeId: exchangeIdOf(exchange), timeMs: startedMs + this.#ticks(), ...body };
    this.payloads.push(new Uint8Array(Buffer.concat(encodeRecord(record))));
  }

  start(exchange: number, started: Partial<Started> = {}): void {
    this.append(exchange, { kind: 'started', started: startedOf(started) });
  }

  prompt(exchange: number, text: string): void {
    this.append(exchange, { kind: 'request_body', bytes: Buffer.from(text) });
  }

  finish(exchange: number): void {
    this.append(exchange, { kind: 'decided', decided: decidedOf() });
    this.append(exchange, { kind: 'finished', finished: finishedOf() });
  }

  /** Everything of one exchange, one record after the other. */
  whole(exchange: number, text = `prompt ${exchange}`): void {
    this.start(exchange);
    this.prompt(exchange, text);
    this.finish(exchange);
  }

  async *read(from: Position | null): AsyncGenerator<{ position: Position; next: Position; payload: Uint8Array }> {
    this.onRead();
    for (let at = from?.offset ?? 0; at < this.payloads.length; at += 1) {
      yield { position: placeOf(at), next: placeOf(at + 1), payload: this.#payloadAt(at) };
    }
  }

  async readAt(position: Position): Promise<Uint8Array> {
    this.readPositions.push(position.offset);
    return this.#payloadAt(position.offset);
  }

  async sync(): Promise<void> {
    await this.onSync();
  }

  #payloadAt(at: number): Uint8Array {
    const payload = this.payloads[at];
    if (payload === undefined) throw new Error(`no record at ${at}`);
    return payload;
  }
}

/** Record number `offset` of the one segment. */
export function placeOf(offset: number): Position {
  return { segment: 1, offset };
}
