import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyJournal } from '../../extproc/journal/verify.ts';
import { bytesOf, directory, key, openOn, readTexts, segmentPath } from '../unit/journal/rig.ts';
import { assertPrefix, diskOf, images, inGroups, oneByOne, readUntilDamage, texts } from './journal-images.ts';

for (const [name, of] of [['one by one', oneByOne] as const, ['in groups', inGroups] as const]) {
  test(`whatever bit flips of what was written ${name}, reading gives a prefix of the records and the check sees the damage`, async () => {
    const files = await images(of);
    const disk = diskOf(files);
    for (const [path, bytes] of files) {
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        disk.flipBit(path, bit);
        const where = `${path} bit ${bit}`;
        const { seen, reported } = await readUntilDamage(disk);
        assertPrefix(seen, where);
        assert.ok(reported || (path === segmentPath(3) && seen.length >= of.inOlder), where);
        assert.ok(seen.length < of.texts.length || path !== segmentPath(3), where);
        disk.plant(path, bytes);
      }
    }
  });

  test(`whatever byte changes of what was written ${name}, the check sees it with and without the key`, async () => {
    const files = await images(of);
    const disk = diskOf(files);
    for (const [path, bytes] of files) {
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 0xff, at);
        disk.plant(path, changed);
        for (const given of [key, undefined]) {
          const check = await verifyJournal(directory, given, disk);
          assert.notEqual(check.status, 'clean', `${path} byte ${at}`);
          assert.equal(check.segments.find(({ status }) => status !== 'clean')?.file, path);
        }
        disk.plant(path, bytes);
      }
    }
  });

  test(`whatever byte changes of what was written ${name}, recovery and reading give a prefix and one says so`, async () => {
    const files = await images(of);
    for (const [path, bytes] of files) {
      for (let at = 0; at < bytes.length; at += 1) {
        const disk = diskOf(files);
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 0xff, at);
        disk.plant(path, changed);
        const { recovery } = await openOn(disk);
        const { seen, reported } = await readUntilDamage(disk);
        assertPrefix(seen, `${path} byte ${at}`);
        assert.ok(reported || recovery.status !== 'clean', `${path} byte ${at}`);
        if (recovery.status === 'corrupt')
          assert.deepEqual(disk.bytesOf(path), changed, 'corrupt files are left alone');
      }
    }
  });
}

test('whatever byte the newest segment ends at, recovery keeps every whole record and work goes on', async () => {
  const files = await images();
  const newest = files.get(segmentPath(3)) ?? Buffer.alloc(0);
  const frameBytes = 36 + 'record 0'.length;
  for (let length = 0; length <= newest.length; length += 1) {
    const disk = diskOf(new Map([...files, [segmentPath(3), newest.subarray(0, length)]]));
    const whole = 8 + Math.max(0, Math.floor((length - 44) / frameBytes));
    const { journal, recovery } = await openOn(disk);
    assert.deepEqual(recovery.damage, [], `cut at ${length}`);
    assert.deepEqual(await readTexts(disk), texts.slice(0, whole), `cut at ${length}`);
    await journal.append(bytesOf('after'));
    assert.deepEqual(await readTexts(disk), [...texts.slice(0, whole), 'after']);
    assert.equal((await verifyJournal(directory, key, disk)).status, 'clean');
  }
});

test('whatever byte groups end at, recovery keeps every whole one and nothing of another, and work goes on', async () => {
  const files = await images(inGroups);
  const newest = files.get(segmentPath(3)) ?? Buffer.alloc(0);
  const groupBytes = 36 + 2 * (4 + 'record 12'.length);
  for (let length = 0; length <= newest.length; length += 1) {
    const disk = diskOf(new Map([...files, [segmentPath(3), newest.subarray(0, length)]]));
    const whole = inGroups.inOlder + 2 * Math.max(0, Math.floor((length - 44) / groupBytes));
    const { journal, recovery } = await openOn(disk);
    assert.deepEqual(recovery.damage, [], `cut at ${length}`);
    await journal.append(bytesOf('after'));
    assert.deepEqual(await readTexts(disk), [...inGroups.texts.slice(0, whole), 'after'], `cut at ${length}`);
    assert.equal((await verifyJournal(directory, key, disk)).status, 'clean');
  }
});

test('whatever byte an older segment ends at, it is reported and left as it is', async () => {
  const files = await images();
  const older = files.get(segmentPath(2)) ?? Buffer.alloc(0);
  for (let length = 0; length < older.length; length += 1) {
    const cut = older.subarray(0, length);
    const disk = diskOf(new Map([...files, [segmentPath(2), cut]]));
    const { recovery } = await openOn(disk);
    assert.equal(recovery.status, 'corrupt', `cut at ${length}`);
    assert.equal(recovery.damage[0]?.file, segmentPath(2));
    assert.deepEqual(disk.bytesOf(segmentPath(2)), cut);
    const { seen, reported } = await readUntilDamage(disk);
    assertPrefix(seen, `cut at ${length}`);
    assert.equal(reported, true);
  }
});

test('a segment missing between others is reported at start and by the check', async () => {
  const files = await images();
  files.delete(segmentPath(2));
  const disk = diskOf(files);
  const check = await verifyJournal(directory, key, disk);
  assert.deepEqual([check.status, check.damage[0]?.reason], ['corrupt', 'segments 2 to 2 are missing']);
  const { recovery } = await openOn(disk);
  assert.deepEqual([recovery.status, recovery.damage[0]?.file], ['corrupt', segmentPath(2)]);
});

test('segments that changed names are refused', async () => {
  const files = await images();
  const [one, two] = [files.get(segmentPath(1)), files.get(segmentPath(2))];
  assert.ok(one !== undefined && two !== undefined);
  const disk = diskOf(new Map([...files, [segmentPath(1), two], [segmentPath(2), one]]));
  assert.deepEqual(await readUntilDamage(disk), { seen: [], reported: true });
  assert.equal((await verifyJournal(directory, undefined, disk)).status, 'corrupt');
});

test('a corrupt newest segment is kept as it is and reported again at every start', async () => {
  const files = await images();
  const disk = diskOf(files);
  disk.flipBit(segmentPath(3), 50 * 8);
  const damaged = disk.bytesOf(segmentPath(3));
  for (let start = 0; start < 3; start += 1) {
    const { journal, recovery } = await openOn(disk);
    assert.deepEqual(
      recovery.damage.map(({ file }) => file),
      [segmentPath(3)],
    );
    await journal.append(bytesOf('more'));
    await journal.close();
  }
  assert.deepEqual(disk.bytesOf(segmentPath(3)), damaged);
  assert.deepEqual(await readTexts(disk, { segment: 4, offset: 0 }), ['more', 'more', 'more']);
});

test('a journal opened with another key says so and cuts nothing', async () => {
  const files = await images();
  const disk = diskOf(files);
  const { recovery } = await openOn(disk, { key: new Uint8Array(32) });
  assert.equal(recovery.status, 'corrupt');
  assert.equal(recovery.damage.length, 3);
  assert.match(recovery.damage[0]?.reason ?? '', /another journal key/);
  for (const [path, bytes] of files) assert.deepEqual(disk.bytesOf(path), bytes);
});
