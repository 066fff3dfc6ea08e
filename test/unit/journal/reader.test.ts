import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SkilltapeError } from '../../../extproc/errors.ts';
import { comparePositions, type Position } from '../../../extproc/journal/position.ts';
import { openJournalReader } from '../../../extproc/journal/reader.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { bytesOf, directory, key, openOn, readRecords, readTexts, segmentPath, textOf } from './rig.ts';

const reader = (disk: FakeFileSystem) => openJournalReader({ directory, fileSystem: disk, key });

/** Each record in a frame of its own. */
async function filled(count: number, segmentMaxBytes = 512) {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes });
  const texts = Array.from({ length: count }, (_, index) => `record ${index}`);
  const positions: Position[] = [];
  for (const text of texts) positions.push(await journal.append(bytesOf(text)));
  return { disk, journal, texts, positions };
}

/** Groups, some records alone, over several segments. */
async function grouped() {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const texts: string[] = [];
  const positions: Position[] = [];
  for (const count of [3, 1, 20, 2, 1, 9]) {
    const more = Array.from({ length: count }, (_, index) => `${texts.length + index}`.padEnd(index * 3, '.'));
    texts.push(...more);
    positions.push(...(await Promise.all(more.map((text) => journal.append(bytesOf(text))))));
  }
  return { disk, journal, texts, positions };
}

for (const [name, fill] of [['one by one', () => filled(30)] as const, ['in groups', grouped] as const]) {
  test(`reading from any record of those written ${name} gives it and the rest, from any next the rest alone`, async () => {
    const { disk, texts } = await fill();
    const records = await readRecords(disk);
    for (const [index, { position, next }] of records.entries()) {
      assert.deepEqual(await readTexts(disk, position), texts.slice(index));
      assert.deepEqual(await readTexts(disk, next), texts.slice(index + 1));
    }
  });
}

test('each record of a group has a place of its own, in rising order, at which it alone is read', async () => {
  const { disk, texts, positions, journal } = await grouped();
  assert.ok(journal.usage().segments > 2);
  assert.deepEqual(
    (await readRecords(disk)).map(({ position }) => position),
    positions,
  );
  for (const [index, position] of positions.entries()) {
    const before = positions[index - 1];
    assert.ok(before === undefined || comparePositions(before, position) < 0);
  }
  const open = reader(disk);
  const read = await Promise.all(positions.map((position) => open.readAt(position)));
  assert.deepEqual(read.map(textOf), texts);
  await open.close();
});

test('no other place than those of its records is one in a group', async () => {
  const { disk, positions } = await grouped();
  const open = reader(disk);
  const known = new Set(positions.map(({ segment, offset }) => `${segment} ${offset}`));
  const length = disk.bytesOf(segmentPath(1)).length;
  for (let offset = 44; offset < length - 36; offset += 1) {
    if (known.has(`1 ${offset}`)) continue;
    await assert.rejects(open.readAt({ segment: 1, offset }), { code: 'journal_corrupt' }, `${offset}`);
  }
  await open.close();
});

test('a record of a group that is changed anywhere is not read, and the others of it neither', async () => {
  const { disk, positions } = await grouped();
  const first = positions[0]?.offset ?? 0;
  const end = positions[3]?.offset ?? 0;
  const bytes = disk.bytesOf(segmentPath(1));
  for (let at = first; at < end; at += 1) {
    disk.flipBit(segmentPath(1), at * 8);
    const open = reader(disk);
    for (const position of positions.slice(0, 3)) {
      await assert.rejects(open.readAt(position), { code: 'journal_corrupt' }, `byte ${at}`);
    }
    await open.close();
    disk.plant(segmentPath(1), bytes);
  }
});

test('a record kept from a group does not keep the memory of the others', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 100_000 });
  await journal.appendAll([bytesOf('kept'), bytesOf('x'.repeat(10_000))]);
  const [kept] = await readRecords(disk);
  assert.equal(kept?.payload.buffer.byteLength, 4);
});

