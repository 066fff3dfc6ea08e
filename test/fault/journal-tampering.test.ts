import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { END_MARK_BYTES, FRAME_HEAD_BYTES, SEGMENT_HEADER_BYTES } from '../../extproc/journal/format.ts';
import { loadJournalKey, loadOrCreateJournalKey } from '../../extproc/journal/key.ts';
import { verifyJournal } from '../../extproc/journal/verify.ts';
import { seededRandom } from '../fakes/file-system.ts';
import { bytesOf, directory, key, openOn, readTexts, segmentPath } from '../unit/journal/rig.ts';
import { assertPrefix, diskOf, images, readUntilDamage, texts } from './journal-images.ts';

const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));

type Files = Map<string, Buffer>;

/** Whatever was done: reading gives a prefix or stops with a report, and recovery touches nothing that it calls corrupt. */
async function assertPrefixOrReport(files: Files, where: string): Promise<{ seen: string[]; reported: boolean }> {
  const before = await readUntilDamage(diskOf(files));
  assertPrefix(before.seen, `${where}, read`);
  const disk = diskOf(files);
  const { journal, recovery } = await openOn(disk);
  for (const { file } of recovery.damage) {
    const bytes = files.get(file);
    if (bytes !== undefined) assert.deepEqual(disk.bytesOf(file), bytes, `${where}: what is corrupt is left alone`);
  }
  const after = await readUntilDamage(disk);
  assertPrefix(after.seen, `${where}, recovered and read`);
  const reported = after.reported || recovery.status !== 'clean';
  assert.ok(reported || after.seen.length === texts.length, `${where}: records are gone and nobody says so`);
  await journal.append(bytesOf('after'));
  await journal.close();
  return { seen: after.seen, reported };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

test('segments under any other names are refused from the first one that is not its own', async () => {
  const originals = [...(await images())];
  const names = originals.map(([path]) => path);
  for (const order of permutations(originals.map(([, bytes]) => bytes))) {
    const files: Files = new Map(names.map((name, at) => [name, order[at] ?? Buffer.alloc(0)]));
    const own = order.findIndex((bytes, at) => bytes !== originals[at]?.[1]);
    const { seen, reported } = await assertPrefixOrReport(files, `order ${order.map((one) => one.length)}`);
    if (own < 0) continue;
    assert.equal(reported, true);
    assert.ok(seen.length <= own * 4, 'nothing of a segment under another name is read');
  }
});

test('a copy of a segment under any other number is reported, and gives no record twice', async () => {
  const originals = await images();
  for (const [path, bytes] of originals) {
    for (let number = 1; number <= 6; number += 1) {
      if (segmentPath(number) === path) continue;
      const files: Files = new Map([...originals, [segmentPath(number), bytes]]);
      const { reported } = await assertPrefixOrReport(files, `${path} as ${number}`);
      assert.equal(reported, true, `${path} as ${number}`);
      assert.equal((await verifyJournal(directory, key, diskOf(files))).status, 'corrupt');
    }
  }
});

test('of segments that are gone, one between others is reported; at either end the rest is read as it is', async () => {
  const originals = await images();
  const without = (number: number) => new Map([...originals].filter(([path]) => path !== segmentPath(number)));
  assert.equal((await readUntilDamage(diskOf(without(2)))).reported, true);
  // What the journal's README says of wholly deleted segments at either end: the journal alone cannot see it.
  assert.deepEqual(await readTexts(diskOf(without(1))), texts.slice(4));
  const withoutNewest = await readUntilDamage(diskOf(without(3)));
  assert.deepEqual(withoutNewest.seen, texts.slice(0, 8));
});

test('zeros of any number behind the last record are cut off, and every record before them stays', async () => {
  const originals = await images();
  const newest = originals.get(segmentPath(3)) ?? Buffer.alloc(0);
  for (let zeros = 1; zeros <= 1200; zeros += zeros < 80 ? 1 : 61) {
    const files: Files = new Map([...originals, [segmentPath(3), Buffer.concat([newest, Buffer.alloc(zeros)])]]);
    const disk = diskOf(files);
    const { recovery } = await openOn(disk);
    assert.deepEqual([recovery.status, recovery.truncatedBytes], ['torn', zeros]);
    assert.deepEqual(await readTexts(disk), texts);
  }
});

test('a last segment of zeros, or with zeros from any byte on, gives a prefix', async () => {
  const originals = await images();
  const newest = originals.get(segmentPath(3)) ?? Buffer.alloc(0);
  for (let from = 0; from < newest.length; from += 1) {
    const zeroed = Buffer.from(newest).fill(0, from);
    await assertPrefixOrReport(new Map([...originals, [segmentPath(3), zeroed]]), `zeros from ${from}`);
  }
});

test('a tail of random bytes, of frames from elsewhere or of frames again is never read as records', async (t) => {
  t.diagnostic(`seed ${seed} (TEST_SEED)`);
  const random = seededRandom(seed);
  const originals = await images();
  const newest = originals.get(segmentPath(3)) ?? Buffer.alloc(0);
  const older = originals.get(segmentPath(2)) ?? Buffer.alloc(0);
  const frames = newest.subarray(SEGMENT_HEADER_BYTES);
  const oneFrame = frames.subarray(0, frames.length / 2);
  const endMark = older.subarray(older.length - END_MARK_BYTES);
  const tails: Buffer[] = [frames, oneFrame, frames.subarray(oneFrame.length), endMark, older, newest];
  for (let count = 0; count < 200; count += 1) {
    const bytes = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 200) }, () => Math.floor(random() * 256)));
    // Half of them begin as a frame does.
    if (count % 2 === 0) oneFrame.copy(bytes, 0, 0, Math.min(bytes.length, FRAME_HEAD_BYTES));
    tails.push(bytes);
  }
  for (const [at, tail] of tails.entries()) {
    const files: Files = new Map([...originals, [segmentPath(3), Buffer.concat([newest, tail])]]);
    const { seen } = await assertPrefixOrReport(files, `tail ${at}`);
    assert.deepEqual(seen, texts, `tail ${at} costs no record`);
  }
});

