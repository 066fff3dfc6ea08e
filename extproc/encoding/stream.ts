/** Decodes one stream of one coding: what the bytes begin with, to its end. */
import type { Buffer } from 'node:buffer';
import {
  brotliDecompressSync,
  constants,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
  type ZstdOptions,
  zstdDecompressSync,
} from 'node:zlib';
import type { Coding } from './codings.ts';
import { gzipTrailerBytes, gzipTrailerFits, readGzipHeader } from './gzip.ts';

/**
 * - `ended`: with what it decodes to, and how many of the bytes belong to it.
 * - `cut`: the bytes end before the stream does; with what can be decoded so far.
 * - `larger`: it decodes to more than `maxBytes`.
 * - `broken`: it is no stream of this coding, or a damaged one (its checksum is wrong).
 */
export type Stream =
  | { kind: 'ended'; bytes: Uint8Array; usedBytes: number }
  | { kind: 'cut'; bytes: Uint8Array }
  | { kind: 'larger' }
  | { kind: 'broken' };

/** RFC 9659: the window that a sender may use, and that every reader of the coding `zstd` has room for. */
export const zstdWindowMaxLog = 23;

const broken: Stream = { kind: 'broken' };
const nothing = new Uint8Array(0);

/** Time and memory are bounded by `maxBytes` and the size of the bytes; never throws for what they hold. */
export function decodeStream(coding: Coding, bytes: Uint8Array, maxBytes: number): Stream {
  switch (coding) {
    case 'gzip':
      return decodeGzip(bytes, maxBytes);
    case 'deflate':
      return isZlib(bytes) ? run(inflate, bytes, maxBytes) : run(inflateRaw, bytes, maxBytes);
    case 'br':
      return run(brotli, bytes, maxBytes);
    case 'zstd':
      return run(zstd, bytes, maxBytes);
    default:
      return coding satisfies never;
  }
}

/**
 * The name `deflate` is given to two things by those who send it: a zlib stream (RFC 1950, as RFC 9110 wants it) and
 * the bare deflate stream inside one. No encoder writes a bare one that begins like a zlib header.
 */
export function isZlib(bytes: Uint8Array): boolean {
  const [method = 0, flags = 0] = bytes;
  if (bytes.length === 1) return (method & 0x0f) === 8;
  return (method & 0x0f) === 8 && method >> 4 <= 7 && ((method << 8) | flags) % 31 === 0;
}

/** The same bytes as a bare deflate stream, whatever they begin with. */
export function decodeBareDeflate(bytes: Uint8Array, maxBytes: number): Stream {
  return run(inflateRaw, bytes, maxBytes);
}

/**
 * One member (RFC 1952). Node's own reader goes on to the next member without saying so, and reads bytes behind the
 * last one in more than one way.
 */
function decodeGzip(bytes: Uint8Array, maxBytes: number): Stream {
  const header = readGzipHeader(bytes);
  if (header.kind === 'broken') return broken;
  if (header.kind === 'cut') return { kind: 'cut', bytes: nothing };
  const deflated = run(inflateRaw, bytes.subarray(header.bytes), maxBytes);
  if (deflated.kind !== 'ended') return deflated;
  const end = header.bytes + deflated.usedBytes;
  const trailer = bytes.subarray(end, end + gzipTrailerBytes);
  if (trailer.length < gzipTrailerBytes) return { kind: 'cut', bytes: deflated.bytes };
  return gzipTrailerFits(trailer, deflated.bytes) ? { ...deflated, usedBytes: end + gzipTrailerBytes } : broken;
}

type Options = { maxOutputLength: number; finishFlush?: number; info: true };
type Informed = { buffer: Buffer; engine: { bytesWritten: number } };
type Decoder = { decode: (bytes: Uint8Array, options: Options) => Informed; flush: number };

/** With `info` Node gives an object that its types do not know. */
function informed(decoded: unknown): Informed {
  return decoded as Informed;
}

const inflate: Decoder = {
  decode: (bytes, options) => informed(inflateSync(bytes, options satisfies ZlibOptions)),
  flush: constants.Z_SYNC_FLUSH,
};
const inflateRaw: Decoder = {
  decode: (bytes, options) => informed(inflateRawSync(bytes, options satisfies ZlibOptions)),
  flush: constants.Z_SYNC_FLUSH,
};
const brotli: Decoder = {
  decode: (bytes, options) => informed(brotliDecompressSync(bytes, options)),
  flush: constants.BROTLI_OPERATION_FLUSH,
};
const zstdParams: ZstdOptions = { params: { [constants.ZSTD_d_windowLogMax]: zstdWindowMaxLog } };
const zstd: Decoder = {
  decode: (bytes, options) => informed(zstdDecompressSync(bytes, { ...options, ...zstdParams })),
  flush: constants.ZSTD_e_flush,
};

/** Decoded piece by piece into an output that may not grow beyond `maxBytes`. */
function run({ decode, flush }: Decoder, bytes: Uint8Array, maxBytes: number): Stream {
  if (bytes.length === 0) return { kind: 'cut', bytes: nothing };
  const options: Options = { maxOutputLength: Math.max(1, maxBytes), info: true };
  try {
    const { buffer, engine } = decode(bytes, options);
    return buffer.length > maxBytes
      ? { kind: 'larger' }
      : { kind: 'ended', bytes: buffer, usedBytes: engine.bytesWritten };
  } catch (thrown) {
    if (codeOf(thrown) !== 'Z_BUF_ERROR') return faultOf(thrown);
  }
  // Whoever asks for the end is told only that there is none; what is there comes by asking again without.
  try {
    const { buffer } = decode(bytes, { ...options, finishFlush: flush });
    return buffer.length > maxBytes ? { kind: 'larger' } : { kind: 'cut', bytes: buffer };
  } catch (thrown) {
    return faultOf(thrown);
  }
}

function faultOf(thrown: unknown): Stream {
  return codeOf(thrown) === 'ERR_BUFFER_TOO_LARGE' ? { kind: 'larger' } : broken;
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
}