test('a reader that stood in a group lost in a crash goes on with what came after', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 4096 });
  await journal.append(bytesOf('synced'));
  await journal.sync();
  await journal.appendAll(['a', 'b', 'c'].map((text) => bytesOf(text.repeat(100))));
  const inGroup = (await readRecords(disk))[2];
  disk.crash();
  const again = await openOn(disk, { segmentMaxBytes: 4096 });
  await again.journal.append(bytesOf('after the crash'));
  for (const position of [inGroup?.position, inGroup?.next]) {
    assert.deepEqual(await readTexts(disk, position ?? null), ['after the crash']);
  }
});

test('a reader sees what is written while it reads, over a rotation too', async () => {
  const { disk, journal } = await filled(1);
  const seen: string[] = [];
  let last = 0;
  for await (const { payload } of reader(disk).read(null)) {
    seen.push(textOf(payload));
    if (last < 25) await journal.append(bytesOf(`record ${++last}`));
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 26 }, (_, index) => `record ${index}`),
  );
  assert.ok(journal.usage().segments > 2);
});

test('a record half written ends the reading, and is read once it is whole', async () => {
  const { disk, journal } = await filled(2);
  const whole = disk.bytesOf(segmentPath(1));
  await journal.append(bytesOf('later'));
  const grown = disk.bytesOf(segmentPath(1));
  const next = (await readRecords(disk))[1]?.next ?? null;
  for (let length = whole.length; length < grown.length; length += 1) {
    disk.plant(segmentPath(1), grown.subarray(0, length));
    assert.deepEqual(await readTexts(disk, next), []);
  }
  disk.plant(segmentPath(1), grown);
  assert.deepEqual(await readTexts(disk, next), ['later']);
});

test('records larger than the read-ahead are read', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 10_000_000, journalMaxBytes: 100_000_000 });
  const texts = ['a', 'b'.repeat(300_000), 'c', 'd'.repeat(700_000), 'e'];
  for (const text of texts) await journal.append(bytesOf(text));
  assert.deepEqual(await readTexts(disk), texts);
});

test('one record is read by its position alone, many at once, whatever segment it is in', async () => {
  const { disk, texts, positions } = await filled(60);
  const open = reader(disk);
  const read = await Promise.all(positions.map((position) => open.readAt(position)));
  assert.deepEqual(read.map(textOf), texts);
  await open.close();
});

test('a position without a record is not found, one beside a record is refused', async () => {
  const { disk, journal, positions } = await filled(30);
  const open = reader(disk);
  const [first] = positions;
  assert.ok(first !== undefined);
  await assert.rejects(open.readAt({ segment: 99, offset: 44 }), { code: 'not_found' });
  await assert.rejects(open.readAt(journal.written()), { code: 'not_found' });
  await assert.rejects(open.readAt({ segment: 1, offset: first.offset + 1 }), { code: 'journal_corrupt' });
  await journal.free({ segment: 2, offset: 0 });
  await assert.rejects(reader(disk).readAt(first), { code: 'not_found' });
});

test('a record copied to another place is refused there', async () => {
  const { disk, positions } = await filled(3, 4096);
  const [first, second] = positions;
  assert.ok(first !== undefined && second !== undefined);
  const bytes = disk.bytesOf(segmentPath(1));
  bytes.copyWithin(second.offset, first.offset, second.offset);
  disk.plant(segmentPath(1), bytes);
  await assert.rejects(reader(disk).readAt(second), { code: 'journal_corrupt' });
  await assert.rejects(readRecords(disk), { code: 'journal_corrupt' });
});

test('damage in a sealed segment stops the reader with the file and the offset, and the rest can be asked for', async () => {
  const { disk, texts, positions } = await filled(30);
  const target = positions[2];
  assert.ok(target?.segment === 1);
  disk.flipBit(segmentPath(1), (target.offset + 25) * 8);
  const seen: string[] = [];
  await assert.rejects(
    async () => {
      for await (const { payload } of reader(disk).read(null)) seen.push(textOf(payload));
    },
    (error: SkilltapeError) =>
      error.code === 'journal_corrupt' &&
      error.message.includes(segmentPath(1)) &&
      error.message.includes(`${target.offset}`),
  );
  assert.deepEqual(seen, texts.slice(0, 2));
  const firstOfSecond = positions.findIndex(({ segment }) => segment === 2);
  assert.deepEqual(await readTexts(disk, { segment: 2, offset: 0 }), texts.slice(firstOfSecond));
});

