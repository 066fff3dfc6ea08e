import { SkilltapeError } from '../errors.ts';
import type { ExchangeRecord } from '../exchange/record.ts';
import { decodeRecord, decodeRecordHead } from '../exchange/record.ts';
import type { Position } from '../journal/position.ts';
import { PassingBytes } from '../large-work.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { assembleTranscript } from '../transcript/transcript.ts';
import type { AttemptLinks } from './attempt-links.ts';
import { LoadedBodies } from './loaded-bodies.ts';

/** What shipping needs of one journal's reading side. */
export type RecordSource = {
  read(from: Position | null): AsyncIterable<{ position: Position; next: Position; payload: Uint8Array }>;
  readAt(position: Position): Promise<Uint8Array>;
  /** Resolves when everything that `read` gave is on disk. */
  sync(): Promise<void>;
};

/** An exchange whose end was read at `position`, in the `round` of reading that came upon it. */
export type FinishedExchange = {
  exchangeId: string;
  position: Position;
  finishedMs: number;
  contentBytes: number;
  round: number;
};

/** One delivery: an index takes many documents in one request, and what is held for it must stay bounded (inv. 10). */
export const deliveryExchangesMax = 256;
export const deliveryMaxBytes = 8 * 1024 * 1024;

/** Records of all journals that are kept as they were read; beyond it, only where they are is remembered (inv. 10). */
export const keptRecordsMaxBytes = 4 * 1024 * 1024;

/** What the followers of all journals share. */
export type Shared = { keptBytes: number; attempts: AttemptLinks };

/** One record of an exchange that was not delivered. */
type OpenRecord = {
  position: Position;
  kind: ExchangeRecord['kind'];
  contentBytes: number;
  /** Null where there was no room. */
  kept: Uint8Array | null;
};

/**
 * Reads one journal behind its writer and gathers the records of each exchange until it was delivered. The cursor stays
 * at the start of the oldest one that was not, so a restart reads it again from its start.
 */
export class JournalFollower {
  readonly #source: RecordSource;
  readonly #shared: Shared;
  /** The records of each exchange that was not delivered, in order of arrival of the first one. */
  readonly #open = new Map<string, OpenRecord[]>();
  #reading: AsyncIterator<{ position: Position; next: Position; payload: Uint8Array }> | undefined;
  #next: Position | null;
  /** Those that wait to be delivered, in the order of their ends. */
  readonly finished: FinishedExchange[] = [];
  #finishedBytes = 0;
  readonly #passing = new PassingBytes();
  /** The last `readOn` came to the end that the journal had then. */
  atEnd = false;
  /** When the last record that was read was made, by the clock then; 0 before. */
  readUntilMs = 0;

  constructor(source: RecordSource, from: Position | null, shared: Shared) {
    this.#source = source;
    this.#next = from;
    this.#shared = shared;
  }

  /** Everything before this position has been delivered: the journal may free it. */
  get delivered(): Position | null {
    const [oldest] = this.#open.values();
    return oldest?.[0]?.position ?? this.#next;
  }

  /** Its start was read, and it was not delivered. */
  isOpen(exchangeId: string): boolean {
    return this.#open.has(exchangeId);
  }

  get openExchanges(): number {
    return this.#open.size - this.finished.length;
  }

  /** To the end, or until as many exchanges wait as one delivery takes. Throws what the journal throws. */
  async readOn(round: number): Promise<void> {
    this.atEnd = false;
    try {
      while (this.finished.length < deliveryExchangesMax && this.#finishedBytes < deliveryMaxBytes) {
        this.#reading ??= this.#source.read(this.#next)[Symbol.asyncIterator]();
        const step = await this.#reading.next();
        if (step.done === true) {
          this.#reading = undefined;
          this.atEnd = true;
          return;
        }
        this.#take(step.value.payload, step.value.position, round);
        this.#next = step.value.next;
        this.#passing.count(2 * step.value.payload.length);
      }
    } catch (fault) {
      await this.close();
      throw fault;
    }
  }

  /** Takes the first of those that wait out of the queue; `load` and `forget` it when it is delivered. */
  takeFirst(): FinishedExchange | undefined {
    const first = this.finished.shift();
    this.#finishedBytes -= first?.contentBytes ?? 0;
    return first;
  }

  /** Null when its records are not whole. Of a body that is too large only a beginning is loaded. */
  async load(exchangeId: string): Promise<Transcript | null> {
    const records = this.#open.get(exchangeId) ?? [];
    const bodies = new LoadedBodies(records);
    const loaded: ExchangeRecord[] = [];
    for (const record of records) {
      if (!bodies.wants(record)) continue;
      const decoded = decodeRecord(record.kept ?? (await this.#source.readAt(record.position)));
      this.#passing.count(2 * record.contentBytes);
      if ('bytes' in decoded) bodies.take(decoded);
      else loaded.push(decoded);
    }
    const transcript = assembleTranscript([...loaded, ...bodies.records(exchangeId)], bodies.unread);
    return transcript === null ? null : this.#shared.attempts.linked(transcript);
  }

  /** All of its records as they were written, also those that `load` leaves out; one is in memory at a time. */
  async *records(exchangeId: string): AsyncGenerator<Uint8Array> {
    for (const { kept, position } of this.#open.get(exchangeId) ?? []) {
      yield kept ?? (await this.#source.readAt(position));
    }
  }

  /** Which exchange ended there; null when none did, or the place is not there any more. */
  async endAt(position: Position): Promise<string | null> {
    try {
      const { kind, exchangeId } = decodeRecordHead(await this.#source.readAt(position));
      return kind === 'finished' ? exchangeId : null;
    } catch (thrown) {
      if (thrown instanceof SkilltapeError && isNoPlace(thrown)) return null;
      throw thrown;
    }
  }

  /** Ends are written without a sync of their own: what a power failure may take back is not told to an index. */
  sync(): Promise<void> {
    return this.#source.sync();
  }

  forget(exchangeId: string): void {
    for (const record of this.#open.get(exchangeId) ?? []) this.#drop(record);
    this.#open.delete(exchangeId);
  }

  #drop(record: OpenRecord): void {
    this.#shared.keptBytes -= record.kept?.length ?? 0;
    record.kept = null;
  }

  async close(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.return?.();
  }

  #take(payload: Uint8Array, position: Position, round: number): void {
    const { kind, exchangeId, contentBytes, timeMs } = decodeRecordHead(payload);
    this.readUntilMs = timeMs;
    if (kind === 'started' && !this.#open.has(exchangeId)) {
      this.#open.set(exchangeId, []);
      this.#shared.attempts.note(payload);
    }
    const records = this.#open.get(exchangeId);
    // Records whose start lies before the cursor belong to an exchange that was delivered already.
    if (records === undefined) return;
    const isKept = this.#shared.keptBytes + payload.length <= keptRecordsMaxBytes;
    if (isKept) this.#shared.keptBytes += payload.length;
    const isSecondEnd = kind === 'finished' && records.some((record) => record.kind === 'finished');
    records.push({ position, kind, contentBytes, kept: isKept ? payload : null });
    if (kind !== 'finished' || isSecondEnd) return;
    const bytes = records.reduce((sum, record) => sum + record.contentBytes, 0);
    this.finished.push({ exchangeId, position, finishedMs: timeMs, contentBytes: bytes, round });
    this.#finishedBytes += bytes;
  }
}

/** Freed, or another journal than the one that had it. */
function isNoPlace({ code }: SkilltapeError): boolean {
  return code === 'not_found' || code === 'journal_corrupt' || code === 'usage';
}
