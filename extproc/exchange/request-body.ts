import { SkilltapeError } from '../errors.ts';
import { HeldBody } from './held-body.ts';
import type { ExchangeContext, LogPlace } from './ports.ts';
import type { RecordBody } from './record.ts';
import { decodeRecord } from './record.ts';
import type { Share } from './share.ts';
import type { Soon } from './soon.ts';

/** A part of a body that stands in the log alone: where its record is, and how many bytes of the body it has. */
export type StoredPart = { place: LogPlace; bytes: number };

/** What of a body is not in memory, in its order, and in whose records it stands. */
export type StoredParts = { exchangeId: string; parts: readonly StoredPart[] };

/** Memory that a `StoredPart` is counted with, in bytes. */
const storedPartBytes = 128;
/** The rest of the memory is for the places of stored parts, which must find room when bodies have filled theirs. */
const memoryShare = 7 / 8;

type ChunkRecord = Extract<RecordBody, { kind: 'request_body' }>;
/** `note` does not wait for the write; `store` does. */
type BodyLog = { note(chunk: ChunkRecord): void; store(chunk: ChunkRecord): Promise<LogPlace> };

type Taken = 'taken' | 'request_body_too_large' | 'held_bodies_at_limit' | 'caller_held_bodies_at_limit';

/** What a refusal says beside its reason. */
export function refusedDetail(taken: Taken, { requestBodyMaxBytes }: { requestBodyMaxBytes: number }): string {
  return taken === 'request_body_too_large' ? `${requestBodyMaxBytes} bytes` : '';
}

/**
 * The body of a request until it is released or refused. Its chunks are written to the log before anything else, so
 * what memory has no room for is kept there alone and read back when it is needed (inv. 10). Once a chunk is not in
 * memory, no later one is.
 */
export class RequestBody {
  readonly #context: Pick<ExchangeContext, 'budget' | 'limits' | 'spool'>;
  readonly #share: Share;
  readonly #exchangeId: string;
  readonly #memory: HeldBody;
  #stored: StoredPart[] = [];
  #storedBytes = 0;
  /** What was counted for stored parts and not given back yet. */
  #spooled = 0;
  #places = 0;

  constructor(context: Pick<ExchangeContext, 'budget' | 'limits' | 'spool'>, share: Share, exchangeId: string) {
    this.#context = context;
    this.#share = share;
    this.#exchangeId = exchangeId;
    this.#memory = new HeldBody(context.budget);
  }

  get bytes(): number {
    return this.#memory.bytes + this.#storedBytes;
  }

  /** It comes after what is in memory; null when there is none. */
  get stored(): StoredParts | null {
    return this.#stored.length === 0 ? null : { exchangeId: this.#exchangeId, parts: this.#stored };
  }

  /**
   * Takes a chunk and writes it to the log, or says which limit it would pass; then nothing is written. The room is
   * counted before the record is: others come meanwhile. Only a chunk that is kept in the log alone waits for it.
   */
  add(chunk: Uint8Array, log: BodyLog): Soon<Taken> {
    const { limits } = this.#context;
    const { requestBodyMaxBytes } = limits;
    if (this.bytes + chunk.length > requestBodyMaxBytes) return 'request_body_too_large';
    if (chunk.length === 0) return 'taken';
    const overCaller = this.#share.hold(chunk.length);
    if (overCaller !== null) return overCaller;
    const heldBodyMaxBytes = Math.floor(limits.heldBodyMaxBytes * memoryShare);
    const inMemory = this.#stored.length === 0 && this.#memory.add(chunk, { requestBodyMaxBytes, heldBodyMaxBytes });
    if (inMemory === 'taken') {
      log.note({ kind: 'request_body', bytes: chunk });
      return 'taken';
    }
    return this.#store(chunk, log);
  }

  async #store(chunk: Uint8Array, log: BodyLog): Promise<Taken> {
    const { budget, limits, spool } = this.#context;
    const isFull = budget.heldBodyBytes + storedPartBytes > limits.heldBodyMaxBytes;
    if (isFull || spool.heldBytes + chunk.length > limits.spooledBodyMaxBytes) return 'held_bodies_at_limit';
    budget.heldBodyBytes += storedPartBytes;
    this.#places += 1;
    spool.heldBytes += chunk.length;
    this.#spooled += chunk.length;
    this.#stored.push({ place: await log.store({ kind: 'request_body', bytes: chunk }), bytes: chunk.length });
    this.#storedBytes += chunk.length;
    spool.passing.count(2 * chunk.length);
    return 'taken';
  }

  /** The whole body in one piece; only where all of it is in memory. */
  joined(): Uint8Array {
    if (this.#stored.length > 0) throw new Error('a part of the body is not in memory');
    return this.#memory.joined();
  }

  /** Memory of its own for the whole body, which may be given away; where the stored parts belong it is empty. */
  copied(): Uint8Array<ArrayBuffer> {
    return this.#memory.copied(this.bytes);
  }

  /** Hands the body over piece by piece, reading back what is stored. Rejects when that is not what was written. */
  release(): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
    return this.#stored.length === 0 ? this.#fromMemory() : this.#fromBoth();
  }

  *#fromMemory(): Generator<Uint8Array> {
    for (const chunk of this.#memory.release()) {
      yield chunk;
      this.#share.giveBack(chunk.length);
    }
  }

  async *#fromBoth(): AsyncGenerator<Uint8Array> {
    yield* this.#fromMemory();
    const waiting = this.#stored.reverse();
    this.#stored = [];
    for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
      yield await this.#readBack(part);
      this.#share.giveBack(part.bytes);
      this.#giveBack(part.bytes, 1);
    }
  }

  /** Gives back what is counted; safe to call more than once. */
  forget(): void {
    this.#memory.forget();
    this.#stored = [];
    this.#giveBack(this.#spooled, this.#places);
    this.#share.giveBack(Number.POSITIVE_INFINITY);
  }

  async #readBack(part: StoredPart): Promise<Uint8Array> {
    const payload = await this.#context.spool.readAt(part.place);
    this.#context.spool.passing.count(2 * payload.length);
    return storedChunk(payload, part, this.#exchangeId);
  }

  #giveBack(bytes: number, places: number): void {
    const { budget, spool } = this.#context;
    const given = Math.min(bytes, this.#spooled);
    const givenPlaces = Math.min(places, this.#places);
    spool.heldBytes -= given;
    this.#spooled -= given;
    budget.heldBodyBytes -= givenPlaces * storedPartBytes;
    this.#places -= givenPlaces;
  }
}

/** The bytes of a stored part in its record. The log authenticates a record's place; this, that it is the right one. */
export function storedChunk(payload: Uint8Array, part: StoredPart, exchangeId: string): Uint8Array {
  const record = decodeRecord(payload);
  if (record.exchangeId === exchangeId && record.kind === 'request_body' && record.bytes.length === part.bytes) {
    return record.bytes;
  }
  throw new SkilltapeError('journal_corrupt', 'a stored part of a request body is not where it was written');
}