test('damage that was once synced is reported in the segment being written, too', async () => {
  const { disk, journal, positions } = await filled(3, 4096);
  await journal.sync();
  await journal.append(bytesOf('proof'));
  disk.flipBit(segmentPath(1), ((positions[1]?.offset ?? 0) + 25) * 8);
  await assert.rejects(readRecords(disk), { code: 'journal_corrupt' });
});

test('a segment cut at a record, or missing between others, is reported', async () => {
  const { disk, positions } = await filled(30);
  const second = positions.find(({ segment, offset }) => segment === 2 && offset > 44);
  const whole = disk.bytesOf(segmentPath(2));
  disk.cut(segmentPath(2), second?.offset ?? 0);
  await assert.rejects(readRecords(disk), { code: 'journal_corrupt', message: /end mark is missing/ });
  await disk.remove(segmentPath(2));
  await assert.rejects(readRecords(disk), { code: 'journal_corrupt', message: /segments 2 to 2 are missing/ });
  disk.plant(segmentPath(2), whole);
  assert.equal((await readRecords(disk)).length, 30);
});

test('a position whose segment was lost or never reached is refused', async () => {
  const { disk, journal, positions, texts } = await filled(30);
  await assert.rejects(readRecords(disk, { segment: 99, offset: 44 }), { code: 'journal_corrupt' });
  await journal.free({ segment: 3, offset: 0 });
  await assert.rejects(readRecords(disk, { segment: 1, offset: 44 }), { code: 'journal_corrupt' });
  const third = positions.findIndex(({ segment }) => segment === 3);
  assert.deepEqual(await readTexts(disk, { segment: 2, offset: 400 }), texts.slice(third));
});

test('a reader that stood on a record lost in a crash goes on with what came after', async () => {
  const { disk, journal } = await filled(3, 4096);
  await journal.sync();
  await journal.append(bytesOf('written, read, never synced'));
  const next = (await readRecords(disk)).at(-1)?.next ?? null;
  disk.crash();
  assert.deepEqual(await readTexts(disk, next), []);
  const again = await openOn(disk);
  await again.journal.append(bytesOf('after the crash'));
  assert.deepEqual(await readTexts(disk, next), ['after the crash']);
});

test('what a reader synced after reading it is there after a crash, and what it did not is not', async () => {
  const { disk, journal } = await filled(3, 4096);
  const source = reader(disk);
  for await (const _ of source.read(null));
  await source.sync();
  await journal.append(bytesOf('not synced'));
  disk.crash();
  await openOn(disk);
  assert.deepEqual(await readTexts(disk), ['record 0', 'record 1', 'record 2']);
});

test('a reader syncs only what may need it: once, and not what was freed or sealed', async () => {
  const { disk, journal } = await filled(30);
  const source = reader(disk);
  await source.sync();
  let last = null;
  for await (const { next } of source.read(null)) last = next;
  const before = disk.counts.datasyncs;
  await source.sync();
  await source.sync();
  assert.equal(disk.counts.datasyncs, before + 1);
  for (let count = 0; count < 30; count += 1) await journal.append(bytesOf('more'));
  for await (const { next } of source.read(last)) last = next;
  await disk.remove(segmentPath(journal.written().segment));
  await source.sync();
});

test('a reader whose sync fails says so, and tries again when asked again', async () => {
  const { disk } = await filled(1);
  const source = reader(disk);
  for await (const _ of source.read(null));
  disk.failNextSync('EIO');
  await assert.rejects(source.sync(), { code: 'EIO' });
  const before = disk.counts.datasyncs;
  await source.sync();
  assert.equal(disk.counts.datasyncs, before + 1);
});

test('an empty directory has nothing to read', async () => {
  const disk = new FakeFileSystem();
  await disk.makeDirectory(directory);
  assert.deepEqual(await readTexts(disk), []);
});
