/** The body of an answer of Envoy's release listener, as it comes. */
import type { IncomingMessage } from 'node:http';

/** Read and not taken yet; with more than that no more is read. */
const waitingMaxBytes = 64 * 1024;

/**
 * Node drops what it has read and nobody took when a connection breaks. What came of an answer before it broke off was
 * given by the upstream, though, and may be all that tells why: it is kept here, and given before the break is.
 */
export class AnswerPieces {
  readonly #response: IncomingMessage;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #end: { fault: Error | null } | undefined;
  #wake: () => void = () => {};

  constructor(response: IncomingMessage) {
    this.#response = response;
    response.on('data', (piece: Buffer) => this.#take(piece));
    response.on('end', () => this.#over(null));
    response.on('error', (fault) => this.#over(fault));
    response.on('close', () => this.#over(new Error('the connection was closed')));
  }

  /** The next piece, or null behind the last one; rejects where the answer broke off. For one that waits. */
  async next(): Promise<Uint8Array | null> {
    while (this.#waiting.length === 0 && this.#end === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const piece = this.#waiting.shift();
    if (piece === undefined) return this.#ended();
    this.#waitingBytes -= piece.length;
    if (this.#waitingBytes < waitingMaxBytes) this.#response.resume();
    return piece;
  }

  #take(piece: Buffer): void {
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes >= waitingMaxBytes) this.#response.pause();
    this.#wake();
  }

  #ended(): null {
    const fault = this.#end?.fault ?? null;
    if (fault !== null) throw fault;
    return null;
  }

  /** The first counts: every answer is closed in the end. */
  #over(fault: Error | null): void {
    this.#end ??= { fault };
    this.#wake();
  }
}
