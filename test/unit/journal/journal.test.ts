import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameMaxBytes, groupMaxBytes } from '../../../extproc/journal/format.ts';
import { comparePositions } from '../../../extproc/journal/position.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { bytesOf, directory, key, openOn, readRecords, readTexts, segmentPath, settle } from './rig.ts';

test('records are read back in the order of the calls, parts put together, over several segments', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const texts = Array.from({ length: 60 }, (_, index) => `record ${index}`.padEnd(index));
  const positions = await Promise.all(
    texts.map((text) => journal.append([Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3))])),
  );
  assert.deepEqual(await readTexts(disk), texts);
  assert.deepEqual(
    (await readRecords(disk)).map(({ position }) => position),
    positions,
  );
  assert.ok(
    positions.every(
      (position, index) => index === 0 || comparePositions(positions[index - 1] ?? position, position) < 0,
    ),
  );
  assert.ok(journal.usage().segments > 3);
  await journal.close();
});

test('an append of nothing is a record of no bytes', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await journal.append([]);
  assert.deepEqual(await readTexts(disk), ['']);
  await journal.close();
});

test('appends of one tick go to the disk in one write', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 100_000 });
  const before = disk.counts.writes;
  await Promise.all(Array.from({ length: 200 }, (_, index) => journal.append(bytesOf(`${index}`))));
  assert.equal(disk.counts.writes, before + 1);
  await journal.close();
});

test('small appends of one tick are sealed together, so that most of them cost no more than their bytes', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 10_000_000, journalMaxBytes: 100_000_000 });
  const sizes = [100, 200, 300, 20_000, 20_000, groupMaxBytes, 5, 6];
  const before = disk.bytesOf(segmentPath(1)).length;
  await Promise.all(sizes.map((size) => journal.append(bytesOf('x'.repeat(size)))));
  const added = disk.bytesOf(segmentPath(1)).length - before;
  const payloadBytes = sizes.reduce((sum, size) => sum + size, 0);
  // Frames with 4, 1, 1 and 2 of them: no group is larger than its limit. A length stands before each of several.
  assert.equal(added, payloadBytes + 4 * 36 + (4 + 2) * 4);
  assert.deepEqual(
    (await readTexts(disk)).map((text) => text.length),
    sizes,
  );
  await journal.close();
});

test('an acknowledged append survives a kill of the process though nothing was synced', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await journal.append(bytesOf('a'));
  await journal.append(bytesOf('b'));
  const syncs = disk.counts.datasyncs;
  disk.kill();
  assert.equal(disk.counts.datasyncs, syncs);
  assert.equal((await openOn(disk)).recovery.newestRecords, 2);
  assert.deepEqual(await readTexts(disk), ['a', 'b']);
});

test('a restart begins a new segment and leaves the frames of the old one as they were', async () => {
  const disk = new FakeFileSystem();
  const first = await openOn(disk);
  const old = await first.journal.append(bytesOf('a'));
  disk.kill();
  const before = disk.bytesOf(segmentPath(1));
  const second = await openOn(disk);
  const young = await second.journal.append(bytesOf('b'));
  assert.deepEqual([old.segment, young.segment], [1, 2]);
  assert.deepEqual(disk.bytesOf(segmentPath(1)).subarray(0, before.length), before);
  assert.notDeepEqual(disk.bytesOf(segmentPath(1)).subarray(16, 32), disk.bytesOf(segmentPath(2)).subarray(16, 32));
});

test('the header of a segment and its directory entry are durable before its first record is written', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  assert.equal(disk.isDurable(segmentPath(1)), true);
  const stall = disk.stallWrite();
  const appended = journal.append(bytesOf('a'));
  await stall.started;
  assert.equal(disk.isDurable(segmentPath(1)), true);
  stall.release();
  await appended;
  await journal.close();
});

