import { once } from 'node:events';
import type { Transform } from 'node:stream';
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';

export const encodings = ['identity', 'gzip', 'br', 'zstd'] as const;
export type Encoding = (typeof encodings)[number];

/** `borders[n]` is where event n ends in the encoded bytes: an upstream that streams flushes behind each. */
export type EncodedStream = { encoding: Encoding; bytes: Buffer; borders: readonly number[]; endsAfter: End };
/** The event behind which the stream is over for its reader, and how; null when there is none. */
export type End = { event: number; outcome: 'complete' | 'upstream_error' } | null;

/** Encodes an event stream event by event. */
export async function encodeStream(stream: Buffer, encoding: Encoding): Promise<EncodedStream> {
  const events = stream.toString().split(/(?<=\r?\n\r?\n)/);
  const parts: Buffer[] = [];
  const borders: number[] = [];
  const encoder = encoderOf(encoding);
  encoder?.transform.on('data', (part: Buffer) => parts.push(part));
  for (const event of events) {
    if (encoder === null) parts.push(Buffer.from(event));
    else {
      encoder.transform.write(event);
      await new Promise<void>((resolve) => encoder.transform.flush(encoder.kind, resolve));
    }
    borders.push(parts.reduce((length, part) => length + part.length, 0));
  }
  if (encoder !== null) {
    encoder.transform.end();
    await once(encoder.transform, 'end');
  }
  return { encoding, bytes: Buffer.concat(parts), borders, endsAfter: endOf(events) };
}

type Flushing = Transform & { flush(kind: number, done: () => void): void };

function encoderOf(encoding: Encoding): { transform: Flushing; kind: number } | null {
  switch (encoding) {
    case 'identity':
      return null;
    case 'gzip':
      return { transform: createGzip(), kind: constants.Z_SYNC_FLUSH };
    case 'br':
      return { transform: createBrotliCompress(), kind: constants.BROTLI_OPERATION_FLUSH };
    case 'zstd':
      return { transform: createZstdCompress() as unknown as Flushing, kind: constants.ZSTD_e_flush };
    default:
      return encoding satisfies never;
  }
}

function endOf(events: readonly string[]): End {
  for (const [event, text] of events.entries()) {
    if (!/\n\r?\n$/.test(text)) continue;
    if (/^event: ?message_stop\r?$/m.test(text)) return { event, outcome: 'complete' };
    if (/^event: ?error\r?$/m.test(text)) return { event, outcome: 'upstream_error' };
  }
  return null;
}
