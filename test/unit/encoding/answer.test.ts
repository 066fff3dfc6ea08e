import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { DecodedAnswer } from '../../../extproc/encoding/answer.ts';
import { decodeAnswer, streamsMax } from '../../../extproc/encoding/answer.ts';
import type { DecodingLimits } from '../../../extproc/encoding/limits.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import { encodedInPieces, encoderNamed, encoders, gzipWithAllFields, skippableFrame } from '../../builders/encoders.ts';
import { fixtureBytes } from '../claude/fixture.ts';

const MiB = 1024 * 1024;
const plain = Buffer.from(fixtureBytes('c_stream_tool_use.sse'));
const text = plain.toString('latin1');
const events = text.split(/(?<=\n\n)/);

function decoded(bytes: Uint8Array, header: string, limits: DecodingLimits = decodingLimits): DecodedAnswer {
  return decodeAnswer(bytes, header, limits);
}

function textOf(bytes: Uint8Array, header: string): [text: string, ended: boolean] {
  const answer = decoded(bytes, header);
  assert.ok(answer.decoded, answer.decoded ? '' : answer.fault);
  return [Buffer.from(answer.bytes).toString('latin1'), answer.ended];
}

function faultOf(bytes: Uint8Array, header: string, limits = decodingLimits): string {
  const answer = decoded(bytes, header, limits);
  assert.ok(!answer.decoded, 'decoded');
  return answer.fault;
}

for (const encoder of encoders) {
  const { name, header, encode } = encoder;
  const encoded = encode(plain);

  test(`a whole ${name} answer is decoded, and its end seen`, () => {
    assert.deepEqual(textOf(encoded, header), [text, true]);
  });

  test(`a ${name} stream cut at any byte gives a beginning of what was sent, more bytes never less, and no end`, async () => {
    const streamed = await encodedInPieces(encoder, events);
    let longest = 0;
    for (let length = 0; length < streamed.length; length += 1) {
      const [beginning, ended] = textOf(streamed.subarray(0, length), header);
      assert.ok(text.startsWith(beginning), `cut at ${length}: not a beginning`);
      assert.ok(beginning.length >= longest, `cut at ${length}: ${beginning.length} after ${longest}`);
      assert.equal(ended, false, `cut at ${length}`);
      longest = beginning.length;
    }
    assert.equal(longest, text.length);
    assert.deepEqual(textOf(streamed, header), [text, true]);
  });

  test(`a ${name} stream cut behind a flush gives every event that was flushed`, async () => {
    let sent = '';
    for (const [at, event] of events.entries()) {
      sent += event;
      if (at % 7 !== 0) continue;
      const whole = await encodedInPieces(encoder, [...events.slice(0, at + 1), 'x'.repeat(50)]);
      const flushed = await encodedInPieces(encoder, events.slice(0, at + 1));
      // Two streams with the same beginning: what they share was flushed.
      const shared = whole.findIndex((byte, index) => byte !== flushed[index]);
      assert.ok(textOf(whole.subarray(0, shared + 40), header)[0].startsWith(sent), `event ${at}`);
    }
  });

  test(`a ${name} bomb is not decoded, by its size or by its ratio, and neither is one that was cut`, () => {
    const small = { decodedBodyMaxBytes: MiB, decodedRatioMax: 1e9 };
    const bomb = encode(Buffer.concat([Buffer.alloc(8 * MiB), randomBytes(1_000)]));
    assert.match(faultOf(bomb, header, small), /more than 1048576 bytes/);
    assert.match(faultOf(bomb.subarray(0, bomb.length - 100), header, small), /more than/);
    assert.match(faultOf(bomb, header, { ...decodingLimits, decodedRatioMax: 5 }), /more than 5 times its size/);
  });

  test(`an answer that only says that it is ${name} is not decoded, and never passed on as text`, () => {
    assert.match(faultOf(Buffer.from('{"type":"message"}'), header), /damaged or none/);
  });
}

test('an answer without encoding stays as it is; letter case and blanks in the name do not matter', () => {
  for (const header of ['', ' Identity ', ',']) assert.deepEqual(textOf(plain, header), [text, true]);
  assert.deepEqual(textOf(gzipSync(plain), ' GZip '), [text, true]);
  assert.deepEqual(textOf(gzipSync(plain), 'identity, gzip'), [text, true]);
});

test('codings on top of each other come off in the reverse order; what was cut is a beginning all the same', () => {
  const twice = brotliCompressSync(gzipSync(plain));
  assert.deepEqual(textOf(twice, 'gzip, br'), [text, true]);
  const [beginning, ended] = textOf(twice.subarray(0, twice.length - 50), 'gzip, br');
  assert.ok(beginning.length > 0 && text.startsWith(beginning) && !ended);
});

test('an encoding that is not known is named', () => {
  for (const header of ['compress', 'gzip, compress', 'gzip;q=1', '__proto__']) {
    assert.match(faultOf(gzipSync(plain), header), /content-encoding .+ is not known/);
  }
});

