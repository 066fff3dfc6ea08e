const lengthDelimited = 2;
const startBytes = 1024;

/**
 * Writes a protobuf message from its end to its beginning, so that the length of a nested message is known when it is to be
 * written before it, and nothing is measured first or moved afterwards. What a reader finds first is written last:
 *
 *     const end = writer.mark;
 *     writer.bool(2, true);        // the fields of the nested message, last one first
 *     writer.message(3, end);      // makes what was written since `end` field 3
 */
export class BackwardWriter {
  #buffer = Buffer.allocUnsafeSlow(startBytes);
  #at = startBytes;
  #behind = 0;

  /** Begins anew; `behind` bytes that are not written here follow the message and count in its lengths. */
  begin(behind = 0): void {
    this.#at = this.#buffer.length;
    this.#behind = behind;
  }

  /** How many bytes there are yet. */
  get mark(): number {
    return this.#buffer.length - this.#at + this.#behind;
  }

  message(field: number, end: number): void {
    this.lengthOf(field, this.mark - end);
  }

  /** The beginning of a field whose content is there. */
  lengthOf(field: number, length: number): void {
    this.#varint(length);
    this.#varint(field * 8 + lengthDelimited);
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#make(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.lengthOf(field, bytes.length);
  }

  utf8(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#make(length);
    this.#buffer.write(text, this.#at, length, 'utf8');
    this.lengthOf(field, length);
  }

  /** A string whose characters are bytes; those above 255 lose their upper half. */
  latin1(field: number, text: string): void {
    this.#make(text.length);
    this.#buffer.write(text, this.#at, text.length, 'latin1');
    this.lengthOf(field, text.length);
  }

  /** A number that is not negative: of an enum, a status or a bool. */
  number(field: number, value: number): void {
    this.#varint(value);
    this.#varint(field * 8);
  }

  /** gRPC's prefix (PROTOCOL-HTTP2.md, Length-Prefixed-Message): not compressed, and the length in four bytes. */
  grpcPrefix(): void {
    const length = this.mark;
    this.#make(5);
    this.#buffer[this.#at] = 0;
    this.#buffer.writeUInt32BE(length, this.#at + 1);
  }

  /** What was written, in memory of its own. */
  take(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#at));
  }

  #varint(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1;
    this.#make(length);
    let at = this.#at;
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      this.#buffer[at] = rest >= 128 ? (rest % 128) + 128 : rest;
      at += 1;
      if (rest < 128) return;
    }
  }

  #make(count: number): void {
    if (count > this.#at) this.#grow(count);
    this.#at -= count;
  }

  #grow(count: number): void {
    const written = this.#buffer.subarray(this.#at);
    const larger = Buffer.allocUnsafeSlow(2 * (written.length + count));
    this.#at = larger.length - written.length;
    larger.set(written, this.#at);
    this.#buffer = larger;
  }
}
