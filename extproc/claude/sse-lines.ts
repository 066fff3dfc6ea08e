/** Splits a byte stream into the lines of server-sent events, whatever the chunks. */

/** Receives the parts of a line in order, then its end; the bytes are valid only during the call. */
export type LineSink = {
  part(bytes: Uint8Array): void;
  /** False stops the scan. */
  end(): boolean;
};

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Lines end in LF, CR or CRLF. A CR ends its line at once, without waiting for a possible LF: a reader may act on it
 * there. Linear in the bytes pushed, in chunks of any size; holds no bytes itself.
 */
export class LineScanner {
  #afterCarriageReturn = false;

  scan(chunk: Uint8Array, sink: LineSink): void {
    let start = 0;
    if (this.#afterCarriageReturn && chunk.length > 0) {
      this.#afterCarriageReturn = false;
      if (chunk[0] === lineFeed) start = 1;
    }
    // Each search result is used until it is passed, so that no byte is searched twice.
    let nextLf = chunk.indexOf(lineFeed, start);
    let nextCr = chunk.indexOf(carriageReturn, start);
    while (nextLf !== -1 || nextCr !== -1) {
      const isCr = nextCr !== -1 && (nextLf === -1 || nextCr < nextLf);
      const end = isCr ? nextCr : nextLf;
      if (end > start) sink.part(chunk.subarray(start, end));
      start = end + 1;
      if (isCr) {
        if (start === chunk.length) this.#afterCarriageReturn = true;
        else if (chunk[start] === lineFeed) start += 1;
      }
      if (!sink.end()) return;
      if (nextLf !== -1 && nextLf < start) nextLf = chunk.indexOf(lineFeed, start);
      if (nextCr !== -1 && nextCr < start) nextCr = chunk.indexOf(carriageReturn, start);
    }
    if (start < chunk.length) sink.part(chunk.subarray(start));
  }
}
