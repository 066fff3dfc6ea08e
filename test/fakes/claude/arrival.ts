/** What the fake remembers of the requests it got: hashes and counts of all, bodies only when asked to. */
import { createHash, type Hash } from 'node:crypto';

/** One request and its answer, filled in as it goes on. Hashes are lower-case hex SHA-256 of the bytes as on the wire. */
export type Arrival = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Name, value, name, value, … in the order and case of arrival. */
  readonly headers: readonly string[];
  /** Number of the TCP connection, from 1. */
  readonly connectionId: number;
  /** Milliseconds since 1970, when the headers were complete. */
  readonly receivedAt: number;
  bodyBytes: number;
  /** Undefined until the whole body has come (and for good, when it never does). */
  bodySha256: string | undefined;
  /** The whole body as on the wire; only with `keepBodies`. */
  body: Buffer | undefined;
  /** Of the answer whose headers were sent. */
  status: number | undefined;
  /** Bytes of the answer's body given to the connection; what an aborting client read may be less. */
  answerBytes: number;
  /** Of `answerBytes`, once the exchange is over. */
  answerSha256: string | undefined;
  /** The client went away before the answer was complete. */
  clientAborted: boolean;
};

export type NewArrival = Pick<Arrival, 'method' | 'path' | 'headers' | 'connectionId'>;

type Waiter = { readonly count: number; readonly resolve: () => void; readonly reject: (reason: Error) => void };

/** The arrivals in order, the oldest forgotten beyond `keptMax`; counts go on. */
export class ArrivalLog {
  readonly kept: Arrival[] = [];
  arrivedCount = 0;
  settledCount = 0;
  readonly #keptMax: number;
  readonly #settled = new Set<number>();
  #settledUpTo = 0;
  #arrivalWaiters: Waiter[] = [];
  #settlementWaiters: Waiter[] = [];

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  add(arrival: NewArrival): { arrival: Arrival; number: number } {
    const entry: Arrival = {
      ...arrival,
      receivedAt: Date.now(),
      bodyBytes: 0,
      bodySha256: undefined,
      body: undefined,
      status: undefined,
      answerBytes: 0,
      answerSha256: undefined,
      clientAborted: false,
    };
    this.kept.push(entry);
    if (this.kept.length > this.#keptMax) this.kept.shift();
    this.arrivedCount += 1;
    this.#arrivalWaiters = release(this.#arrivalWaiters, (count) => count <= this.arrivedCount);
    return { arrival: entry, number: this.arrivedCount };
  }

  /** The exchange of that number is over, however it ended. */
  settle(number: number): void {
    this.settledCount += 1;
    this.#settled.add(number);
    while (this.#settled.delete(this.#settledUpTo + 1)) this.#settledUpTo += 1;
    this.#settlementWaiters = release(this.#settlementWaiters, (count) => this.#isSettled(count));
  }

  /** Resolves with the request of that number (from 1) when its headers have come. */
  async whenArrived(number: number): Promise<Arrival> {
    if (number > this.arrivedCount) {
      await new Promise<void>((resolve, reject) => this.#arrivalWaiters.push({ count: number, resolve, reject }));
    }
    return this.#get(number);
  }

  /** Resolves with the request of that number when its exchange is over. */
  async whenSettled(number: number): Promise<Arrival> {
    if (!this.#isSettled(number)) {
      await new Promise<void>((resolve, reject) => this.#settlementWaiters.push({ count: number, resolve, reject }));
    }
    return this.#get(number);
  }

  /** Rejects everyone who still waits. */
  close(): void {
    const gone = new Error('the fake was closed before the awaited request came');
    for (const { reject } of [...this.#arrivalWaiters, ...this.#settlementWaiters]) reject(gone);
    this.#arrivalWaiters = [];
    this.#settlementWaiters = [];
  }

  #isSettled(number: number): boolean {
    return number <= this.#settledUpTo || this.#settled.has(number);
  }

  #get(number: number): Arrival {
    const arrival = this.kept[number - 1 - (this.arrivedCount - this.kept.length)];
    if (arrival === undefined) throw new RangeError(`request ${number} is no longer kept`);
    return arrival;
  }
}

function release(waiters: readonly Waiter[], isDue: (count: number) => boolean): Waiter[] {
  for (const { count, resolve } of waiters) if (isDue(count)) resolve();
  return waiters.filter(({ count }) => !isDue(count));
}

/** A running SHA-256 with its count of bytes. */
export class ByteCounter {
  bytes = 0;
  readonly #hash: Hash = createHash('sha256');

  add(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
  }

  /** Ends the counting. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
