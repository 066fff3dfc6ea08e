import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppendFile } from '../../extproc/journal/fs.ts';
import { FakeFileSystem } from './file-system.ts';
import { FaultyDisk } from './serve-disk-faults.ts';

const some = [Buffer.from('some bytes')];

async function open(): Promise<{ disk: FaultyDisk; real: FakeFileSystem; file: AppendFile }> {
  const real = new FakeFileSystem();
  await real.makeDirectory('/d');
  const disk = new FaultyDisk(real);
  return { disk, real, file: await disk.fileSystem.createAppend('/d/a.journal') };
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 5));

test('what is written is unsynced until a datasync that began after it succeeded', async () => {
  const { disk, file } = await open();
  const unsynced = () => disk.obey({ do: 'status' }).unsynced;
  await file.writev(some);
  assert.equal(unsynced(), 1);
  await file.datasync();
  assert.equal(unsynced(), 0);
  await file.writev(some);
  disk.obey({ do: 'fail', verb: 'sync', code: 'EIO' });
  await assert.rejects(file.datasync(), { code: 'EIO' });
  assert.equal(unsynced(), 1);
});

test('a fault is met once, by the next call of its verb, and only by a segment of the journal', async () => {
  const { disk, real, file } = await open();
  const other = await disk.fileSystem.createAppend('/d/other');
  disk.obey({ do: 'fail', verb: 'write', code: 'EROFS' });
  await other.writev(some);
  await file.datasync();
  await assert.rejects(file.writev(some), { code: 'EROFS' });
  await file.writev(some);
  assert.equal(real.bytesOf('/d/a.journal').toString(), 'some bytes');
});

test('a disk that fills up takes a part of what it is given, and fails with the rest', async () => {
  const { disk, real, file } = await open();
  disk.obey({ do: 'fail', verb: 'write', code: 'ENOSPC', takesBytes: 4 });
  assert.equal(await file.writev(some), 4);
  await assert.rejects(file.writev(some), { code: 'ENOSPC' });
  assert.equal(real.bytesOf('/d/a.journal').toString(), 'some');
});

test('what is held waits until it is let go: those that wait now with pass, all with release', async () => {
  const { disk, file } = await open();
  disk.obey({ do: 'hold' });
  let done = 0;
  const sync = () => file.datasync().then(() => (done += 1));
  await file.writev(some);
  const first = sync();
  await turns();
  assert.deepEqual([done, disk.obey({ do: 'status' }).held], [0, 1]);
  disk.obey({ do: 'pass' });
  await first;
  const second = sync();
  await turns();
  assert.equal(done, 1);
  disk.obey({ do: 'release' });
  await second;
  await sync();
  assert.equal(done, 3);
});
