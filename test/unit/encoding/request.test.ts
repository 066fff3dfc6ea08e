import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  brotliCompressSync,
  constants,
  deflateSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
  zstdCompressSync,
} from 'node:zlib';
import fc from 'fast-check';
import type { Coding } from '../../../extproc/encoding/codings.ts';
import { readCodings } from '../../../extproc/encoding/codings.ts';
import type { DecodingLimits } from '../../../extproc/encoding/limits.ts';
import { ratioFreeBytes } from '../../../extproc/encoding/limits.ts';
import type { DecodedRequest } from '../../../extproc/encoding/request.ts';
import { decodeRequest } from '../../../extproc/encoding/request.ts';
import { zstdWindowMaxLog } from '../../../extproc/encoding/stream.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import { encoderNamed, encoders, gzipWithAllFields, skippableFrame, storedBlock } from '../../builders/encoders.ts';

const MiB = 1024 * 1024;
const plain = Buffer.from(
  JSON.stringify({ model: 'm', messages: Array.from({ length: 40 }, (_, at) => `w${at} äöü`) }),
);

function codingsIn(header: string): readonly Coding[] {
  const read = readCodings(header, 'refused');
  assert.ok(read.ok);
  return read.codings;
}

function decoded(bytes: Uint8Array, header: string, limits: DecodingLimits = decodingLimits): DecodedRequest {
  return decodeRequest(bytes, codingsIn(header), limits, () => false);
}

/** Not the bytes: of a bomb that was decoded they would fill the report. */
function faultOf(read: DecodedRequest): string {
  return read.ok ? `decoded to ${read.bytes.length} bytes` : `${read.fault}: ${read.detail}`;
}

function assertInvalid(bytes: Uint8Array, header: string, detail: RegExp, name = ''): void {
  const read = decoded(bytes, header);
  assert.ok(!read.ok, `decoded: ${name}`);
  assert.equal(read.fault, 'invalid', name);
  assert.match(read.detail, detail, name);
}

for (const { name, header, encode } of encoders) {
  const encoded = encode(plain);

  test(`a whole ${name} body is decoded`, () => {
    assert.deepEqual(decoded(encoded, header), { ok: true, bytes: plain });
    assert.deepEqual(decoded(encode(Buffer.alloc(0)), header), { ok: true, bytes: Buffer.alloc(0) });
  });

  test(`a ${name} body cut at any byte is refused`, () => {
    for (let length = 1; length < encoded.length; length += 1) {
      const read = decoded(encoded.subarray(0, length), header);
      assert.ok(!read.ok && read.fault === 'invalid', `cut at ${length}`);
    }
  });

  test(`bytes behind the end of a ${name} body are refused: not all readers pass over them`, () => {
    for (const more of [Buffer.of(0), Buffer.of(0x1f), Buffer.from('{"a":1}'), encoded, encode(Buffer.alloc(0))]) {
      assertInvalid(Buffer.concat([encoded, more]), header, /more bytes stand behind the end/);
      assertInvalid(Buffer.concat([encode(Buffer.alloc(0)), more]), header, /more bytes stand behind the end/);
    }
  });

  test(`a ${name} body with one byte flipped is refused, or decoded to what its coding cannot tell from the truth`, () => {
    const isChecked = ['gzip', 'x-gzip', 'deflate'].includes(name);
    for (let at = 0; at < encoded.length; at += 1) {
      const flipped = Buffer.from(encoded);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      const read = decoded(flipped, header);
      if (isChecked && read.ok) assert.deepEqual(read.bytes, plain, `byte ${at}`);
      if (read.ok) assert.ok(read.bytes.length <= ratioFreeBytes);
    }
  });

  test(`a body that only says that it is ${name} is refused`, () => {
    for (const body of ['{"type":"message"}', ' ', '\u001f', 'PK\u0003\u0004']) {
      const read = decoded(Buffer.from(body, 'latin1'), header);
      assert.ok(!read.ok && read.fault === 'invalid', body);
    }
  });

  test(`a ${name} bomb stops at the limit for its size, and at the one for its ratio`, () => {
    const bomb = encode(Buffer.alloc(8 * MiB));
    const bySize = decoded(bomb, header, { decodedBodyMaxBytes: 2 * MiB, decodedRatioMax: 1e9 });
    assert.equal(faultOf(bySize), `too_large: ${2 * MiB} bytes`);
    const byRatio = decoded(bomb, header, { decodedBodyMaxBytes: 64 * MiB, decodedRatioMax: 10 });
    assert.equal(faultOf(byRatio), 'ratio_too_high: 10 times their size');
  });

  test(`a ${name} body of exactly the limit is decoded, and one byte more is not`, () => {
    const limits = { decodedBodyMaxBytes: plain.length, decodedRatioMax: 100 };
    assert.ok(decoded(encoded, header, limits).ok);
    assert.ok(!decoded(encoded, header, { ...limits, decodedBodyMaxBytes: plain.length - 1 }).ok);
  });

  test(`a small ${name} body may decode to a mebibyte, whatever its ratio`, () => {
    const limits = { decodedBodyMaxBytes: 64 * MiB, decodedRatioMax: 1 };
    assert.ok(decoded(encode(Buffer.alloc(ratioFreeBytes)), header, limits).ok);
    const over = decoded(encode(Buffer.alloc(ratioFreeBytes + 1)), header, limits);
    assert.ok(!over.ok && over.fault === 'ratio_too_high');
  });
}

