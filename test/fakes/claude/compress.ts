/** Content encodings that keep a stream a stream: every piece can be read by the client when it has arrived. */
import { once } from 'node:events';
import { constants, createBrotliCompress, createDeflate, createGzip, createZstdCompress } from 'node:zlib';
import type { Encoding } from './behaviour.ts';

type Compressor = ReturnType<typeof createGzip | typeof createBrotliCompress | typeof createZstdCompress>;

function createCompressor(encoding: Exclude<Encoding, 'identity'>): Compressor {
  switch (encoding) {
    case 'gzip':
      return createGzip();
    case 'deflate':
      return createDeflate();
    case 'br':
      // The default quality of Brotli is meant for files and takes seconds for a large answer.
      return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
    case 'zstd':
      return createZstdCompress();
  }
}

/** One piece of output per piece of input, flushed. With `finish` false the encoding's own end is left out. */
export async function* compress(
  pieces: AsyncIterable<Buffer>,
  encoding: Encoding,
  finish: boolean,
): AsyncGenerator<Buffer> {
  if (encoding === 'identity') {
    yield* pieces;
    return;
  }
  const compressor = createCompressor(encoding);
  let ready: Buffer[] = [];
  compressor.on('data', (chunk: Buffer) => ready.push(chunk));
  const take = () => {
    const output = Buffer.concat(ready);
    ready = [];
    return output;
  };
  try {
    for await (const piece of pieces) {
      await new Promise<void>((resolve) => {
        compressor.write(piece, () => compressor.flush(resolve));
      });
      yield take();
    }
    if (!finish) return;
    compressor.end();
    await once(compressor, 'end');
    yield take();
  } finally {
    compressor.destroy();
  }
}
