/** Decodes server-sent events as the official SDKs do. */
import { LineScanner } from './sse-lines.ts';

export type SseEvent = { event: string; data: string };

/**
 * Frames without an `event:` line are dropped, comments and the fields `id` and `retry` ignored, a byte order mark
 * before a line removed, and a last frame without its blank line is not delivered. An event larger than
 * `maxEventBytes` (its data lines, or one line of any kind) sets `overflowed`, and nothing is decoded from there on.
 * Linear in the bytes pushed, in chunks of any size.
 */
export class SseDecoder {
  readonly #maxEventBytes: number;
  readonly #lines = new LineScanner();
  readonly #utf8 = new TextDecoder();
  #pending: Uint8Array = new Uint8Array(256);
  #pendingBytes = 0;
  /** The whole line when it came in one part: the common case is decoded without a copy. */
  #single: Uint8Array | null = null;
  #event: string | null = null;
  #data: string[] = [];
  #dataBytes = 0;
  #overflowed = false;

  constructor(options: { maxEventBytes: number }) {
    this.#maxEventBytes = options.maxEventBytes;
  }

  get overflowed(): boolean {
    return this.#overflowed;
  }

  push(chunk: Uint8Array): SseEvent[] {
    const events: SseEvent[] = [];
    if (this.#overflowed) return events;
    this.#lines.scan(chunk, {
      part: (bytes) => this.#hold(bytes),
      end: () => {
        if (!this.#overflowed) this.#takeLine(events);
        return !this.#overflowed;
      },
    });
    this.#keepSingle();
    return events;
  }

  #hold(bytes: Uint8Array): void {
    if (this.#overflowed) return;
    if (this.#lineBytes() + bytes.length + this.#dataBytes > this.#maxEventBytes) {
      this.#overflowed = true;
      this.#pending = new Uint8Array(0);
      this.#single = null;
      this.#data = [];
      return;
    }
    if (this.#pendingBytes === 0 && this.#single === null) {
      this.#single = bytes;
      return;
    }
    this.#keepSingle();
    this.#append(bytes);
  }

  #lineBytes(): number {
    return this.#single?.length ?? this.#pendingBytes;
  }

  /** The caller may reuse its chunk after the push, so an open line is copied. */
  #keepSingle(): void {
    if (this.#single === null) return;
    const single = this.#single;
    this.#single = null;
    this.#append(single);
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#pendingBytes + bytes.length;
    if (needed > this.#pending.length) {
      const larger = new Uint8Array(Math.max(needed, Math.min(this.#pending.length * 2, this.#maxEventBytes)));
      larger.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = larger;
    }
    this.#pending.set(bytes, this.#pendingBytes);
    this.#pendingBytes = needed;
  }

  #takeLine(events: SseEvent[]): void {
    if (this.#lineBytes() === 0) {
      this.#dispatch(events);
      return;
    }
    const bytes = this.#single ?? this.#pending.subarray(0, this.#pendingBytes);
    // The decoder removes one byte order mark, and turns bytes that are not UTF-8 into U+FFFD.
    const line = this.#utf8.decode(bytes);
    this.#single = null;
    this.#pendingBytes = 0;
    if (line === '') {
      this.#dispatch(events);
      return;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charAt(colon + 1) === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') {
      this.#event = value;
    } else if (field === 'data') {
      this.#data.push(value);
      // One byte for the line end, so that empty data lines are bounded too.
      this.#dataBytes += bytes.length + 1;
    }
  }

  #dispatch(events: SseEvent[]): void {
    // An empty event name without data is kept for the next frame; both SDKs do so.
    if (!this.#event && this.#data.length === 0) return;
    if (this.#event !== null) events.push({ event: this.#event, data: this.#data.join('\n') });
    this.#event = null;
    this.#data = [];
    this.#dataBytes = 0;
  }
}
