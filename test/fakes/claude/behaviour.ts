/** What the fake upstream does with one request: which answer, how it ends, and in what pieces it is sent. */
import type { PartName } from './answers/parts.ts';

export type Answer =
  /** Polite words about the request; the skills fixture when the request names skills. */
  | { readonly kind: 'default' }
  | { readonly kind: 'text'; readonly text: string }
  /** A text whose size is `textBytes` (ASCII). */
  | { readonly kind: 'large'; readonly textBytes: number }
  /** A call of the named tool, or of the first one in the request that the caller runs itself. */
  | { readonly kind: 'tool_use'; readonly toolName?: string }
  /** Content blocks of these kinds in this order; see `answers/parts.ts`. */
  | { readonly kind: 'parts'; readonly parts: readonly PartName[] }
  /** A file of test/fixtures/answers, byte for byte: `.sse` as an event stream, `.json` as JSON, whatever was asked for. */
  | { readonly kind: 'fixture'; readonly name: string }
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** Of the envelope, with `error_code`. */
      readonly details?: Readonly<Record<string, unknown>>;
    }
  /** Half a text, then `event: error`; 529 when no stream was asked for. */
  | { readonly kind: 'midstream_error' }
  /** Any bytes at all, for an upstream that breaks the rules. */
  | {
      readonly kind: 'raw';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | Uint8Array;
    };

/** `truncate` is a clean end of HTTP halfway; `reset` breaks the connection halfway, or before the headers. */
export type Ending = 'complete' | 'truncate' | 'reset' | 'reset_before_headers' | 'hang' | 'headers_then_hang';

export type Encoding = 'identity' | 'gzip' | 'deflate' | 'br' | 'zstd';

export type Behaviour = {
  readonly answer: Answer;
  /** Size of a file that code execution writes; undefined: a small table. */
  readonly producedFileBytes: number | undefined;
  /** Instead of the reason that fits the answer. */
  readonly stopReason: string | undefined;
  readonly ending: Ending;
  readonly encoding: Encoding;
  /** Pause before every event of a stream (or piece of a JSON body). */
  readonly msPerEvent: number;
  /** Largest single write; undefined: one write per event. */
  readonly bytesPerWrite: number | undefined;
};
