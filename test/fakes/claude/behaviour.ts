/** What the fake upstream does with one request: which answer, how it ends, and in what pieces it is sent. */

export type Answer =
  /** Polite words about the request; the skills fixture when the request names skills. */
  | { readonly kind: 'default' }
  | { readonly kind: 'text'; readonly text: string }
  /** A text whose size is `textBytes` (ASCII). */
  | { readonly kind: 'large'; readonly textBytes: number }
  /** A call of the named tool, or of the first one in the request that the caller runs itself. */
  | { readonly kind: 'tool_use'; readonly toolName?: string }
  /** A file of test/fixtures/answers, byte for byte: `.sse` as an event stream, `.json` as JSON, whatever was asked for. */
  | { readonly kind: 'fixture'; readonly name: string }
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
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
  readonly ending: Ending;
  readonly encoding: Encoding;
  /** Pause before every event of a stream (or piece of a JSON body). */
  readonly msPerEvent: number;
  /** Largest single write; undefined: one write per event. */
  readonly bytesPerWrite: number | undefined;
};

/** Thrown for a directive that means nothing, so that a misspelt test does not pass by the default answer. */
export class UnknownDirective extends Error {}

const TEXT_MAX_BYTES = 100_000_000;
const PAUSE_MAX_MS = 60_000;
/** Every part is bounded, so that looking for directives stays linear in the text. */
const DIRECTIVE = /\[fake: ([a-z][a-z0-9_-]{0,40})((?: [A-Za-z0-9_.-]{1,100}){0,3})\]/g;

/** The directives in a text, such as `[fake: gzip]`; several may stand together, a later one wins. */
export function readDirectives(text: string): Partial<Behaviour> {
  const found: Partial<Behaviour>[] = [];
  for (const [whole, name = '', rest = ''] of text.matchAll(DIRECTIVE)) {
    found.push(readDirective(whole, name, rest.trim().split(' ')));
  }
  return Object.assign({}, ...found);
}

function readDirective(whole: string, name: string, [first = '', second = '']: string[]): Partial<Behaviour> {
  switch (name) {
    case 'tool_use':
      return { answer: first === '' ? { kind: 'tool_use' } : { kind: 'tool_use', toolName: first } };
    case 'fixture':
      return { answer: { kind: 'fixture', name: first } };
    case 'error': {
      const status = readCount(whole, first, 400, 599);
      const headers = second === '' ? {} : { 'retry-after': String(readCount(whole, second, 0, 86_400)) };
      return { answer: { kind: 'error', status, headers } };
    }
    case 'midstream_error':
      return { answer: { kind: 'midstream_error' } };
    case 'large':
      return { answer: { kind: 'large', textBytes: readCount(whole, first, 1, TEXT_MAX_BYTES) } };
    case 'slow':
      return { msPerEvent: readCount(whole, first, 0, PAUSE_MAX_MS) };
    case 'chunk':
      return { bytesPerWrite: readCount(whole, first, 1, TEXT_MAX_BYTES) };
    case 'gzip':
    case 'deflate':
    case 'br':
    case 'zstd':
      return { encoding: name };
    case 'truncate':
    case 'reset':
    case 'hang':
      return { ending: name };
    case 'reset-before-headers':
      return { ending: 'reset_before_headers' };
    case 'headers-then-hang':
      return { ending: 'headers_then_hang' };
    default:
      throw new UnknownDirective(`the fake does not know ${whole}`);
  }
}

function readCount(whole: string, digits: string, min: number, max: number): number {
  const value = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UnknownDirective(`${whole} needs a number from ${min} to ${max}`);
  return value;
}
