import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { archiveLimits, readZip } from '../../../extproc/upload/archive.ts';

type Stored = { name: string; content: string | Uint8Array; flags?: number; claimedBytes?: number; method?: number };

/** An archive as APPNOTE.TXT describes it, with room for lies. */
function zipOf(files: readonly Stored[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, flags = 0, claimedBytes, method = 8 } of files) {
    const plain = Buffer.from(content);
    const packed = method === 8 ? deflateRawSync(plain) : plain;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claimedBytes ?? plain.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, entries, end]);
}

async function faultOf(bytes: Uint8Array, limits = archiveLimits): Promise<string> {
  const read = await readZip(bytes, limits);
  assert.ok(!read.ok);
  return read.fault;
}

test('the files of a skill come out with their names and bytes, without the folders', async () => {
  const read = await readZip(
    zipOf([
      { name: 'demo/', content: '' },
      { name: 'demo/SKILL.md', content: '# Skill' },
      { name: 'demo/scripts/ä.py', content: 'print(1)', flags: 0x800, method: 0 },
      { name: '__proto__', content: '' },
    ]),
  );
  assert.ok(read.ok);
  assert.deepEqual(
    read.entries.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]),
    [
      ['demo/SKILL.md', '# Skill'],
      ['demo/scripts/ä.py', 'print(1)'],
      ['__proto__', ''],
    ],
  );
});

test('what is no archive, or is damaged, has a fault that repeats nothing of it', async () => {
  const whole = zipOf([{ name: 'planted', content: 'x'.repeat(100) }]);
  const broken = Buffer.from(whole);
  broken.fill(0xff, 40, 44);
  const fault = 'it is no ZIP archive that can be read';
  for (const bytes of [Buffer.alloc(0), Buffer.from('planted'), whole.subarray(0, -10), broken]) {
    assert.equal(await faultOf(bytes), fault);
  }
  for (const name of ['../planted', '/planted', 'a/../../planted', 'C:/planted']) {
    assert.equal(await faultOf(zipOf([{ name, content: 'x' }])), fault, name);
  }
  assert.equal(await faultOf(zipOf([{ name: 'a', content: 'x', method: 12 }])), fault);
  assert.equal(await faultOf(zipOf([{ name: 'a', content: 'x', flags: 1 }])), 'it is encrypted');
});

test('an entry that is larger than it says is not unpacked', async () => {
  const liar = zipOf([{ name: 'a', content: Buffer.alloc(10_000_000), claimedBytes: 100 }]);
  assert.equal(await faultOf(liar), 'it is no ZIP archive that can be read');
});

test('an archive that unpacks to too much is refused before it is unpacked', async () => {
  const bomb = zipOf([{ name: 'a', content: Buffer.alloc(10_000_000) }]);
  assert.equal(await faultOf(bomb), 'an entry of it unpacks to more than 200 times its size');
  const claims = zipOf([
    { name: 'a', content: 'x', claimedBytes: 900_000 },
    { name: 'b', content: 'x', claimedBytes: 900_000 },
  ]);
  const limits = { ...archiveLimits, unpackedMaxBytes: 800_000 };
  assert.equal(await faultOf(claims, limits), 'it unpacks to more than 800000 bytes');
});

test('an archive with too many entries is refused', async () => {
  const files = Array.from({ length: 1001 }, (_, at) => ({ name: `f${at}/`, content: '' }));
  assert.equal(await faultOf(zipOf(files)), 'it has more than 1000 entries');
  assert.ok((await readZip(zipOf(files.slice(1)))).ok);
});
