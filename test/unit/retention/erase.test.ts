import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ArchiveReader } from '../../../extproc/archive/reader.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { backupKeys } from '../../../extproc/keys/backup.ts';
import { masterFromFile } from '../../../extproc/keys/master.ts';
import { openOpener } from '../../../extproc/keys/opener.ts';
import { restoreKeys } from '../../../extproc/keys/restore.ts';
import { exchangeIdOf, readBack } from '../archive/rig.ts';
import { ada, dayMs, eve, issuer, RetentionRig } from './rig.ts';

const startMs = Date.UTC(2026, 0, 1);
const noon = startMs + dayMs / 2;
const upperAda = { issuer, subject: 'U-ADA' };

async function filled(t: Parameters<typeof RetentionRig.open>[0]): Promise<RetentionRig> {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: nodeFileSystem });
  await rig.record(
    { number: 1, atMs: noon, person: ada, input: 'zebrastripe of hers' },
    { number: 2, atMs: noon, person: ada, pseudonym: 'p-U-ADA', input: 'zebrastripe hidden' },
    { number: 3, atMs: noon, person: eve, input: 'crocodile of another' },
    { number: 4, atMs: noon, person: upperAda, input: 'crocodile of a namesake' },
  );
  rig.nowMs = noon + dayMs;
  return rig;
}

function readerOf(
  { dataDirectory, archiveDirectory: directory }: RetentionRig,
  of: 'exchanges' | 'metadata' = 'exchanges',
): ArchiveReader {
  const opener = openOpener({ dataDirectory, master: masterFromFile(dataDirectory) });
  return new ArchiveReader({ directory, fileSystem: nodeFileSystem, opener, of });
}

const idOf = (number: number) => exchangeIdOf(number, noon);

test('a person who is erased is in no store any more; others are, the chain verifies, and a backup brings nobody back', async (t) => {
  const rig = await filled(t);
  const { dataDirectory } = rig;
  const backup = await backupKeys({ dataDirectory });
  await readBack(readerOf(rig), idOf(1));
  const receipt = await rig.erase(ada);
  assert.deepEqual(
    [receipt.outcome, receipt.keys, receipt.documents, receipt.values, receipt.toDo],
    ['erased', 1, 2, 2, []],
  );
  assert.doesNotMatch(JSON.stringify(receipt), /u-ada/);
  assert.deepEqual((await rig.search.search({ text: 'zebrastripe' })).hits, []);
  assert.equal((await rig.search.search({ text: 'crocodile' })).hits.length, 2, 'an id in capitals is somebody else');
  await assert.rejects(readBack(readerOf(rig), idOf(1)));
  for (const number of [3, 4]) await readBack(readerOf(rig), idOf(number));
  assert.equal(rig.revealDays()[0]?.values, 2);
  await rig.archive.close();
  assert.deepEqual((await rig.verify()).findings, []);
  for (const file of globSync('*.sqlite*', { cwd: dataDirectory }))
    assert.doesNotMatch(readFileSync(join(dataDirectory, file), 'latin1'), /zebrastripe/, file);
  await restoreKeys({
    ...{ dataDirectory, backup: backup.bytes, backupName: 'backup', backupMaxAgeDays: 3_650 },
    master: masterFromFile(dataDirectory),
  });
  await assert.rejects(readBack(readerOf(rig), idOf(1)));
});

test('erasing a person reaches what the archive keeps when content is gone, and leaves that of others', async (t) => {
  const rig = await filled(t);
  const { dataDirectory } = rig;
  await rig.archive.close();
  const backup = await backupKeys({ dataDirectory });
  rig.nowMs = noon + 40 * dayMs;
  await rig.sweep();
  assert.deepEqual([(await rig.families()).length, (await rig.metadataFamilies()).length], [0, 1]);
  for (const number of [1, 2, 3, 4]) await readBack(readerOf(rig, 'metadata'), idOf(number));
  assert.deepEqual((await rig.erase(ada)).toDo, []);
  await restoreKeys({
    ...{ dataDirectory, backup: backup.bytes, backupName: 'backup', backupMaxAgeDays: 3_650 },
    master: masterFromFile(dataDirectory),
  });
  for (const number of [1, 2]) await assert.rejects(readBack(readerOf(rig, 'metadata'), idOf(number)));
  for (const number of [3, 4]) await readBack(readerOf(rig, 'metadata'), idOf(number));
  assert.deepEqual((await rig.verify()).findings, []);
});