test('codings on top of each other come off in the reverse order, and a body inside must be as whole', () => {
  const [gzip, br] = [encoderNamed('gzip').encode, encoderNamed('br').encode];
  assert.deepEqual(decoded(br(gzip(plain)), 'gzip, br'), { ok: true, bytes: plain });
  assert.deepEqual(decoded(gzip(gzip(gzip(plain))), 'gzip, x-gzip, gzip'), { ok: true, bytes: plain });
  assertInvalid(br(gzip(plain)), 'br, gzip', /gzip is damaged/);
  assertInvalid(br(gzip(plain).subarray(0, 40)), 'gzip, br', /ends before its gzip/);
  assertInvalid(br(Buffer.concat([gzip(plain), gzip(plain)])), 'gzip, br', /behind the end of its gzip/);
});

test('a bomb in a bomb stops at the same limits, reckoned from what came', () => {
  const inner = gzipSync(Buffer.alloc(64 * MiB));
  const bomb = gzipSync(inner);
  assert.ok(bomb.length < 1_000);
  assert.equal(faultOf(decoded(bomb, 'gzip, gzip')), 'ratio_too_high: 100 times their size');
  const outermost = decoded(gzipSync(bomb), 'gzip, gzip, gzip');
  assert.ok(!outermost.ok && outermost.fault === 'ratio_too_high');
});

test('the optional parts of a gzip header are passed over as RFC 1952 has it; unknown ones are refused', () => {
  const whole = gzipWithAllFields(plain);
  assert.deepEqual(decoded(whole, 'gzip'), { ok: true, bytes: plain });
  for (let length = 1; length < whole.length; length += 1) {
    assert.ok(!decoded(whole.subarray(0, length), 'gzip').ok, `cut at ${length}`);
  }
  const damaged = (at: number, value: number) => Buffer.from(whole).fill(value, at, at + 1);
  for (const flags of [0x20, 0x40, 0x80]) {
    assertInvalid(Buffer.from(gzipSync(plain)).fill(flags, 3, 4), 'gzip', /damaged/, `flags ${flags}`);
  }
  assertInvalid(damaged(2, 7), 'gzip', /damaged/, 'method');
  assertInvalid(damaged(20, 0x58), 'gzip', /damaged/, 'checksum of the header');
});

