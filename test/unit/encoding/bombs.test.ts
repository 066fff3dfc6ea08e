import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Measured } from './measured-decoding.ts';

const MiB = 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'skilltape-bombs-'));
after(() => rmSync(directory, { recursive: true }));
const program = fileURLToPath(new URL('./measured-decoding.ts', import.meta.url));

const bombBytes = 384 * MiB;
const limitBytes = 16 * MiB;
/** Twice the limit, and what the runtime takes beside it; the bomb itself would be six times as much. */
const grownMaxBytes = 64 * MiB;

function measured(body: Uint8Array, header: string, decodedRatioMax: number, decodedMaxBytes = limitBytes): Measured {
  const file = join(directory, 'body');
  writeFileSync(file, body);
  const args = [program, file, header, String(decodedMaxBytes), String(decodedRatioMax)];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Measured;
}

const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const membersBomb = 'gzip of many members';
const bombs: [name: string, header: string, make: (zeros: Uint8Array) => Uint8Array][] = [
  ['gzip', 'gzip', (zeros) => gzipSync(zeros, { level: 1 })],
  [membersBomb, 'gzip', (zeros) => repeated(gzipSync(zeros.subarray(0, MiB)), 384)],
  ['br', 'br', (zeros) => brotliCompressSync(zeros, fast)],
  ['zstd', 'zstd', (zeros) => zstdCompressSync(zeros)],
  ['gzip in gzip', 'gzip, gzip', (zeros) => gzipSync(gzipSync(zeros, { level: 1 }))],
  ['zstd in br in gzip', 'zstd, br, gzip', (zeros) => gzipSync(brotliCompressSync(zstdCompressSync(zeros)))],
];

function repeated(member: Buffer, count: number): Buffer {
  return Buffer.alloc(member.length * count, member);
}

for (const [name, header, make] of bombs) {
  test(`a bomb in ${name} takes no more memory than its limits allow, as a request and as an answer`, () => {
    const bomb = make(Buffer.alloc(bombBytes));
    for (const ratio of [100, 1e9]) {
      const { reason, answer, grownBytes } = measured(bomb, header, ratio);
      // A request has one member, so it is refused at the second.
      const expected = name === membersBomb ? /^encoding_invalid$/ : /^decoded_(body_too_large|ratio_too_high)$/;
      assert.match(reason, expected);
      assert.match(answer, /^it decodes to more than/);
      assert.ok(grownBytes < grownMaxBytes, `${Math.round(grownBytes / MiB)} MiB more, with ratio ${ratio}`);
    }
  });
}

const many = 1_000_000;
const inflated: [name: string, text: () => string, fault: RegExp][] = [
  ['nested JSON', () => `{"model":"m","messages":${'['.repeat(12 * many)}`, /nested deeper/],
  ['a million keys', () => `{${Array.from({ length: many }, (_, at) => `"k${at}":0`).join()}}`, /too many values/],
  ['a million blocks', () => `{"model":"m","messages":[${'{"a":""},'.repeat(many)}{}]}`, /too many values/],
];

for (const [name, text, fault] of inflated) {
  test(`${name} in a compressed body are refused without being built`, () => {
    const read = measured(gzipSync(text()), 'gzip', 1e9);
    assert.equal(read.reason, 'body_malformed');
    assert.match(read.fault, fault);
    // The bytes, their text and what is decoded for the answer; a million values as objects would take more.
    assert.ok(read.grownBytes < 2 * grownMaxBytes, `${Math.round(read.grownBytes / MiB)} MiB more`);
  });
}
