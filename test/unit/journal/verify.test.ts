import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { openJournalReader } from '../../../extproc/journal/reader.ts';
import { verifyJournal } from '../../../extproc/journal/verify.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { bytesOf, directory, key, openOn, segmentPath, textOf } from './rig.ts';

async function filled() {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  for (let index = 0; index < 20; index += 1) await journal.append(bytesOf(`record ${index}`));
  return { disk, journal };
}

test('a journal in use is checked without its lock, segment by segment', async () => {
  const { disk, journal } = await filled();
  const check = await verifyJournal(directory, key, disk);
  assert.deepEqual([check.status, check.records, check.damage], ['clean', 20, []]);
  assert.deepEqual(
    check.segments.map(({ sealed }) => sealed),
    [true, true, false],
  );
  assert.deepEqual(
    check.segments.map(({ file, bytes }) => [file, bytes]),
    disk.paths().map((path) => [path, disk.bytesOf(path).length]),
  );
  await journal.close();
});

test('a torn end is told from damage', async () => {
  const { disk } = await filled();
  disk.cut(segmentPath(3), disk.bytesOf(segmentPath(3)).length - 1);
  const torn = await verifyJournal(directory, key, disk);
  assert.deepEqual([torn.status, torn.records, torn.damage.length], ['torn', 19, 0]);
  disk.flipBit(segmentPath(2), 60 * 8);
  const corrupt = await verifyJournal(directory, key, disk);
  assert.equal(corrupt.status, 'corrupt');
  assert.deepEqual(corrupt.damage, [
    { file: segmentPath(2), offset: 44, reason: 'the checksum of the frame is wrong' },
  ]);
});

test('without the key the checksums are judged, with another key nothing is authentic', async () => {
  const { disk } = await filled();
  assert.equal((await verifyJournal(directory, undefined, disk)).status, 'clean');
  const other = await verifyJournal(directory, new Uint8Array(32), disk);
  assert.deepEqual([other.status, other.records, other.damage.length], ['corrupt', 0, 3]);
});

test('an empty directory is clean', async () => {
  const disk = new FakeFileSystem();
  await disk.makeDirectory(directory);
  assert.deepEqual(await verifyJournal(directory, key, disk), {
    status: 'clean',
    records: 0,
    segments: [],
    damage: [],
  });
});

const goldens = [
  { version: 1, texts: ['first', '', 'third record, é'] },
  // The second to the fourth stand in a group.
  { version: 2, texts: ['first', '', 'third record, é', 'fourth', 'last'] },
];

for (const { version, texts } of goldens) {
  test(`a segment of format version ${version} stays readable`, async () => {
    const disk = new FakeFileSystem();
    const golden = fs.readFileSync(new URL(`../../fixtures/journal/segment-v${version}.bin`, import.meta.url));
    const goldenKey = Uint8Array.from({ length: 32 }, (_, index) => index);
    assert.equal(golden.readUInt16LE(4), version);
    disk.plant(segmentPath(1), golden);
    const check = await verifyJournal(directory, goldenKey, disk);
    assert.deepEqual([check.status, check.records, check.segments[0]?.sealed], ['clean', texts.length, true]);
    const seen: string[] = [];
    const reader = openJournalReader({ directory, fileSystem: disk, key: goldenKey });
    for await (const { payload, position } of reader.read(null)) {
      seen.push(textOf(payload));
      assert.equal(textOf(await reader.readAt(position)), seen.at(-1));
    }
    await reader.close();
    assert.deepEqual(seen, texts);
    assert.equal((await openOn(disk, { key: goldenKey })).recovery.status, 'clean');
  });
}

test('a journal goes on in the present format after segments of version 1, and both are read', async () => {
  const disk = new FakeFileSystem();
  const goldenKey = Uint8Array.from({ length: 32 }, (_, index) => index);
  // As a killed process left it, without an end mark.
  const golden = fs.readFileSync(new URL('../../fixtures/journal/segment-v1.bin', import.meta.url));
  disk.plant(segmentPath(1), golden.subarray(0, golden.length - 36));
  const { journal, recovery } = await openOn(disk, { key: goldenKey });
  assert.deepEqual([recovery.status, recovery.newestRecords], ['clean', 3]);
  await journal.appendAll([bytesOf('new'), bytesOf('newer')]);
  await journal.close();
  assert.deepEqual(disk.bytesOf(segmentPath(1)), golden, 'the end mark is that of version 1');
  const seen: string[] = [];
  const reader = openJournalReader({ directory, fileSystem: disk, key: goldenKey });
  for await (const { payload } of reader.read(null)) seen.push(textOf(payload));
  assert.deepEqual(seen, ['first', '', 'third record, é', 'new', 'newer']);
});
