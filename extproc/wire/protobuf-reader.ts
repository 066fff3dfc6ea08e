import { SkilltapeError } from '../errors.ts';

/** How a field is laid out (protobuf's encoding guide). The two of groups are left out: Envoy has none. */
const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

const fieldNumberMax = 2 ** 29 - 1;
/** 64 bits in groups of seven; the last byte has one of them. */
const varintMaxBytes = 10;

/**
 * Reads the fields of protobuf messages out of one buffer, nested ones in place: `enter` narrows the reader to a field
 * that is a message, `leave` goes on behind it. Bytes are given as views. Whatever is no protobuf, or has a field that is
 * asked for in another form, is a `protocol_violation`. Nothing is read twice, so the time is linear (inv. 11).
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  #at = 0;
  #end: number;
  #wireType = 0;
  /** Number of the field that `next` came to. */
  field = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Goes to the next field of the message at hand; false at its end. */
  next(): boolean {
    if (this.#at === this.#end) return false;
    const tag = this.#varint();
    this.#wireType = tag % 8;
    this.field = (tag - this.#wireType) / 8;
    if (this.field === 0 || this.field > fieldNumberMax) throw violation('a field has an impossible number');
    return true;
  }

  /** Into a field that is a message; gives what `leave` wants back. */
  enter(): number {
    const length = this.#length();
    const outerEnd = this.#end;
    this.#end = this.#at + length;
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.#at = this.#end;
    this.#end = outerEnd;
  }

  bytes(): Buffer {
    const start = this.#pass();
    return this.#bytes.subarray(start, this.#at);
  }

  utf8(): string {
    const start = this.#pass();
    return this.#bytes.toString('utf8', start, this.#at);
  }

  latin1(): string {
    const start = this.#pass();
    return this.#bytes.toString('latin1', start, this.#at);
  }

  double(): number {
    this.#expect(fixed64);
    const start = this.#at;
    this.#advance(8);
    return this.#bytes.readDoubleLE(start);
  }

  bool(): boolean {
    this.#expect(varint);
    return this.#varint() !== 0;
  }

  /** A number of an enum; what is beyond the enums that there are stays beyond them. */
  enumNumber(): number {
    this.#expect(varint);
    return this.#varint();
  }

  skip(): void {
    switch (this.#wireType) {
      case varint:
        this.#varint();
        return;
      case fixed64:
        this.#advance(8);
        return;
      case lengthDelimited:
        this.#advance(this.#length());
        return;
      case fixed32:
        this.#advance(4);
        return;
      default:
        throw violation(`a field has wire type ${this.#wireType}`);
    }
  }

  /** Passes by a field with a length and gives the place where its content begins. */
  #pass(): number {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return start;
  }

  #length(): number {
    this.#expect(lengthDelimited);
    const length = this.#varint();
    if (length > this.#end - this.#at) throw violation('a field is longer than what holds it');
    return length;
  }

  #expect(type: number): void {
    if (this.#wireType !== type) throw violation(`field ${this.field} has wire type ${this.#wireType}, not ${type}`);
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) throw violation('it ends in the middle of a field');
    this.#at += count;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 1; count <= varintMaxBytes; count += 1) {
      if (this.#at === this.#end) throw violation('it ends in the middle of a number');
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      if (byte < 128) {
        if (count === varintMaxBytes && byte > 1) break;
        return value + byte * scale;
      }
      value += (byte - 128) * scale;
      scale *= 128;
    }
    throw violation('a number has more than 64 bits');
  }
}

function violation(what: string): SkilltapeError {
  return new SkilltapeError('protocol_violation', `Envoy sent a message that is no protobuf: ${what}`);
}
