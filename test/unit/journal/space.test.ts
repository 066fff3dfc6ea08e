import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameMaxBytes } from '../../../extproc/journal/format.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { bytesOf, openOn, readRecords, readTexts, segmentPath } from './rig.ts';

const limits = { segmentMaxBytes: 512, journalMaxBytes: 2048 };
const record = bytesOf('x'.repeat(64));

test('at its limit the journal admits nothing new, takes open work up to the reserve, then refuses', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, limits);
  let appended = 0;
  let admitted = 0;
  await assert.rejects(
    async () => {
      for (;;) {
        if (journal.admits()) admitted += 1;
        await journal.append(record);
        appended += 1;
      }
    },
    { code: 'journal_full', remedy: /journalMaxBytes/ },
  );
  assert.ok(appended > admitted && admitted > 10);
  const { bytes, maxBytes } = journal.usage();
  assert.ok(bytes > maxBytes && bytes <= maxBytes * 1.25);
  assert.equal(journal.admits(), false);
  await journal.sync();
  assert.equal((await readTexts(disk)).length, appended, 'refusing is not poison');
  const newest = (await readRecords(disk)).at(-1)?.next;
  assert.ok(newest !== undefined && (await journal.free(newest)) > 0);
  assert.equal(journal.admits(), true);
  await journal.append(record);
  await journal.close();
});

test('records that belong together are taken in their order, or none of them is', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, limits);
  await journal.appendAll([bytesOf('a'), bytesOf('b')]);
  const large = bytesOf('x'.repeat(200));
  const oversized = [new Uint8Array(frameMaxBytes + 1)];
  const roomy = await openOn(new FakeFileSystem(), { journalMaxBytes: 100_000_000 });
  await assert.rejects(roomy.journal.appendAll([bytesOf('c'), oversized]), { code: 'usage' });
  await assert.rejects(
    async () => {
      for (;;) await journal.append(large);
    },
    { code: 'journal_full' },
  );
  const usedBytes = journal.usage().bytes;
  await assert.rejects(journal.appendAll([bytesOf('d'), large]), { code: 'journal_full' });
  assert.equal(journal.usage().bytes, usedBytes);
  await journal.append(bytesOf('e'));
  const texts = (await readTexts(disk)).filter((text) => text.length === 1);
  assert.deepEqual(texts, ['a', 'b', 'e'], 'there was room for the first one alone');
  await journal.close();
  await assert.rejects(journal.appendAll([bytesOf('f')]), { code: 'journal_closed' });
  await roomy.journal.close();
});

test('usage is the size of the files', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, limits);
  for (let index = 0; index < 12; index += 1) await journal.append(record);
  const onDisk = () => disk.paths().reduce((sum, path) => sum + disk.bytesOf(path).length, 0);
  const endMarkBytes = 36;
  assert.equal(journal.usage().bytes, onDisk() + endMarkBytes);
  assert.equal(journal.usage().segments, disk.paths().length);
  await journal.free({ segment: 2, offset: 0 });
  assert.equal(journal.usage().bytes, onDisk() + endMarkBytes);
  await journal.close();
  const again = await openOn(disk, limits);
  assert.equal(again.journal.usage().bytes, onDisk() + endMarkBytes);
});

test('freeing deletes whole sealed segments before the position and no other', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  for (let index = 0; index < 40; index += 1) await journal.append(record);
  const records = await readRecords(disk);
  const inThird = records.filter(({ position }) => position.segment === 3);
  assert.equal(await journal.free(inThird[1]?.position ?? { segment: 0, offset: 0 }), 2);
  assert.deepEqual((await readRecords(disk))[0]?.position, inThird[0]?.position);
  const lastOfThird = inThird.at(-1);
  assert.equal(
    await journal.free(lastOfThird?.position ?? { segment: 0, offset: 0 }),
    0,
    'the last record is still wanted',
  );
  assert.equal(await journal.free(lastOfThird?.next ?? { segment: 0, offset: 0 }), 1);
  assert.equal((await readRecords(disk))[0]?.position.segment, 4);
  const active = journal.written().segment;
  await journal.free({ segment: active + 10, offset: 0 });
  assert.deepEqual(disk.paths(), [segmentPath(active)], 'never the segment being written');
  await journal.append(record);
  await journal.close();
});

