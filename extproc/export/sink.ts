/** Where conversations are written to. The one way out: it takes nothing that was not masked (inv. 6). */
import { createHash } from 'node:crypto';
import { sanitisedJson } from '../terminal/sanitise.ts';
import { chatLineOf } from './line.ts';
import type { Conversation } from './threads.ts';

/** `sha256` in hex digits, over all bytes of the file. */
export type WrittenFile = { name: string; bytes: number; lines: number; sha256: string };

export type ChatSink = {
  append(conversation: Conversation): Promise<void>;
  /** What was written. */
  end(): Promise<WrittenFile[]>;
};

/** How text leaves the process, and when it may go on. */
export type Out = (text: string) => Promise<void>;

/** Everything as one stream of lines. */
export function streamSink(name: string, out: Out): ChatSink {
  const file = new LineCount();
  return {
    async append(conversation) {
      const text = textOf(conversation);
      file.add(text);
      await out(text);
    },
    end: async () => [file.written(name)],
  };
}

/** What of a file the manifest tells. */
export class LineCount {
  readonly #hash = createHash('sha256');
  bytes = 0;
  #lines = 0;

  add(text: string): void {
    this.#hash.update(text);
    this.bytes += Buffer.byteLength(text);
    this.#lines += text === '' ? 0 : 1;
  }

  written(name: string): WrittenFile {
    return { name, bytes: this.bytes, lines: this.#lines, sha256: this.#hash.digest('hex') };
  }
}

/**
 * Empty for a conversation without a message. What callers and models wrote may end in a terminal (`--out -`), and in
 * programs that take U+2028 or U+0085 for the end of a line: no such character stands in it as it is.
 */
export function textOf(conversation: Conversation): string {
  const line = chatLineOf(conversation);
  return line === null ? '' : `${sanitisedJson(line)}\n`;
}
