import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Journal } from '../../../extproc/journal/journal.ts';
import { JournalSpace } from '../../../extproc/journal-space.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { bytesOf, openOn, readTexts } from '../journal/rig.ts';

const hourMs = 3_600_000;
const log = { error: (said: unknown) => assert.fail(JSON.stringify(said)) };

function spaceOf(journal: Journal, nowMs = () => Date.now()): JournalSpace {
  return new JournalSpace({ journal, limits: { maxAgeHours: 24 }, log: log as never, nowMs });
}

test('what archive and index have leaves the journal when it is old, also where nothing comes after it', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 4096 });
  let hours = 0;
  const space = spaceOf(journal, () => Date.now() + hours * hourMs);
  await journal.append(bytesOf('the only one'));
  space.delivered(journal.written());
  for (hours = 0; hours < 24; hours += 1) await space.age();
  assert.deepEqual(await readTexts(disk), ['the only one']);
  hours = 25;
  await space.age();
  assert.deepEqual(await readTexts(disk), []);
  space.close();
  await journal.close();
});

test('what is old leaves at the first word of archive and index: a process may not live until the next look', async () => {
  const disk = new FakeFileSystem();
  const before = await openOn(disk, { segmentMaxBytes: 4096 });
  await before.journal.append(bytesOf('of an earlier life'));
  await before.journal.close();
  const { journal } = await openOn(disk, { segmentMaxBytes: 4096 });
  const space = spaceOf(journal, () => Date.now() + 25 * hourMs);
  space.delivered(journal.written());
  await freed(journal);
  await freed(journal);
  assert.deepEqual(await readTexts(disk), []);
  space.close();
  await journal.close();
});

test('what archive and index do not have stays, however old', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 4096 });
  const space = spaceOf(journal, () => Date.now() + 1_000 * hourMs);
  await journal.append(bytesOf('delivered'));
  const delivered = journal.written();
  await journal.append(bytesOf('not delivered'));
  space.delivered(null);
  await space.age();
  space.delivered(delivered);
  await space.age();
  await space.age();
  assert.deepEqual(await readTexts(disk), ['delivered', 'not delivered'], 'they are in one segment');
  space.delivered(journal.written());
  await space.age();
  assert.deepEqual(await readTexts(disk), []);
  space.close();
  await journal.close();
});

test('half a journal is freed at once, and the young other half stays', async () => {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 512, journalMaxBytes: 2048 });
  const space = spaceOf(journal);
  for (let index = 0; index < 20; index += 1) await journal.append(bytesOf('x'.repeat(64)));
  space.delivered(journal.written());
  const { bytes } = await freed(journal);
  assert.ok(bytes <= 1024 && bytes > 512, String(bytes));
  space.close();
  await journal.close();
});

/** Freeing runs one after another. */
async function freed(journal: Journal) {
  await journal.free({ segment: 0, offset: 0 });
  return journal.usage();
}
