import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SkilltapeError } from '../../../extproc/errors.ts';
import { openJournalReader } from '../../../extproc/journal/reader.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { bytesOf, directory, key, openOn, readTexts, segmentPath, settle } from './rig.ts';

test('many waiters share one sync', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 100_000 });
  const before = disk.counts.datasyncs;
  await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      await journal.append(bytesOf(`${index}`));
      await journal.sync();
    }),
  );
  assert.equal(disk.counts.datasyncs, before + 1);
  await journal.close();
});

test('what lingers is written with the next record, in the order of the calls', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const before = disk.counts.writes;
  const lingering = journal.appendAll([bytesOf('a')], { lingers: true });
  await settle();
  assert.equal(disk.counts.writes, before, 'no write of its own at once');
  await journal.append(bytesOf('b'));
  await lingering;
  assert.equal(disk.counts.writes, before + 1);
  assert.deepEqual(await readTexts(disk), ['a', 'b']);
  await journal.close();
});

test('what lingers is written by itself when nothing comes, and at once for a sync and before the end', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await journal.appendAll([bytesOf('alone')], { lingers: true });
  assert.deepEqual(await readTexts(disk), ['alone']);
  const lingering = journal.appendAll([bytesOf('synced')], { lingers: true });
  const before = disk.counts.datasyncs;
  await journal.sync();
  assert.equal(disk.counts.datasyncs, before + 1);
  await lingering;
  const last = journal.appendAll([bytesOf('last')], { lingers: true });
  await journal.close();
  await last;
  assert.deepEqual(await readTexts(disk), ['alone', 'synced', 'last']);
});

test('what lingers is refused when the writer fails before it is written', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const lingering = journal.appendAll([bytesOf('a')], { lingers: true });
  disk.failNextWrite('EIO');
  await assert.rejects(journal.append(bytesOf('b')), { code: 'journal_poisoned' });
  await assert.rejects(lingering, { code: 'journal_poisoned' });
  await assert.rejects(journal.close());
});

test('the memory of a large frame is given back once it is written; what was appended stays as it is', async () => {
  const disk = new FakeFileSystem();
  const written: Uint8Array[] = [];
  const createAppend = disk.createAppend.bind(disk);
  disk.createAppend = async (path) => {
    const file = await createAppend(path);
    return { ...file, writev: (buffers) => file.writev(buffers).finally(() => written.push(...buffers)) };
  };
  const { journal } = await openOn(disk, { segmentMaxBytes: 200_000 });
  const payload = new Uint8Array(100_000).fill(7);
  const position = await journal.append([payload]);
  const lengths = written.map(({ length }) => length);
  assert.ok(lengths.length > 2 && Math.max(...lengths) < 100, `${lengths}`);
  assert.deepEqual(payload, new Uint8Array(100_000).fill(7));
  const reader = openJournalReader({ directory, fileSystem: disk, key });
  for (let count = 0; count < 2; count += 1)
    assert.deepEqual(Buffer.from(await reader.readAt(position)), Buffer.from(payload));
  await reader.close();
  await journal.close();
});

test('while a sync is under way appends are written, and those who then wait share the next one', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 100_000 });
  const before = disk.counts.datasyncs;
  const stall = disk.stallSync();
  await journal.append(bytesOf('a'));
  const first = journal.sync();
  await stall.started;
  await journal.append(bytesOf('b'));
  let isSynced = false;
  const later = [journal.sync(), journal.sync(), journal.sync()];
  for (const waiter of later) void waiter.then(() => (isSynced = true));
  await settle();
  assert.equal(disk.counts.datasyncs, before + 1, 'one sync at a time');
  assert.equal(isSynced, false);
  stall.release();
  await Promise.all([first, ...later]);
  assert.equal(disk.counts.datasyncs, before + 2);
  await journal.close();
});

test('a sync resolves only after its bytes are on disk, also those not yet written when it was called', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  void journal.append(bytesOf('a'));
  assert.equal(disk.bytesOf(segmentPath(1)).length, 44, 'not written yet');
  await journal.sync();
  assert.equal(disk.isDurable(segmentPath(1)), true);
  disk.crash();
  await openOn(disk);
  assert.deepEqual(await readTexts(disk), ['a']);
});

test('a sync with nothing new asks the disk for nothing', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await journal.append(bytesOf('a'));
  await journal.sync();
  const before = disk.counts.datasyncs;
  await journal.sync();
  assert.equal(disk.counts.datasyncs, before);
  await journal.close();
});

test('what nobody waits for is synced in the background', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { syncIntervalMs: 1 });
  const keepAlive = setInterval(() => {}, 1000);
  const stall = disk.stallSync();
  await journal.append(bytesOf('a'));
  await stall.started;
  stall.release();
  await settle();
  clearInterval(keepAlive);
  assert.equal(disk.isDurable(segmentPath(1)), true);
  await journal.close();
});

test('a sync over a rotation covers the records of both segments', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const texts = Array.from({ length: 30 }, (_, index) => `record ${index}`);
  const appends = texts.map((text) => journal.append(bytesOf(text)));
  await journal.sync();
  await Promise.all(appends);
  disk.crash();
  await openOn(disk);
  assert.deepEqual(await readTexts(disk), texts);
});

