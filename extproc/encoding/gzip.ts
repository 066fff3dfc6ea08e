/** The frame of a gzip member (RFC 1952) around its deflate stream. */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';

export type GzipHeader = { kind: 'read'; bytes: number } | { kind: 'cut' } | { kind: 'broken' };

const fixedBytes = 10;
export const gzipTrailerBytes = 8;
const flag = { headerCrc: 0x02, extra: 0x04, name: 0x08, comment: 0x10, reserved: 0xe0 };
const cut: GzipHeader = { kind: 'cut' };
const broken: GzipHeader = { kind: 'broken' };

/** Whether the bytes, as far as they go, begin like a member. */
export function beginsGzip(bytes: Uint8Array): boolean {
  return [0x1f, 0x8b, 0x08].every((byte, at) => at >= bytes.length || bytes[at] === byte);
}

/** How long the header is that the bytes begin with. Linear in it. */
export function readGzipHeader(bytes: Uint8Array): GzipHeader {
  if (!beginsGzip(bytes)) return broken;
  if (bytes.length < fixedBytes) return cut;
  const flags = bytes[3] ?? 0;
  if ((flags & flag.reserved) !== 0) return broken;
  let at = fixedBytes;
  if ((flags & flag.extra) !== 0) at += 2 + ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
  for (const text of [flag.name, flag.comment]) {
    if ((flags & text) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end === -1) return cut;
    at = end + 1;
  }
  if ((flags & flag.headerCrc) !== 0) {
    const sum = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    if (at + 2 <= bytes.length && sum !== (crc32(bytes.subarray(0, at)) & 0xffff)) return broken;
    at += 2;
  }
  return at > bytes.length ? cut : { kind: 'read', bytes: at };
}

/** Whether checksum and size (modulo 2^32) are those of what was decoded. */
export function gzipTrailerFits(trailer: Uint8Array, decoded: Uint8Array): boolean {
  const { buffer, byteOffset, length } = trailer;
  const view = Buffer.from(buffer, byteOffset, length);
  return view.readUInt32LE(0) === crc32(decoded) && view.readUInt32LE(4) === decoded.length % 2 ** 32;
}