test('erasing under a hold is refused and recorded, whatever the hold names', async (t) => {
  const rig = await filled(t);
  const scopes = [
    { person: ada },
    { session: 'session-1' },
    { connection: 'claude' },
    { fromMs: noon, toMs: noon + 1 },
  ];
  for (const scope of scopes) {
    const { id } = await rig.parts.holds.add(scope, 'ops', 'a case');
    const { outcome, holds, keys } = await rig.erase(ada);
    assert.deepEqual([outcome, holds, keys], ['refused', [id], 0], JSON.stringify(scope));
    await rig.parts.holds.release(id, 'ops', 'over');
  }
  await readBack(readerOf(rig), idOf(1));
  await rig.parts.holds.add({ person: eve }, 'ops', 'of another');
  await rig.parts.holds.add({ fromMs: noon + 2 * dayMs }, 'ops', 'of later');
  assert.equal((await rig.erase(ada)).outcome, 'erased');
  await rig.reopen();
  const outcomes = rig.parts.receipts.list().map((one) => (one.kind === 'erase' ? one.outcome : one.kind));
  assert.deepEqual(outcomes, ['refused', 'refused', 'refused', 'refused', 'erased']);
});

test('while the index is away nobody is erased whom a hold might cover, and that is recorded', async (t) => {
  const rig = await filled(t);
  await rig.parts.holds.add({ connection: 'claude' }, 'ops', 'a case');
  rig.indexAway = 'connection refused';
  await assert.rejects(rig.erase(ada), /cannot be told: connection refused/);
  await readBack(readerOf(rig), idOf(1));
  assert.deepEqual(
    rig.parts.receipts.list().map((one) => one.kind === 'erase' && one.outcome),
    ['refused'],
  );
});

test('an erasure that the index could not take part in is finished by the next sweep, and takes nothing of later', async (t) => {
  const rig = await filled(t);
  rig.indexAway = 'connection refused';
  const begun = await rig.erase(ada);
  assert.deepEqual(
    [begun.outcome, begun.keys, begun.values, begun.toDo],
    ['waiting', 1, 2, ['index: connection refused']],
  );
  await assert.rejects(readBack(readerOf(rig), idOf(1)));
  rig.nowMs += dayMs;
  await rig.record({ number: 5, atMs: rig.nowMs, person: ada, input: 'zebrastripe again' });
  await rig.reopen();
  assert.deepEqual((await rig.sweep()).erasures, { finished: [], waiting: [begun.run], inJournal: [] });
  rig.indexAway = null;
  const { id } = await rig.parts.holds.add({ person: ada }, 'ops', 'a case');
  assert.deepEqual((await rig.sweep()).erasures.waiting, [begun.run], 'a hold that came meanwhile wins');
  await rig.parts.holds.release(id, 'ops', 'over');
  assert.deepEqual((await rig.sweep()).erasures, { finished: [], waiting: [], inJournal: [begun.run] });
  assert.deepEqual(
    (await rig.search.search({ text: 'zebrastripe' })).hits.map(({ id: found }) => found),
    [exchangeIdOf(5, rig.nowMs)],
  );
  await readBack(readerOf(rig), exchangeIdOf(5, rig.nowMs));
  assert.deepEqual((await rig.sweep()).erasures, { finished: [begun.run], waiting: [], inJournal: [] });
  assert.deepEqual((await rig.sweep()).erasures, { finished: [], waiting: [], inJournal: [] });
});

test('an erasure ends when the journals have let go of what the person said, and takes what came meanwhile', async (t) => {
  const rig = await filled(t);
  rig.oldestInJournalsMs = noon;
  const begun = await rig.erase(ada);
  assert.equal(begun.outcome, 'erased');
  assert.deepEqual((await rig.sweep()).erasures, { finished: [], waiting: [], inJournal: [begun.run] });
  // Shipping was about to deliver it while the index was cleared.
  await rig.record({ number: 6, atMs: noon + 1_000, person: ada, input: 'zebrastripe too late' });
  await rig.record({ number: 7, atMs: rig.nowMs + dayMs, person: ada, input: 'zebrastripe again' });
  rig.oldestInJournalsMs = rig.nowMs + 1;
  rig.indexAway = 'connection refused';
  assert.deepEqual((await rig.sweep()).erasures.waiting, [begun.run]);
  rig.indexAway = null;
  await rig.reopen();
  assert.deepEqual((await rig.sweep()).erasures, { finished: [begun.run], waiting: [], inJournal: [] });
  const { hits } = await rig.search.search({ text: 'zebrastripe' });
  assert.deepEqual(
    hits.map(({ id }) => id),
    [rig.idOf(7)],
  );
  await readBack(readerOf(rig), rig.idOf(7));
  const outcomes = rig.parts.receipts
    .list()
    .flatMap((one) => (one.kind === 'erase' ? [[one.outcome, one.documents]] : []));
  assert.deepEqual(outcomes, [
    ['erased', 2],
    ['waiting', 0],
    ['left_journals', 1],
  ]);
});
