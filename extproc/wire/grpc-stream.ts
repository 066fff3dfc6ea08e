import type { ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { SkilltapeError } from '../errors.ts';
import type { Soon } from '../exchange/soon.ts';
import type { GrpcStatus } from './grpc-status.ts';
import { grpcStatus, responseHeaders, trailersOf } from './grpc-status.ts';
import { MessageSplitter } from './message-splitter.ts';

/** Whole messages that may wait in memory before no more is read; beside them, what fits into the stream's window. */
const waitingMaxBytes = 64 * 1024;
const neverEnded: GrpcStatus = { code: grpcStatus.internal, details: 'the stream was given up' };

/**
 * The server's side of one gRPC stream on HTTP/2: messages in, messages and one status out, with backpressure both ways.
 * Only `complete` ends it with OK, and only when the peer has ended its side: Envoy takes an earlier OK for leave to go on
 * without us (inv. 2). Every other end is a status of error, or a reset.
 */
export class GrpcStream {
  readonly #stream: ServerHttp2Stream;
  /** A stream that is destroyed names its session no longer. */
  readonly #session: ServerHttp2Stream['session'];
  readonly #messages: MessageSplitter;
  #status = neverEnded;
  #hasEnded = false;
  #isPaused = false;
  #isOver = false;
  #hearsDrain = false;
  #wake: (() => void) | undefined;
  #onEnd: () => void = () => {};

  constructor(stream: ServerHttp2Stream, { messageMaxBytes }: { messageMaxBytes: number }) {
    this.#stream = stream;
    this.#session = stream.session;
    this.#messages = new MessageSplitter(messageMaxBytes);
    // A reset shows as an error as well, and without a listener it would end the process; `close` tells of it.
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('end', () => this.#halfClosed());
    stream.on('aborted', () => this.#letGo());
    stream.on('close', () => {
      this.#onEnd();
      // Node's table of streams keeps the stream for a while, and that must not keep its exchange (exchange/running.ts).
      this.#onEnd = () => {};
      this.#change();
    });
    stream.on('wantTrailers', () => this.#sendTrailers());
  }

  /** The peer reset the stream, the connection is gone, or we reset it: nothing can be sent or said any more. */
  get isGone(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  /** The connection under the stream is gone, too. */
  get isConnectionLost(): boolean {
    return this.#session?.destroyed !== false;
  }

  /** `heed` is called when the peer ends its side, and when it is gone. */
  onEnd(heed: () => void): void {
    this.#onEnd = heed;
  }

  /** Has whoever waits for a change look whether he is to wait on. */
  interrupt(): void {
    this.#change();
  }

  /** Ends it at once, with what waits to be sent: for a peer that does not take it. */
  reset(): void {
    if (!this.isGone) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  /** Whether `take` need not be waited for: a message is there, the peer has ended its side, or is gone. */
  get hasNext(): boolean {
    return this.#messages.hasNext || this.#hasEnded || this.isGone;
  }

  /** The next message; undefined where there is none yet, and when none comes any more. Throws `protocol_violation`. */
  take(): Buffer | undefined {
    if (this.isGone) return undefined;
    const message = this.#messages.take();
    if (message !== undefined) this.#resume();
    else if (this.#hasEnded && this.#messages.isCutOff) {
      throw new SkilltapeError('protocol_violation', 'Envoy ended its side within a message');
    }
    return message;
  }

  /** The same once there is one; undefined when none comes any more. */
  async next(): Promise<Buffer | undefined> {
    while (!this.hasNext) await this.changed();
    return this.take();
  }

  /** Sends pieces of messages in order, and asks for the next one only when the peer has room; stops when it is gone. */
  send(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Soon<void> {
    return Array.isArray(pieces) && pieces.length === 1 ? this.#sendOne(pieces[0]) : this.#sendAll(pieces);
  }

  /** Almost every reply is one message, and finds room. */
  #sendOne(message: Uint8Array): Soon<void> {
    return this.#write(message) || this.isGone || this.#isOver ? undefined : this.#drained();
  }

  async #sendAll(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const stream = this.#stream;
    stream.cork();
    try {
      if (Symbol.iterator in pieces) {
        for (const piece of pieces) if (!this.#write(piece) && !(await this.#hasRoom())) return;
      } else {
        for await (const piece of pieces) if (!this.#write(piece) && !(await this.#hasRoom())) return;
      }
    } finally {
      stream.uncork();
    }
  }

  /** The same for pieces that come over time: each goes out at once. */
  async sendLive(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of pieces) {
      if (this.#write(piece)) continue;
      if (this.isGone || this.#isOver) return;
      await this.#drained();
      if (this.isGone) return;
    }
  }

  /** False when the peer has to take something before the next piece, or is gone. */
  #write(piece: Uint8Array): boolean {
    if (this.isGone || this.#isOver) return false;
    if (!this.#stream.headersSent) this.#stream.respond(responseHeaders, { waitForTrailers: true });
    return this.#stream.write(piece);
  }

  /** Resolves when the next piece may be written; false when the peer is gone. */
  async #hasRoom(): Promise<boolean> {
    if (this.isGone || this.#isOver) return false;
    this.#stream.uncork();
    await this.#drained();
    this.#stream.cork();
    return !this.isGone;
  }

  /** Ends the stream with OK, behind everything that was sent. */
  complete(): void {
    if (this.#hasEnded) this.#end({ code: grpcStatus.ok, details: '' });
    else this.fail({ code: grpcStatus.internal, details: 'it was to be ended before Envoy had ended its side' });
  }

  /** Ends the stream with an error, behind everything that was sent. What still comes is not read any more. */
  fail(status: GrpcStatus): void {
    this.#end(status);
  }

  #end(status: GrpcStatus): void {
    if (this.isGone || this.#isOver) return;
    this.#isOver = true;
    this.#status = status;
    const stream = this.#stream;
    // In flow, so that the end of the peer's side is seen.
    if (this.#isPaused) stream.resume();
    if (stream.headersSent) {
      stream.end();
      return;
    }
    stream.respond({ ...responseHeaders, ...trailersOf(status) }, { endStream: true });
    this.#closeSoon();
  }

  /** Everything that was sent is gone, or Node gives the stream up: the status is OK only when `complete` said so. */
  #sendTrailers(): void {
    this.#stream.sendTrailers(trailersOf(this.#status));
    this.#closeSoon();
  }

  /**
   * A peer that has not ended its side would hold the stream open for ever (RFC 9113 section 8.1). Node sends trailers in
   * the next turn of the loop, and nothing after a reset.
   */
  #closeSoon(): void {
    if (this.#hasEnded) return;
    setImmediate(() => {
      if (!this.isGone) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#messages.push(chunk);
    if (this.#messages.waitingBytes > waitingMaxBytes && !this.#isPaused) {
      this.#isPaused = true;
      this.#stream.pause();
    }
    this.#change();
  }

  /** Behind a reset it comes, too, and means nothing: that the stream is gone is asked first. */
  #halfClosed(): void {
    this.#hasEnded = true;
    this.#onEnd();
    if (this.isGone) this.#letGo();
    this.#change();
  }

  /**
   * The peer reset the stream. Envoy does it with the code of no error, and then Node would keep the stream, with all
   * that is unsent, until its connection ends. Not at once: we are inside of Node's own closing of it.
   */
  #letGo(): void {
    setImmediate(() => this.#stream.destroy());
  }

  #resume(): void {
    if (!this.#isPaused || this.#messages.waitingBytes > waitingMaxBytes) return;
    this.#isPaused = false;
    this.#stream.resume();
  }

  async #drained(): Promise<void> {
    if (!this.#hearsDrain) this.#stream.on('drain', () => this.#change());
    this.#hearsDrain = true;
    while (!this.isGone && this.#stream.writableNeedDrain) await this.changed();
  }

  /** Resolves when something came or went, and after `interrupt`. For one that waits. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #change(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
