import { SkilltapeError } from '../errors.ts';
import { freeBuffer } from '../large-work.ts';

/** Compressed-Flag and Message-Length, before each message (gRPC's PROTOCOL-HTTP2.md, Length-Prefixed-Message). */
const prefixBytes = 5;
const nothing = Buffer.alloc(0);
/** Room for a message that comes in pieces, at first; a length that was only announced must not take memory. */
const firstRoomBytes = 64 * 1024;

/**
 * Cuts the bytes of a stream into messages, wherever the borders of DATA frames are. A message that came in one piece is a
 * view of it; one that came in several is put together in memory of its own, so that small pieces hold nothing.
 */
export class MessageSplitter {
  readonly #messageMaxBytes: number;
  readonly #messages: Buffer[] = [];
  #waitingBytes = 0;
  #prefix = nothing;
  /** How much there is of the message that is not whole yet, its prefix included. */
  #partialBytes = 0;
  /** Its length, once the prefix is whole. */
  #length = 0;
  #partial = nothing;
  #fault: SkilltapeError | undefined;

  constructor(messageMaxBytes: number) {
    this.#messageMaxBytes = messageMaxBytes;
  }

  /** Bytes of whole messages that wait to be taken. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether `take` has something to give, or to throw. */
  get hasNext(): boolean {
    return this.#messages.length > 0 || this.#fault !== undefined;
  }

  /** Whether what came ends within a message. */
  get isCutOff(): boolean {
    return this.#partialBytes > 0;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.#fault === undefined) {
      const whole = this.#partialBytes === 0 && rest.length >= prefixBytes ? this.#lengthIn(rest) + prefixBytes : 0;
      if (this.#fault !== undefined) return;
      if (whole > 0 && rest.length >= whole) {
        this.#add(rest.subarray(prefixBytes, whole));
        rest = rest.length === whole ? nothing : rest.subarray(whole);
      } else {
        rest = this.#putTogether(rest);
      }
    }
  }

  /**
   * The next whole message; undefined where there is none yet. Throws `protocol_violation` when all before the violation
   * were taken.
   */
  take(): Buffer | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.#waitingBytes -= message.length;
    else if (this.#fault !== undefined) throw this.#fault;
    return message;
  }

  #add(message: Buffer): void {
    this.#messages.push(message);
    this.#waitingBytes += message.length;
  }

  /** Takes what belongs to the message at hand, and gives back the rest. */
  #putTogether(chunk: Buffer): Buffer {
    if (this.#partialBytes === 0) this.#prefix = Buffer.alloc(prefixBytes);
    if (this.#partialBytes < prefixBytes) {
      const taken = chunk.copy(this.#prefix, this.#partialBytes, 0, prefixBytes - this.#partialBytes);
      this.#partialBytes += taken;
      if (this.#partialBytes < prefixBytes) return chunk.subarray(taken);
      this.#length = this.#lengthIn(this.#prefix);
      this.#partial = Buffer.allocUnsafeSlow(Math.min(this.#length, firstRoomBytes));
      return this.#finishIfWhole(chunk.subarray(taken));
    }
    const filled = this.#partialBytes - prefixBytes;
    const taken = Math.min(chunk.length, this.#length - filled);
    this.#makeRoom(filled, filled + taken);
    chunk.copy(this.#partial, filled, 0, taken);
    this.#partialBytes += taken;
    return this.#finishIfWhole(chunk.subarray(taken));
  }

  #finishIfWhole(rest: Buffer): Buffer {
    if (this.#partialBytes - prefixBytes === this.#length && this.#fault === undefined) {
      this.#add(this.#partial);
      this.#partial = nothing;
      this.#partialBytes = 0;
    }
    return rest;
  }

  #makeRoom(filled: number, needed: number): void {
    if (needed <= this.#partial.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#length, Math.max(needed, 2 * this.#partial.length)));
    this.#partial.copy(larger, 0, 0, filled);
    freeBuffer(this.#partial);
    this.#partial = larger;
  }

  /** The length that a prefix tells; a prefix that no message may have is kept as the fault that ends the stream. */
  #lengthIn(prefix: Buffer): number {
    const flag = prefix[0];
    const length = prefix.readUInt32BE(1);
    if (flag === 1) this.#fault = violation('a compressed message, although no compression was offered to it');
    else if (flag !== 0) this.#fault = violation(`a message with the flag ${flag}`);
    else if (length > this.#messageMaxBytes) {
      this.#fault = violation(`a message of ${length} bytes; ${this.#messageMaxBytes} are taken`);
    }
    return this.#fault === undefined ? length : 0;
  }
}

function violation(what: string): SkilltapeError {
  return new SkilltapeError('protocol_violation', `Envoy sent ${what}`);
}
