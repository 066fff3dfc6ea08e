/**
 * Which exchange the shipping thread is reading, in memory that outlives the thread. A message for each would take time
 * from the thread that answers Envoy; this is read only when the thread has died.
 */
export class ReadingMark {
  readonly memory: SharedArrayBuffer;
  readonly #bytes: Buffer;

  constructor(memory = new SharedArrayBuffer(exchangeIdBytes)) {
    this.memory = memory;
    this.#bytes = Buffer.from(memory);
  }

  set(exchangeId: string | null): void {
    this.#bytes.fill(0);
    if (exchangeId !== null) this.#bytes.write(exchangeId, 'latin1');
  }

  /** Null when no exchange was being read. */
  get(): string | null {
    return this.#bytes[0] === 0 ? null : this.#bytes.toString('latin1');
  }
}

/** A UUID as text. */
const exchangeIdBytes = 36;
