import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oldestRecordMs } from '../../../extproc/journal/oldest.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { bytesOf, directory, openOn, segmentPath } from './rig.ts';

test('a journal goes back to the beginning of its first segment with a record', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  assert.equal(await oldestRecordMs(directory, disk), Number.POSITIVE_INFINITY, 'nothing was written yet');
  const beforeMs = Date.now();
  await journal.append(bytesOf('first'));
  const oldest = await oldestRecordMs(directory, disk);
  assert.ok(oldest <= beforeMs && oldest > beforeMs - 60_000);
  await journal.rotate(Number.POSITIVE_INFINITY);
  await new Promise((resolve) => setTimeout(resolve, 2));
  const laterMs = Date.now();
  await journal.rotate(Number.POSITIVE_INFINITY);
  await journal.append(bytesOf('second'));
  assert.equal(await oldestRecordMs(directory, disk), oldest);
  await journal.free({ segment: 2, offset: 0 });
  assert.ok((await oldestRecordMs(directory, disk)) <= laterMs);
  await journal.rotate(Number.POSITIVE_INFINITY);
  await journal.free(journal.written());
  assert.equal(await oldestRecordMs(directory, disk), Number.POSITIVE_INFINITY, 'all of it was freed');
  await journal.close();
});

test('a journal whose first header is damaged goes back to any time', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await journal.append(bytesOf('first'));
  await journal.close();
  disk.flipBit(segmentPath(1), 3);
  assert.equal(await oldestRecordMs(directory, disk), 0);
});
