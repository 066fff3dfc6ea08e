/** Bodies as senders encode them: whole, and flushed after each piece. */
import { once } from 'node:events';
import {
  brotliCompressSync,
  crc32,
  createBrotliCompress,
  createDeflate,
  createDeflateRaw,
  createGzip,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';

/** `header` is the value of content-encoding. */
export type Encoder = {
  name: string;
  header: string;
  encode: (bytes: Uint8Array) => Buffer;
  stream: () => ReturnType<typeof createGzip | typeof createBrotliCompress | typeof createZstdCompress>;
};

export const encoders: readonly Encoder[] = [
  { name: 'gzip', header: 'gzip', encode: gzipSync, stream: () => createGzip() },
  { name: 'x-gzip', header: 'x-gzip', encode: gzipSync, stream: () => createGzip() },
  { name: 'deflate', header: 'deflate', encode: deflateSync, stream: () => createDeflate() },
  { name: 'bare deflate', header: 'deflate', encode: deflateRawSync, stream: () => createDeflateRaw() },
  { name: 'br', header: 'br', encode: brotliCompressSync, stream: () => createBrotliCompress() },
  { name: 'zstd', header: 'zstd', encode: zstdCompressSync, stream: () => createZstdCompress() },
];

export function encoderNamed(name: string): Encoder {
  const found = encoders.find((encoder) => encoder.name === name);
  if (found === undefined) throw new RangeError(`no encoder ${name}`);
  return found;
}

/** As a server sends it that flushes after each piece. */
export async function encodedInPieces({ stream }: Encoder, pieces: readonly string[]): Promise<Buffer> {
  const encoding = stream();
  const chunks: Buffer[] = [];
  encoding.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const piece of pieces) {
    encoding.write(piece, 'latin1');
    await new Promise<void>((resolve) => encoding.flush(resolve));
  }
  encoding.end();
  await once(encoding, 'end');
  return Buffer.concat(chunks);
}

/** A gzip member with every optional part of its header (RFC 1952 section 2.3.1). */
export function gzipWithAllFields(bytes: Uint8Array): Buffer {
  const plain = gzipSync(bytes);
  const head = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0x1f, 0, 0, 0, 0, 0, 0xff]),
    Buffer.from([3, 0, 0x61, 0, 0x62]),
    Buffer.from('name.json\0a comment\0'),
  ]);
  const sum = Buffer.alloc(2);
  sum.writeUInt16LE(crc32(head) & 0xffff);
  return Buffer.concat([head, sum, plain.subarray(10)]);
}

/** A frame that decoders pass over (RFC 8878 section 3.1.2). */
export function skippableFrame(content: Uint8Array): Buffer {
  const head = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

/** A stored block of deflate: its content stands in it as it is. */
export function storedBlock(content: Uint8Array, { last }: { last: boolean }): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(last ? 1 : 0, 0);
  head.writeUInt16LE(content.length, 1);
  head.writeUInt16LE(content.length ^ 0xffff, 3);
  return Buffer.concat([head, content]);
}