test('frames of a segment in any other order, left out or doubled are refused at the first one out of place', async () => {
  const originals = await images();
  const path = segmentPath(2);
  const bytes = originals.get(path) ?? Buffer.alloc(0);
  const header = bytes.subarray(0, SEGMENT_HEADER_BYTES);
  const endMark = bytes.subarray(bytes.length - END_MARK_BYTES);
  const frameBytes = (bytes.length - header.length - endMark.length) / 4;
  const frames = [0, 1, 2, 3].map((at) => bytes.subarray(header.length + at * frameBytes).subarray(0, frameBytes));
  const [first, second, third, fourth] = frames;
  assert.ok(first && second && third && fourth);
  const others = permutations(frames).slice(1);
  others.push([first, second, third], [second, third, fourth], [first, first, second, third, fourth], []);
  for (const order of others) {
    const files: Files = new Map([...originals, [path, Buffer.concat([header, ...order, endMark])]]);
    const { seen, reported } = await readUntilDamage(diskOf(files));
    assertPrefix(seen, `${order.length} frames`);
    assert.ok(reported && seen.length < 8);
  }
});

test('every other version of the header is refused by its number, in whatever segment it stands', async () => {
  const originals = await images();
  for (const [path, bytes] of originals) {
    for (const version of [0, 3, 4, 255, 256, 65_535]) {
      const changed = Buffer.from(bytes);
      changed.writeUInt16LE(version, 4);
      const disk = diskOf(new Map([...originals, [path, changed]]));
      const { recovery } = await openOn(disk);
      const damage = recovery.damage.find(({ file }) => file === path);
      assert.match(damage?.reason ?? '', new RegExp(`version ${version} is not supported`));
      assert.deepEqual(disk.bytesOf(path), changed);
    }
  }
});

test('a key file cut at any byte is refused, and with any bit of it changed the journal is reported and left alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'skilltape-key-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'journal.key');
  writeFileSync(path, key, { mode: 0o600 });
  for (let length = 0; length < key.length; length += 1) {
    writeFileSync(path, key.subarray(0, length));
    await assert.rejects(loadJournalKey(path), { code: 'key_invalid' });
    await assert.rejects(loadOrCreateJournalKey(path), { code: 'key_invalid' });
    assert.equal(readFileSync(path).length, length, 'a damaged key is never replaced: it may be mended by hand');
  }
  const originals = await images();
  for (let bit = 0; bit < key.length * 8; bit += 1) {
    const changed = Buffer.from(key);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    writeFileSync(path, changed);
    chmodSync(path, 0o600);
    const disk = diskOf(originals);
    const { recovery } = await openOn(disk, { key: await loadJournalKey(path) });
    assert.equal(recovery.damage.length, originals.size, `bit ${bit}`);
    for (const [file, bytes] of originals) assert.deepEqual(disk.bytesOf(file), bytes);
  }
});
