/** Watches an answer on the hot path for the byte that completes it for its reader (inv. 1, inv. 4). */
import { Buffer } from 'node:buffer';
import { mediaTypeOf } from './media-type.ts';
import { LineScanner } from './sse-lines.ts';

/**
 * What ends an event stream: `messages` is `message_stop` or `error`; `completion` is the event that says why the legacy
 * completion stopped, or `error`; `open` is for streams of sessions, which end with the connection.
 */
export type StreamGrammar = 'messages' | 'completion' | 'open';

/** `contentLength` in bytes, null when unknown. `grammar` is `messages` by default. */
export type AnswerEndOptions = {
  contentType: string;
  contentLength: number | null;
  contentEncoding: string;
  grammar?: StreamGrammar;
};

/** Long enough for `event: message_stop` behind a byte order mark. */
const lineHeadBytes = 64;
/** Of a completion, the whole line that ends it: the text in it is a word or none. */
const completionLineBytes = 16 * 1024;
/** Only as a key: inside a text the quotes would be escaped. */
const stopReason = /"stop_reason" ?: ?"/;

/**
 * Sees lines and event names only: no JSON, no copies beyond the head of one line. The event name is believed; a
 * `message_stop` without data is no end, because the SDKs skip it. The end of an event is seen at the first byte of
 * the blank line's ending, so with CRLF one byte before some readers act.
 */
export class AnswerEnd {
  /** The body is encoded (gzip, …), so no event can be seen in it: the caller must treat every chunk as the last. */
  readonly opaque: boolean;
  readonly #stream: boolean;
  readonly #contentLength: number | null;
  readonly #isCompletion: boolean;
  readonly #lines = new LineScanner();
  readonly #head: Buffer;
  #lineBytes = 0;
  #receivedBytes = 0;
  #event: string | null = null;
  #hasData = false;
  /** The event says why the completion stopped. */
  #hasReason = false;
  #stopped = false;
  #failed = false;

  constructor(options: AnswerEndOptions) {
    const encoding = options.contentEncoding.trim().toLowerCase();
    this.opaque = encoding !== '' && encoding !== 'identity';
    this.#stream = mediaTypeOf(options.contentType) === 'text/event-stream' && options.grammar !== 'open';
    this.#isCompletion = options.grammar === 'completion';
    this.#head = Buffer.alloc(!this.#stream ? 0 : this.#isCompletion ? completionLineBytes : lineHeadBytes);
    this.#contentLength = options.contentLength;
  }

  /** `ended` from the chunk that completes the answer on: what comes after it is part of the end too. */
  push(chunk: Uint8Array): 'open' | 'ended' {
    this.#receivedBytes += chunk.length;
    if (this.#stream && !this.opaque) {
      this.#lines.scan(chunk, {
        part: (bytes) => this.#holdHead(bytes),
        end: () => {
          this.#takeLine();
          return true;
        },
      });
    }
    return this.#stopped || this.#failed || this.#lengthReached() ? 'ended' : 'open';
  }

  /**
   * To be asked when the upstream closed its answer in the regular way. A body of unknown length is complete by that.
   * An event stream is complete only if its own end was seen; an opaque one is `truncated` here, and only the reader
   * of the decoded body can say better.
   */
  endOfStream(): 'complete' | 'truncated' | 'error_event' {
    if (this.#failed) return 'error_event';
    if (this.#stream) return this.#stopped ? 'complete' : 'truncated';
    return this.#contentLength === null || this.#lengthReached() ? 'complete' : 'truncated';
  }

  #lengthReached(): boolean {
    return this.#contentLength !== null && this.#receivedBytes >= this.#contentLength;
  }

  #holdHead(bytes: Uint8Array): void {
    const room = this.#head.length - this.#lineBytes;
    if (room > 0) this.#head.set(bytes.length > room ? bytes.subarray(0, room) : bytes, this.#lineBytes);
    this.#lineBytes += bytes.length;
  }

  #takeLine(): void {
    const length = Math.min(this.#lineBytes, this.#head.length);
    this.#lineBytes = 0;
    if (isPlainData(this.#head, length)) {
      this.#hasData = true;
      if (this.#isCompletion) this.#hasReason ||= stopReason.test(headText(this.#head, length));
      return;
    }
    const line = headText(this.#head, length);
    if (line === '') {
      if (this.#isCompletion ? this.#event === 'completion' && this.#hasReason : this.#isMessageStop()) {
        this.#stopped = true;
      }
      if (this.#event === 'error') this.#failed = true;
      this.#event = null;
      this.#hasData = false;
      this.#hasReason = false;
      return;
    }
    const [, field, value = ''] = /^(event|data)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') this.#event = value;
    if (field === 'data' && value !== '') this.#hasData = true;
  }

  #isMessageStop(): boolean {
    return this.#event === 'message_stop' && this.#hasData;
  }
}

/** `data:` with something behind it, seen without making a text: an answer may have a hundred thousand such lines. */
function isPlainData(head: Buffer, length: number): boolean {
  if (length < 7 || head[0] !== 0x64 || head[1] !== 0x61) return false;
  return head[2] === 0x74 && head[3] === 0x61 && head[4] === 0x3a;
}

/** Latin-1 is enough to compare ASCII names, and cannot fail on a character that was cut. */
function headText(head: Buffer, length: number): string {
  const marked = length >= 3 && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  return head.toString('latin1', marked ? 3 : 0, length);
}