test('gzip members and zstd frames that follow one another are one answer: no client shows more', () => {
  for (const [header, encode] of [
    ['gzip', gzipSync],
    ['gzip', gzipWithAllFields],
    ['zstd', zstdCompressSync],
  ] as const) {
    const parts = ['first ', '', 'second', ' third'].map((part) => encode(Buffer.from(part)));
    assert.deepEqual(textOf(Buffer.concat(parts), header), ['first second third', true]);
    const cut = Buffer.concat(parts).subarray(0, -4);
    const [beginning, ended] = textOf(cut, header);
    assert.ok(beginning.startsWith('first second') && !ended);
    const bomb = Buffer.concat([encode(Buffer.alloc(MiB)), encode(Buffer.alloc(MiB))]);
    const limits = { decodedBodyMaxBytes: MiB, decodedRatioMax: 1e9 };
    assert.match(faultOf(bomb, header, limits), /more than/);
  }
  const skipped = Buffer.concat([
    skippableFrame(Buffer.from('x')),
    zstdCompressSync('text'),
    skippableFrame(Buffer.of()),
  ]);
  assert.deepEqual(textOf(skipped, 'zstd'), ['text', true]);
});

test('bytes behind the end of an answer are passed over, as clients do', () => {
  for (const { header, encode } of encoders) {
    for (const more of [Buffer.of(0), Buffer.from('more'), Buffer.alloc(100)]) {
      assert.deepEqual(textOf(Buffer.concat([encode(plain), more]), header), [text, true]);
    }
  }
});

test('a million tiny members are not all decoded', () => {
  const member = gzipSync('');
  const answer = Buffer.alloc(member.length * (streamsMax + 1), member);
  assert.match(faultOf(answer, 'gzip'), /damaged or none/);
});

test('an answer without bytes has no end of its coding', () => {
  assert.deepEqual(textOf(new Uint8Array(), 'gzip'), ['', false]);
  assert.deepEqual(textOf(new Uint8Array(), ''), ['', true]);
});

test('random bytes, cuts and flips never throw, and never give more than the limit', () => {
  const header = fc.constantFrom('gzip', 'deflate', 'br', 'zstd', 'gzip, zstd', 'x', '');
  const limits = { decodedBodyMaxBytes: 4096, decodedRatioMax: 50 };
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 6000 }),
      fc.constantFrom(...encoders),
      header,
      fc.nat(),
      (bytes, encoder, name, seed) => {
        const encoded = encoder.encode(bytes);
        const flipped = Buffer.from(encoded);
        const at = seed % flipped.length;
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (seed % 8));
        for (const body of [bytes, encoded, encoded.subarray(0, at), flipped]) {
          const answer = decoded(body, name, limits);
          if (answer.decoded && name !== '') assert.ok(answer.bytes.length <= limits.decodedBodyMaxBytes);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('what the encoder of the fixtures flushes is what a client could read', async () => {
  const [first = ''] = events;
  const streamed = await encodedInPieces(encoderNamed('br'), events);
  assert.ok(textOf(streamed.subarray(0, Math.floor(streamed.length / 2)), 'br')[0].startsWith(first));
});

test("the record has at least what Node's fetch shows of an answer", async () => {
  const cases: [header: string, body: Uint8Array][] = [
    ...encoders.map(({ header, encode }): [string, Uint8Array] => [header, encode(plain)]),
    ...encoders.map(({ header, encode }): [string, Uint8Array] => [header, encode(plain).subarray(0, -20)]),
    ['gzip', Buffer.concat([gzipSync('one '), gzipSync('two')])],
    ['gzip', Buffer.concat([gzipSync('one'), Buffer.alloc(20)])],
    ['zstd', Buffer.concat([zstdCompressSync('one '), zstdCompressSync('two')])],
    ['br', Buffer.concat([brotliCompressSync('one'), Buffer.from('more')])],
    ['gzip, br', brotliCompressSync(gzipSync(plain))],
  ];
  const server = createServer((request, response) => {
    const [header = '', body = Buffer.of()] = cases[Number(request.url?.slice(1))] ?? [];
    response.writeHead(200, { 'content-encoding': header }).end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    for (const [at, [header, body]] of cases.entries()) {
      const shown = await shownBy(await fetch(`http://127.0.0.1:${port}/${at}`));
      assert.ok(textOf(body, header)[0].startsWith(shown), `case ${at}, ${header}`);
      assert.ok(shown.length > 0 || header === 'zstd');
    }
  } finally {
    server.close();
  }
});

/** What came before the end, or before the error that some codings give where they are cut. */
async function shownBy({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body ?? []) chunks.push(chunk);
  } catch (error) {
    assert.ok(error instanceof TypeError && error.message === 'terminated');
  }
  return Buffer.concat(chunks).toString('latin1');
}
