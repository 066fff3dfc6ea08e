/** Takes the codings off a request: only where every reader would find the same in it (inv. 2). */
import type { Coding } from './codings.ts';
import type { DecodingLimits } from './limits.ts';
import { decodedMaxOf } from './limits.ts';
import { decodeBareDeflate, decodeStream, isZlib } from './stream.ts';

/**
 * - `invalid`: not one whole stream of its coding and nothing else, or readable in two ways.
 * - `too_large`, `ratio_too_high`: beyond the limit of that kind; not decoded further.
 */
export type DecodedRequest =
  | { ok: true; bytes: Uint8Array }
  | { ok: false; fault: 'invalid' | 'too_large' | 'ratio_too_high'; detail: string };

/**
 * `codings` in the order in which they were applied; without any the bytes come back. Refused is a stream that is cut
 * or damaged, bytes behind its end, a second gzip member or zstd frame, a zstd frame to be skipped, and a `deflate`
 * that is whole both with and without its zlib header. `isReadable` tells whether bytes from which a coding was not
 * yet taken could be taken for the body itself, by an upstream that pays no heed to this coding.
 */
export function decodeRequest(
  encoded: Uint8Array,
  codings: readonly Coding[],
  limits: DecodingLimits,
  isReadable: (encoded: Uint8Array) => boolean,
): DecodedRequest {
  const max = decodedMaxOf(encoded.length, limits);
  let bytes = encoded;
  for (const coding of codings.toReversed()) {
    if (isReadable(bytes)) return invalid(`it can also be read without decoding its ${coding}`);
    if (coding === 'zstd' && !beginsZstdFrame(bytes)) return invalid('it does not begin with a zstd frame');
    const stream = decodeStream(coding, bytes, max.bytes);
    switch (stream.kind) {
      case 'larger':
        return max.limit === 'ratio'
          ? { ok: false, fault: 'ratio_too_high', detail: `${limits.decodedRatioMax} times their size` }
          : { ok: false, fault: 'too_large', detail: `${limits.decodedBodyMaxBytes} bytes` };
      case 'broken':
        return invalid(`its ${coding} is damaged or none`);
      case 'cut':
        return invalid(`it ends before its ${coding} does`);
      case 'ended':
        if (stream.usedBytes < bytes.length) return invalid(`more bytes stand behind the end of its ${coding}`);
        if (coding === 'deflate' && isBareToo(bytes, max.bytes)) return invalid('its deflate can be read in two ways');
        bytes = stream.bytes;
        break;
      default:
        return stream satisfies never;
    }
  }
  return { ok: true, bytes };
}

function invalid(detail: string): DecodedRequest {
  return { ok: false, fault: 'invalid', detail };
}

/** RFC 8878 section 3.1.1. Frames to be skipped, and those of formats before it, have other numbers. */
function beginsZstdFrame(bytes: Uint8Array): boolean {
  return [0x28, 0xb5, 0x2f, 0xfd].every((byte, at) => bytes[at] === byte);
}

/**
 * Read without its header, a zlib stream begins with a stored block (RFC 1951 section 3.2.4), whose size stands twice:
 * as it is and inverted. Hardly a stream passes for one, so hardly any is decoded twice.
 */
function isBareToo(bytes: Uint8Array, maxBytes: number): boolean {
  if (!isZlib(bytes)) return false;
  const [, low = 0, high = 0, lowInverted = 0, highInverted = 0] = bytes;
  if ((low ^ lowInverted) !== 0xff || (high ^ highInverted) !== 0xff) return false;
  const { kind } = decodeBareDeflate(bytes, maxBytes);
  return kind === 'ended' || kind === 'larger';
}
