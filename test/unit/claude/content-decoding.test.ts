import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  brotliCompressSync,
  createBrotliCompress,
  createDeflate,
  createGzip,
  createZstdCompress,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { decodeBody } from '../../../extproc/claude/content-decoding.ts';
import { fixtureBytes } from './fixture.ts';

const maxBytes = 1024 * 1024;
const plain = Buffer.from(fixtureBytes('c_stream_tool_use.sse'));
const encoders: Record<string, (bytes: Uint8Array) => Buffer> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

const streams = {
  gzip: createGzip,
  'x-gzip': createGzip,
  deflate: createDeflate,
  br: createBrotliCompress,
  zstd: createZstdCompress,
};

/** As a server sends it that flushes after each event. */
async function encodedAsStream(encoding: keyof typeof streams): Promise<Buffer> {
  const stream = streams[encoding]();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const event of plain.toString('latin1').split(/(?<=\n\n)/)) {
    stream.write(event, 'latin1');
    await new Promise<void>((resolve) => stream.flush(resolve));
  }
  await new Promise<void>((resolve) => stream.end(resolve));
  return Buffer.concat(chunks);
}

function decodedText(bytes: Uint8Array, encoding: string): string | null {
  const body = decodeBody(bytes, encoding, maxBytes);
  return body.decoded ? Buffer.from(body.bytes).toString('latin1') : null;
}

for (const [encoding, encode] of Object.entries(encoders)) {
  const encoded = encode(plain);

  test(`a whole ${encoding} body is decoded`, () => {
    assert.equal(decodedText(encoded, encoding), plain.toString('latin1'));
  });

  test(`a ${encoding} stream cut at any byte gives a beginning of what was sent, and more bytes never less`, async () => {
    const streamed = await encodedAsStream(encoding as keyof typeof streams);
    let longest = 0;
    for (let length = 0; length <= streamed.length; length += 1) {
      const text = decodedText(streamed.subarray(0, length), encoding);
      assert.ok(text !== null, `cut at ${length}: not decoded`);
      assert.ok(plain.toString('latin1').startsWith(text), `cut at ${length}: not a beginning`);
      assert.ok(text.length >= longest, `cut at ${length}: ${text.length} after ${longest}`);
      longest = text.length;
    }
    assert.equal(longest, plain.length);
  });

  test(`a ${encoding} bomb is not decoded`, () => {
    const bomb = encode(Buffer.alloc(maxBytes + 1));
    assert.ok(bomb.length < 20_000);
    assert.equal(decodeBody(bomb, encoding, maxBytes).decoded, false);
    const withTail = encode(Buffer.concat([Buffer.alloc(8 * maxBytes), randomBytes(1_000)]));
    assert.equal(decodeBody(withTail.subarray(0, withTail.length - 100), encoding, maxBytes).decoded, false);
  });

  test(`a body that only says that it is ${encoding} is not decoded, and never passed on as text`, () => {
    assert.equal(decodeBody(Buffer.from('{"type":"message"}'), encoding, maxBytes).decoded, false);
  });
}

test('a body without encoding stays as it is; letter case and blanks in the name do not matter', () => {
  assert.equal(decodedText(plain, ''), plain.toString('latin1'));
  assert.equal(decodedText(plain, ' Identity '), plain.toString('latin1'));
  assert.equal(decodedText(gzipSync(plain), ' GZip '), plain.toString('latin1'));
});

test('an encoding that is not known, or several on top of each other, are not decoded', () => {
  for (const encoding of ['compress', 'gzip, br', 'gzip;q=1', '__proto__']) {
    assert.equal(decodeBody(gzipSync(plain), encoding, maxBytes).decoded, false, encoding);
  }
});

test('gzip members one after the other are one body, as in every client', () => {
  const body = Buffer.concat([gzipSync('first '), gzipSync('second')]);
  assert.equal(decodedText(body, 'gzip'), 'first second');
});
