import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCursor, saveCursor } from '../../../extproc/journal/cursor.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { directory } from './rig.ts';

const path = `${directory}/cursor-ship.json`;

test('a saved cursor survives a crash', async () => {
  const disk = new FakeFileSystem();
  await disk.makeDirectory(directory);
  assert.deepEqual(await loadCursor(directory, 'ship', disk), { status: 'absent', position: null });
  const position = { segment: 3, offset: 400 };
  await saveCursor(directory, 'ship', position, disk);
  disk.crash();
  assert.deepEqual(await loadCursor(directory, 'ship', disk), { status: 'found', position });
  assert.equal((await loadCursor(directory, 'other', disk)).status, 'absent');
});

test('every changed bit and every cut of a cursor leads back to the beginning, or changes nothing', async () => {
  const disk = new FakeFileSystem();
  const position = { segment: 12, offset: 34567 };
  await saveCursor(directory, 'ship', position, disk);
  const good = disk.bytesOf(path);
  let damaged = 0;
  for (let bit = 0; bit < good.length * 8; bit += 1) {
    disk.plant(path, good);
    disk.flipBit(path, bit);
    const cursor = await loadCursor(directory, 'ship', disk);
    if (cursor.status === 'found') assert.deepEqual(cursor.position, position);
    else damaged += 1;
  }
  assert.ok(damaged > good.length * 7);
  for (let length = 0; length < good.length - 1; length += 1) {
    disk.plant(path, good.subarray(0, length));
    assert.equal((await loadCursor(directory, 'ship', disk)).status, 'damaged');
  }
});

test('what is no cursor is reported, not followed', async () => {
  const disk = new FakeFileSystem();
  for (const text of [
    'null',
    '[]',
    '{"version":1}',
    '{"version":2}',
    '{"version":1,"position":{"segment":-1,"offset":0}}',
  ]) {
    disk.plant(path, Buffer.from(text));
    const cursor = await loadCursor(directory, 'ship', disk);
    assert.equal(cursor.status, 'damaged', text);
    assert.equal(cursor.position, null);
  }
});

test('a name that leads out of the directory is refused', async () => {
  const disk = new FakeFileSystem();
  for (const name of ['../x', '', 'A', 'a/b', 'a'.repeat(65)]) {
    await assert.rejects(loadCursor(directory, name, disk), { code: 'usage' });
    await assert.rejects(saveCursor(directory, name, { segment: 1, offset: 44 }, disk), { code: 'usage' });
  }
});