test('a crash after freeing brings back no segment before a gap', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  for (let index = 0; index < 40; index += 1) await journal.append(record);
  await journal.sync();
  await journal.free({ segment: 3, offset: 0 });
  disk.crash();
  const { recovery } = await openOn(disk);
  assert.equal(recovery.status, 'clean');
  assert.equal((await readRecords(disk))[0]?.position.segment, 3);
});

test('two freeings at once delete each segment once', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  for (let index = 0; index < 20; index += 1) await journal.append(record);
  const upTo = { segment: 3, offset: 0 };
  assert.deepEqual(await Promise.all([journal.free(upTo), journal.free(upTo)]), [2, 0]);
  await journal.close();
});

test('what ends something is taken past the reserve, since only what has ended can be freed', async () => {
  const { journal } = await openOn(new FakeFileSystem(), limits);
  await assert.rejects(
    async () => {
      for (;;) await journal.append(record);
    },
    { code: 'journal_full' },
  );
  await journal.append(record, { isEnd: true });
  await assert.rejects(journal.append(record), { code: 'journal_full' });
  await journal.close();
});

test('freeing stops when enough is free: the newest records stay as long as they can', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, limits);
  for (let index = 0; index < 20; index += 1) await journal.append(record);
  const downToBytes = 1024;
  assert.ok((await journal.free(journal.written(), { downToBytes, createdBeforeMs: 0 })) > 0);
  const { bytes } = journal.usage();
  assert.ok(bytes <= downToBytes && bytes > downToBytes - limits.segmentMaxBytes, String(bytes));
  await journal.close();
});

test('what is older than asked for goes although there is room, and nothing younger', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, limits);
  for (let index = 0; index < 20; index += 1) await journal.append(record);
  const { segments } = journal.usage();
  const roomForAll = Number.POSITIVE_INFINITY;
  assert.equal(
    await journal.free(journal.written(), { downToBytes: roomForAll, createdBeforeMs: Date.now() - 1e6 }),
    0,
  );
  const freed = await journal.free(journal.written(), { downToBytes: roomForAll, createdBeforeMs: Date.now() + 1 });
  assert.equal(freed, segments - 1, 'all but the one that is written to');
  await journal.close();
});

test('a journal that is rotated goes on in a new segment, and what stood in the old one can be freed', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 4096 });
  await journal.rotate(Number.POSITIVE_INFINITY);
  assert.equal(journal.usage().segments, 1, 'a segment without records is left as it is');
  await journal.append(bytesOf('old'));
  await journal.rotate(Date.now() - 1e6);
  assert.equal(journal.usage().segments, 1, 'and so is a young one');
  const rotated = [journal.rotate(Number.POSITIVE_INFINITY), journal.rotate(Number.POSITIVE_INFINITY)];
  const beside = journal.append(bytesOf('new'));
  await Promise.all(rotated);
  assert.deepEqual(await beside, (await readRecords(disk))[1]?.position);
  assert.equal(journal.usage().segments, 2);
  assert.equal(await journal.free(journal.written()), 1);
  assert.deepEqual(await readTexts(disk), ['new']);
  await journal.close();
  const again = await openOn(disk, { segmentMaxBytes: 4096 });
  assert.equal(again.recovery.status, 'clean');
});

test('a rotation that the disk refuses poisons the journal like any other write', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 4096 });
  await journal.append(bytesOf('old'));
  await journal.sync();
  disk.failNextWrite('ENOSPC', 0);
  await journal.rotate(Number.POSITIVE_INFINITY);
  await assert.rejects(journal.append(bytesOf('new')), { code: 'journal_poisoned' });
  assert.deepEqual(await readTexts(disk), ['old']);
});