test('a wrong checksum or size is refused', () => {
  const flipped = (bytes: Buffer, fromEnd: number) => {
    const copy = Buffer.from(bytes);
    copy[copy.length - fromEnd] = (copy[copy.length - fromEnd] ?? 0) ^ 1;
    return copy;
  };
  for (const fromEnd of [1, 4, 5, 8]) assertInvalid(flipped(gzipSync(plain), fromEnd), 'gzip', /damaged/);
  for (const fromEnd of [1, 4]) assertInvalid(flipped(deflateSync(plain), fromEnd), 'deflate', /damaged/);
  const checked = zstdCompressSync(plain, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  assert.ok(decoded(checked, 'zstd').ok);
  assertInvalid(flipped(checked, 1), 'zstd', /damaged/);
});

test('zstd is one frame: none to be skipped, and none with a larger window than every reader has room for', () => {
  const frame = zstdCompressSync(plain);
  const skipped = skippableFrame(Buffer.from('{}'));
  assertInvalid(skipped, 'zstd', /does not begin with a zstd frame/);
  assertInvalid(Buffer.concat([skipped, frame]), 'zstd', /does not begin with a zstd frame/);
  assertInvalid(Buffer.concat([frame, skipped]), 'zstd', /behind the end/);
  const wide = (windowLog: number) => {
    const params = { [constants.ZSTD_c_windowLog]: windowLog, [constants.ZSTD_c_contentSizeFlag]: 0 };
    return zstdCompressSync(Buffer.alloc(20 * MiB, plain), { params });
  };
  const limits = { ...decodingLimits, decodedRatioMax: 100_000 };
  assert.ok(decoded(wide(zstdWindowMaxLog), 'zstd', limits).ok);
  assert.ok(!decoded(wide(zstdWindowMaxLog + 1), 'zstd', limits).ok);
});

test('brotli with a window beyond the standard, and zlib with a dictionary, are refused', () => {
  const large = { params: { [constants.BROTLI_PARAM_LARGE_WINDOW]: 1, [constants.BROTLI_PARAM_LGWIN]: 28 } };
  assertInvalid(brotliCompressSync(plain, large), 'br', /damaged/);
  assertInvalid(deflateSync(plain, { dictionary: Buffer.from('model messages') }), 'deflate', /damaged/);
});

test('a deflate that is whole with its zlib header and without it is refused: it can say two things', () => {
  const both = readInTwoWays();
  assert.ok(inflateSync(both).length > 0 && inflateRawSync(both).length > 0);
  assertInvalid(both, 'deflate', /in two ways/);
});

/**
 * As zlib: the header 78 01, one stored block of blanks and the checksum of it. As bare deflate 78 begins a stored block
 * too, whose size and inverted size are the four bytes behind it; another stored block follows, made of the blanks.
 */
function readInTwoWays(): Buffer {
  const blockHeadBytes = 5;
  const zlibHead = Buffer.from([0x78, 0x01, 0x01, 0xfe, 0xfe, 0x01, 0x01]);
  const content = Buffer.alloc(0xfefe, 0x20);
  const bareSize = 0x0101;
  const second = blockHeadBytes + bareSize - zlibHead.length;
  const left = content.length - second - blockHeadBytes + adlerBytes;
  storedBlock(Buffer.alloc(left), { last: true }).copy(content, second, 0, blockHeadBytes);
  return Buffer.concat([zlibHead, content, adler32(content)]);
}

const adlerBytes = 4;

/** RFC 1950 section 9. */
function adler32(bytes: Uint8Array): Buffer {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  const sum = Buffer.alloc(adlerBytes);
  sum.writeUInt16BE(b, 0);
  sum.writeUInt16BE(a, 2);
  return sum;
}

test('what can be read without decoding is refused, at each coding', () => {
  const asked: number[] = [];
  const twice = gzipSync(gzipSync(plain));
  const read = decodeRequest(twice, ['gzip', 'gzip'], decodingLimits, (bytes) => asked.push(bytes.length) === 2);
  assert.deepEqual(asked, [twice.length, gzipSync(plain).length]);
  assert.ok(!read.ok && read.fault === 'invalid');
  assert.match(read.detail, /without decoding/);
});

function flip(bytes: Buffer, bit: number): void {
  const at = bit % Math.max(1, bytes.length);
  const byte = bytes[at];
  if (byte !== undefined) bytes[at] = byte ^ (1 << (bit % 8));
}

const encoder = fc.constantFrom(...encoders);
const limits: DecodingLimits = { decodedBodyMaxBytes: 4096, decodedRatioMax: 50 };

test('any body comes back exactly, from any list of codings', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), fc.array(encoder, { minLength: 1, maxLength: 3 }), (body, list) => {
      const encoded = list.reduce((bytes: Uint8Array, { encode }) => encode(bytes), body);
      const read = decoded(encoded, list.map(({ header }) => header).join(', '));
      assert.deepEqual(read, { ok: true, bytes: Buffer.from(body) });
    }),
    { numRuns: 200 },
  );
});

test('random bytes, cuts and flips give the exact body or a refusal, never more than the limit', () => {
  const change = fc.record({
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    flips: fc.array(fc.nat(), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 6000 }),
      encoder,
      fc.boolean(),
      change,
      (body, { header, encode }, isRandom, how) => {
        const whole = isRandom ? Buffer.from(body) : encode(body);
        const changed = Buffer.from(whole.subarray(0, Math.ceil(whole.length * how.cut)));
        for (const bit of how.flips) flip(changed, bit);
        const read = decoded(changed, header, limits);
        if (read.ok) assert.ok(read.bytes.length <= limits.decodedBodyMaxBytes);
        if (read.ok && changed.equals(whole) && !isRandom) assert.deepEqual(Buffer.from(read.bytes), Buffer.from(body));
        if (!read.ok) assert.doesNotMatch(read.detail, /undefined|\d{5}/);
      },
    ),
    { numRuns: 1_000 },
  );
});
