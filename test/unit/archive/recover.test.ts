import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME_HEAD_BYTES } from '../../../extproc/archive/format.ts';
import { verifyArchive } from '../../../extproc/archive/verify.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { archiveOn, directory, exchangeOf, readBack } from './rig.ts';

/** Three batches, each synced and, unless the interval is long, signed, in a segment that a kill left open. */
async function killed(checkpointIntervalMs = 0) {
  const disk = new FakeFileSystem();
  const rig = archiveOn(disk, { checkpointIntervalMs });
  const archive = rig.open();
  for (const number of [1, 2, 3]) await archive.archive([rig.ended(exchangeOf(number))]);
  disk.kill();
  const [path = ''] = disk.paths().filter((one) => one.endsWith('.segment'));
  const goOn = async () => {
    await rig.open().archive([rig.ended(exchangeOf(4))]);
    const recovery = rig.recoveries.at(-1);
    assert.ok(recovery !== undefined);
    await readBack(rig.reader(), exchangeOf(4).exchangeId);
    return recovery;
  };
  const verify = async () =>
    (await verifyArchive({ directory, fileSystem: disk, publicKeys: [rig.key.publicKey], outside: new Map() }))
      .findings;
  return { disk, path, goOn, verify };
}

test('what a kill left open is ended, and the archive is whole', async () => {
  const { goOn, verify } = await killed();
  assert.deepEqual(await goOn(), { segments: 1, closed: 1, cutBytes: 0, damage: [] });
  assert.deepEqual(await verify(), []);
});

test('damage before what was synced later is no crash: the file stays as evidence and the archive goes on beside it', async () => {
  const { disk, path, goOn, verify } = await killed(1e9);
  const bytes = disk.bytesOf(path);
  // Within the second exchange, which no checkpoint covers, and which was synced before the third was made.
  const at = bytes.indexOf('SKAX', bytes.indexOf('SKAX') + 1) + FRAME_HEAD_BYTES + 5;
  disk.flipBit(path, 8 * at);
  const { damage, cutBytes } = await goOn();
  assert.deepEqual([damage.map((one) => one.path), cutBytes], [[path], 0]);
  assert.equal(disk.bytesOf(path).length, bytes.length);
  assert.deepEqual(
    (await verify()).map(({ kind, frame }) => [kind, frame]),
    [['edited', 2]],
  );
});

test('an end that was cut below what was signed is not taken for the end after a restart', async () => {
  const { disk, path, goOn, verify } = await killed();
  disk.cut(path, disk.bytesOf(path).lastIndexOf('SKAX'));
  const { damage } = await goOn();
  assert.match(damage[0]?.reason ?? '', /has 3 frames, and a checkpoint signed 4/);
  assert.deepEqual(
    (await verify()).map(({ kind, frame }) => [kind, frame]),
    [['cut', 3]],
  );
});
