/** Numbers of few bytes: seven bits a byte, the low ones first, the high bit says that more follow. */

export class ByteWriter {
  #parts: Buffer[] = [];
  #bytes: number[] = [];

  /** A whole number from 0 to 2^53 - 1. */
  uint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes.push(rest);
  }

  /** Zigzag: small numbers of either sign stay short. */
  int(value: number): void {
    this.uint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  bytes(value: Uint8Array): void {
    this.#parts.push(Buffer.from(this.#bytes), Buffer.from(value));
    this.#bytes = [];
  }

  take(): Buffer {
    const all = Buffer.concat([...this.#parts, Buffer.from(this.#bytes)]);
    this.#parts = [];
    this.#bytes = [];
    return all;
  }
}

/** Throws RangeError where the bytes end too early, or a number is too large. */
export class ByteReader {
  readonly #input: Buffer;
  #at = 0;

  constructor(input: Buffer) {
    this.#input = input;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#input.length;
  }

  uint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#input[this.#at];
      if (byte === undefined || scale > Number.MAX_SAFE_INTEGER) throw new RangeError('a number is cut short');
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    if (!Number.isSafeInteger(value)) throw new RangeError('a number is too large');
    return value;
  }

  int(): number {
    const value = this.uint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#input.length) throw new RangeError('bytes are cut short');
    const bytes = this.#input.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
