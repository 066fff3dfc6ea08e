import { brotliDecompressSync, constants, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** `decoded: false` leaves the bytes as they were: they stay sealed and are not shown. */
export type DecodedBody = { decoded: true; bytes: Uint8Array } | { decoded: false };

/**
 * Takes the content-encoding off an answer. What was cut short gives the prefix that can be decoded; what is larger
 * than `maxBytes` when decoded is not decoded at all (a small answer must not fill the memory).
 */
export function decodeBody(bytes: Uint8Array, contentEncoding: string, maxBytes: number): DecodedBody {
  if (bytes.length === 0) return { decoded: true, bytes };
  const flush = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maxBytes };
  try {
    switch (contentEncoding.trim().toLowerCase()) {
      case '':
      case 'identity':
        return { decoded: true, bytes };
      case 'gzip':
      case 'x-gzip':
        return { decoded: true, bytes: gunzipSync(bytes, flush) };
      case 'deflate':
        return { decoded: true, bytes: inflateSync(bytes, flush) };
      case 'br': {
        const finishFlush = constants.BROTLI_OPERATION_FLUSH;
        return { decoded: true, bytes: brotliDecompressSync(bytes, { finishFlush, maxOutputLength: maxBytes }) };
      }
      case 'zstd': {
        const finishFlush = constants.ZSTD_e_flush;
        return { decoded: true, bytes: zstdDecompressSync(bytes, { finishFlush, maxOutputLength: maxBytes }) };
      }
      default:
        return { decoded: false };
    }
  } catch {
    return { decoded: false };
  }
}
