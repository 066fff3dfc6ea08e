/** Takes the codings off an answer that has passed already: as far as clients would read it. */
import { Buffer } from 'node:buffer';
import type { Coding } from './codings.ts';
import { readCodings } from './codings.ts';
import { beginsGzip } from './gzip.ts';
import type { DecodingLimits } from './limits.ts';
import { decodedMaxOf } from './limits.ts';
import type { Stream } from './stream.ts';
import { decodeStream } from './stream.ts';

/**
 * `ended` is false where the answer was cut: then `bytes` are the beginning that can be decoded. What cannot be decoded
 * is left to the sealed record.
 */
export type DecodedAnswer =
  | { decoded: true; codings: readonly Coding[]; bytes: Uint8Array; ended: boolean }
  | { decoded: false; codings: readonly Coding[]; fault: string };

/** One begins with each event where a server flushes that way; one costs some microseconds. */
export const streamsMax = 10_000;

/** `contentEncoding` is the header's values, joined by commas; `bytes` as they came. Never throws for what they hold. */
export function decodeAnswer(bytes: Uint8Array, contentEncoding: string, limits: DecodingLimits): DecodedAnswer {
  const read = readCodings(contentEncoding, 'passed_over');
  if (!read.ok) return { decoded: false, codings: [], fault: `its content-encoding ${read.fault} is not known` };
  const { codings } = read;
  const max = decodedMaxOf(bytes.length, limits);
  let decoded = bytes;
  let ended = true;
  if (bytes.length === 0) return { decoded: true, codings, bytes, ended: codings.length === 0 };
  for (const coding of codings.toReversed()) {
    const streams = decodeStreams(coding, decoded, max.bytes);
    switch (streams.kind) {
      case 'larger': {
        const most = max.limit === 'ratio' ? `${limits.decodedRatioMax} times its size` : `${max.bytes} bytes`;
        return { decoded: false, codings, fault: `it decodes to more than ${most}` };
      }
      case 'broken':
        return { decoded: false, codings, fault: `its ${coding} is damaged or none` };
      case 'cut':
      case 'ended':
        ended &&= streams.kind === 'ended';
        decoded = streams.bytes;
        break;
      default:
        return streams satisfies never;
    }
  }
  return { decoded: true, codings, bytes: decoded, ended };
}

/**
 * gzip members and zstd frames that follow one another are one body. Clients differ there (Node's fetch and urllib3
 * read all gzip members, httpx the first; httpx reads all zstd frames, Node the first), so the record has the most that
 * any of them shows. Other bytes behind the end are passed over, as most of them do.
 */
function decodeStreams(coding: Coding, bytes: Uint8Array, maxBytes: number): Stream {
  const first = decodeStream(coding, bytes, maxBytes);
  if (first.kind !== 'ended' || !follows(coding, bytes.subarray(first.usedBytes))) return first;
  const parts = [first.bytes];
  let decodedBytes = first.bytes.length;
  let at = first.usedBytes;
  let end: 'ended' | 'cut' = 'ended';
  while (end === 'ended' && follows(coding, bytes.subarray(at))) {
    if (parts.length === streamsMax) return { kind: 'broken' };
    const next = decodeStream(coding, bytes.subarray(at), maxBytes - decodedBytes);
    if (next.kind === 'larger' || next.kind === 'broken') return next;
    parts.push(next.bytes);
    decodedBytes += next.bytes.length;
    if (next.kind === 'cut') end = 'cut';
    else at += next.usedBytes;
  }
  const whole = Buffer.concat(parts);
  return end === 'cut' ? { kind: 'cut', bytes: whole } : { kind: 'ended', bytes: whole, usedBytes: at };
}

/** Whether another stream of the same body begins here. */
function follows(coding: Coding, rest: Uint8Array): boolean {
  if (rest.length === 0) return false;
  return (coding === 'gzip' && beginsGzip(rest)) || (coding === 'zstd' && beginsZstd(rest));
}

/** A frame, or one to be skipped (RFC 8878 section 3.1.2), as far as the bytes go. */
function beginsZstd(bytes: Uint8Array): boolean {
  const [first = 0] = bytes;
  const isFrame = first === 0x28;
  const rest = isFrame ? [0xb5, 0x2f, 0xfd] : [0x2a, 0x4d, 0x18];
  return (isFrame || first >> 4 === 5) && rest.every((byte, at) => at + 1 >= bytes.length || bytes[at + 1] === byte);
}