for (const verb of ['write', 'sync'] as const) {
  test(`after a failed ${verb} everything is refused, once reported, and what was synced is there after a restart`, async () => {
    const disk = new FakeFileSystem();
    const reported: SkilltapeError[] = [];
    const { journal } = await openOn(disk, { onPoison: (error) => reported.push(error) });
    await journal.append(bytesOf('safe'));
    await journal.sync();
    if (verb === 'write') disk.failNextWrite('EIO');
    else disk.failNextSync('EIO');
    const appended = journal.append(bytesOf('doomed'));
    const synced = journal.sync();
    await assert.rejects(synced, { code: 'journal_poisoned' });
    if (verb === 'write') await assert.rejects(appended, { code: 'journal_poisoned' });
    await assert.rejects(journal.append(bytesOf('x')), { code: 'journal_poisoned', remedy: /restart/ });
    await assert.rejects(journal.sync(), { code: 'journal_poisoned' });
    assert.equal(journal.admits(), false);
    await assert.rejects(journal.close(), { code: 'journal_poisoned' });
    assert.equal(reported.length, 1);
    assert.match(String(reported[0]?.cause), /EIO/);
    const before = disk.counts.datasyncs;
    await settle();
    assert.equal(disk.counts.datasyncs, before, 'a failed sync is never tried again');
    disk.crash();
    await openOn(disk);
    assert.deepEqual(await readTexts(disk), ['safe']);
  });
}

test('a failed sync refuses also the appends that wait for a write or for room', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { pendingMaxBytes: 50, segmentMaxBytes: 100_000 });
  await journal.append(bytesOf('a'));
  const syncStall = disk.stallSync();
  const synced = assert.rejects(journal.sync(), { code: 'journal_poisoned' });
  await syncStall.started;
  const writeStall = disk.stallWrite();
  const appends = ['b', 'c', 'd'].map((text) =>
    assert.rejects(journal.append(bytesOf(text)), { code: 'journal_poisoned' }),
  );
  await writeStall.started;
  disk.failNextSync('EIO');
  syncStall.release();
  await Promise.all([synced, ...appends]);
  writeStall.release();
  await assert.rejects(journal.close(), { code: 'journal_poisoned' });
});

test('a record whose bytes were given away while it waited is refused, and so is all after it', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const part = new Uint8Array(10);
  const appended = journal.append([part]);
  part.buffer.transfer(0);
  await assert.rejects(appended, { code: 'journal_poisoned', message: /changed while it waited/ });
  await assert.rejects(journal.append(bytesOf('later')), { code: 'journal_poisoned' });
  await assert.rejects(journal.close(), { code: 'journal_poisoned' });
  assert.deepEqual(await readTexts(disk), []);
});

test('records of one turn that a rotation parts are in both segments, in order, and answered together', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const texts = ['a'.repeat(150), 'b'.repeat(150), 'c'.repeat(150), 'd'.repeat(150)];
  const positions = await Promise.all(texts.map((text) => journal.append(bytesOf(text))));
  assert.deepEqual(
    positions.map(({ segment }) => segment),
    [1, 1, 2, 2],
  );
  assert.deepEqual(await readTexts(disk), texts);
  await journal.close();
});

test('a failed write refuses every record of its turn, also those that another segment would have had', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await journal.append(bytesOf('safe'));
  disk.failNextWrite('EIO', 1);
  const answers = await Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e'].map((text) => journal.append(bytesOf(text.repeat(150)))),
  );
  for (const answer of answers) assert.equal(answer.status, 'rejected');
  await settle();
  assert.equal((await readTexts(disk))[0], 'safe');
});

test('a failing rotation poisons', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await journal.append(bytesOf('a'));
  disk.failNextSync('EIO');
  await assert.rejects(journal.append(bytesOf('x'.repeat(600))), { code: 'journal_poisoned' });
  await assert.rejects(journal.close(), { code: 'journal_poisoned' });
});

test('a rotation waits for the sync under way', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await journal.append(bytesOf('a'));
  const stall = disk.stallSync();
  const synced = journal.sync();
  await stall.started;
  const before = { ...disk.counts };
  const large = journal.append(bytesOf('x'.repeat(600)));
  await settle();
  assert.deepEqual(disk.counts, before, 'neither the end mark nor a second sync');
  stall.release();
  await Promise.all([synced, large]);
  assert.equal((await readTexts(disk)).length, 2);
  await journal.close();
});

test('a short write is completed', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  for (const bytes of [1, 5, 21, 30]) disk.shortWrite(bytes);
  await journal.append(bytesOf('a record'));
  assert.deepEqual(await readTexts(disk), ['a record']);
  await journal.close();
});

test('a full disk in the middle of a record poisons, and recovery cuts off the part that was written', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await journal.append(bytesOf('a'));
  await journal.sync();
  disk.diskMaxBytes = disk.bytesOf(segmentPath(1)).length + 10;
  await assert.rejects(journal.append(bytesOf('b')), { code: 'journal_poisoned' });
  await assert.rejects(journal.close(), { code: 'journal_poisoned' });
  disk.diskMaxBytes = Number.POSITIVE_INFINITY;
  const { recovery } = await openOn(disk);
  assert.deepEqual([recovery.status, recovery.truncatedBytes, recovery.newestRecords], ['torn', 10, 1]);
  assert.deepEqual(await readTexts(disk), ['a']);
});
