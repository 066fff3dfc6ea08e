import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeFileSystem, seededRandom } from './file-system.ts';

const text = (value: string) => [Buffer.from(value)];

async function open(disk: FakeFileSystem, path = '/d/a') {
  await disk.makeDirectory('/d');
  return disk.createAppend(path);
}

test('a crash forgets bytes that were not synced', async () => {
  const disk = new FakeFileSystem();
  const file = await open(disk);
  await file.writev(text('kept'));
  await file.datasync();
  await disk.syncDirectory('/d');
  assert.equal(disk.isDurable('/d/a'), true);
  await file.writev(text('lost'));
  assert.equal(disk.isDurable('/d/a'), false);
  disk.crash();
  assert.equal(disk.bytesOf('/d/a').toString(), 'kept');
  await assert.rejects(file.writev(text('x')), { code: 'EBADF' });
});

test('a crash forgets a file whose directory entry was not synced, and brings back one removed without a sync', async () => {
  const disk = new FakeFileSystem();
  const file = await open(disk);
  await file.writev(text('a'));
  await file.datasync();
  disk.plant('/d/old', Buffer.from('old'));
  await disk.remove('/d/old');
  disk.crash();
  assert.deepEqual(disk.paths(), ['/d/old']);
});

test('a seeded crash keeps a prefix of the unsynced bytes, the same for the same seed', async () => {
  const outcomes = new Set<string>();
  for (const seed of [1, 2, 3, 4, 5, 1]) {
    const disk = new FakeFileSystem();
    const file = await open(disk);
    await file.writev(text('synced|'));
    await file.datasync();
    await disk.syncDirectory('/d');
    await file.writev(text('abcdefghij'));
    disk.crash(seededRandom(seed));
    const left = disk.bytesOf('/d/a').toString();
    assert.ok(left.startsWith('synced|') && 'synced|abcdefghij'.startsWith(left));
    outcomes.add(left);
  }
  assert.ok(outcomes.size > 1 && outcomes.size <= 5);
});

test('a crash with holes zeroes sectors that were not synced, never synced bytes', async () => {
  const disk = new FakeFileSystem();
  const file = await open(disk);
  await file.writev([Buffer.alloc(700, 1)]);
  await file.datasync();
  await disk.syncDirectory('/d');
  await file.writev([Buffer.alloc(4000, 2)]);
  disk.crash(() => 0.29, true);
  const left = disk.bytesOf('/d/a');
  assert.ok(left.subarray(0, 700).every((byte) => byte === 1));
  assert.ok(left.length > 700 && left.subarray(700).every((byte) => byte === 0));
});

test('a killed process loses no byte, but its handles and locks', async () => {
  const disk = new FakeFileSystem();
  const file = await open(disk);
  assert.equal((await disk.lock('/d')).status, 'acquired');
  assert.equal((await disk.lock('/d')).status, 'held');
  await file.writev(text('abc'));
  disk.kill();
  assert.equal(disk.bytesOf('/d/a').toString(), 'abc');
  assert.equal((await disk.lock('/d')).status, 'acquired');
  await assert.rejects(file.datasync(), { code: 'EBADF' });
});

test('writes and syncs fail, fall short and run out of space on command', async () => {
  const disk = new FakeFileSystem();
  const file = await open(disk);
  disk.failNextWrite('EIO');
  await assert.rejects(file.writev(text('a')), { code: 'EIO' });
  disk.shortWrite(2);
  assert.equal(await file.writev(text('abcd')), 2);
  disk.failNextSync('EIO');
  await assert.rejects(file.datasync(), { code: 'EIO' });
  assert.equal(disk.isDurable('/d/a'), false);
  disk.diskMaxBytes = 3;
  assert.equal(await file.writev(text('cd')), 1);
  await assert.rejects(file.writev(text('d')), { code: 'ENOSPC' });
  assert.deepEqual(disk.counts, { writes: 4, datasyncs: 1, directorySyncs: 0 });
});

test('a stalled sync covers only what was written before it began', async () => {
  const disk = new FakeFileSystem();
  const file = await open(disk);
  await file.writev(text('a'));
  const stall = disk.stallSync();
  const synced = file.datasync();
  await stall.started;
  await file.writev(text('b'));
  stall.release();
  await synced;
  await disk.syncDirectory('/d');
  disk.crash();
  assert.equal(disk.bytesOf('/d/a').toString(), 'a');
});

test('bits are flipped and files cut', async () => {
  const disk = new FakeFileSystem();
  disk.plant('/d/a', Buffer.from([0, 0]));
  disk.flipBit('/d/a', 9);
  assert.deepEqual([...disk.bytesOf('/d/a')], [0, 2]);
  disk.cut('/d/a', 1);
  assert.equal(await disk.size('/d/a'), 1);
});

test('a file closed while a call on it is under way is an error', async () => {
  const disk = new FakeFileSystem();
  const file = await open(disk);
  const stall = disk.stallSync();
  const synced = file.datasync();
  await stall.started;
  await assert.rejects(file.close(), /under way/);
  stall.release();
  await synced;
  await file.close();
});