test('closing writes, syncs and seals what was accepted; afterwards the journal refuses', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const appended = journal.append(bytesOf('last'));
  await Promise.all([appended, journal.close(), journal.close()]);
  disk.crash();
  assert.deepEqual(await readTexts(disk), ['last']);
  await assert.rejects(journal.append(bytesOf('x')), { code: 'journal_closed' });
  await assert.rejects(journal.sync(), { code: 'journal_closed' });
  assert.equal(journal.admits(), false);
  const { recovery } = await openOn(disk);
  assert.deepEqual([recovery.status, recovery.newestRecords, recovery.truncatedBytes], ['clean', 1, 0]);
});

test('a record above the limit of a frame is refused and the journal goes on', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const half = new Uint8Array(frameMaxBytes / 2);
  await assert.rejects(journal.append([half, half, new Uint8Array(1)]), { code: 'journal_full' });
  const large = await openOn(new FakeFileSystem(), { journalMaxBytes: 100_000_000 });
  await assert.rejects(large.journal.append([half, half, new Uint8Array(1)]), { code: 'usage' });
  await large.journal.append(bytesOf('fine'));
  await large.journal.close();
  await journal.append(bytesOf('fine'));
  await journal.close();
});

test('a record larger than a segment gets a segment alone', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const large = 'x'.repeat(2000);
  const places = await Promise.all(['a', large, 'b'].map((text) => journal.append(bytesOf(text))));
  assert.deepEqual(
    places.map(({ segment }) => segment),
    [1, 2, 3],
  );
  assert.deepEqual(await readTexts(disk), ['a', large, 'b']);
  await journal.close();
});

test('appends wait while the pending bytes are at their limit, and keep their order', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 100_000, pendingMaxBytes: 300 });
  const texts = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(100));
  const written: number[] = [];
  const stall = disk.stallWrite();
  const appends = texts.map((text, index) => journal.append(bytesOf(text)).then(() => written.push(index)));
  await stall.started;
  await settle();
  assert.deepEqual(written, []);
  stall.release();
  const before = disk.counts.writes;
  await Promise.all(appends);
  assert.ok(disk.counts.writes - before >= 4, 'a write holds at most the pending bytes');
  assert.deepEqual(await readTexts(disk), texts);
  await journal.close();
});

test('what is not a workable setting is refused at opening', async () => {
  const disk = new FakeFileSystem();
  await assert.rejects(openOn(disk, { key: new Uint8Array(16) }), { code: 'key_invalid' });
  await assert.rejects(openOn(disk, { segmentMaxBytes: 1 }), { code: 'config_invalid' });
  await assert.rejects(openOn(disk, { journalMaxBytes: 1023 }), { code: 'config_invalid' });
  await assert.rejects(openOn(disk, { syncIntervalMs: Number.NaN }), { code: 'config_invalid' });
  assert.deepEqual(disk.paths(), []);
});

test('a second writer in the same directory is refused until the first is gone', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  await assert.rejects(openOn(disk), {
    code: 'config_invalid',
    message: /in use by process/,
    remedy: /stop the other/,
  });
  await journal.close();
  await (await openOn(disk)).journal.close();
});

test('an opening that fails gives the lock back', async () => {
  const disk = new FakeFileSystem();
  disk.failNextSync('EIO');
  await assert.rejects(openOn(disk), { code: 'EIO' });
  await (await openOn(disk)).journal.close();
});

test('neither payloads nor the key stand readable on the disk', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk);
  const marker = 'MARKER-of-a-secret';
  for (let index = 0; index < 20; index += 1) await journal.append(bytesOf(marker));
  await journal.close();
  const blocks = new Set<string>();
  for (const path of disk.paths()) {
    const bytes = disk.bytesOf(path);
    assert.ok(path.startsWith(directory));
    assert.equal(bytes.includes(marker), false);
    assert.equal(bytes.includes(Buffer.from(key.subarray(0, 8))), false);
    for (let at = 0; at + 18 <= bytes.length; at += 1) blocks.add(bytes.subarray(at, at + 18).toString('hex'));
  }
  const total = disk.paths().reduce((sum, path) => sum + disk.bytesOf(path).length - 17, 0);
  assert.equal(blocks.size, total, 'equal payloads give no equal ciphertext');
});
