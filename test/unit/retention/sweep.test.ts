import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { ArchiveReader } from '../../../extproc/archive/reader.ts';
import { indexFile } from '../../../extproc/index/sqlite/schema.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { masterFromFile } from '../../../extproc/keys/master.ts';
import { openOpener } from '../../../extproc/keys/opener.ts';
import { RevealRetention } from '../../../extproc/reveal/retention.ts';
import { FakeFileSystem, seededRandom } from '../../fakes/file-system.ts';
import { ada, asked, dayMs, eve, RetentionRig } from './rig.ts';

const startMs = Date.UTC(2026, 0, 1);
const noon = (number: number) => startMs + number * dayMs + dayMs / 2;
const [first, second] = ['2026-01-01', '2026-01-02'];

function readerOf(rig: RetentionRig, of: 'exchanges' | 'metadata'): ArchiveReader {
  const opener = openOpener({ dataDirectory: rig.dataDirectory, master: masterFromFile(rig.dataDirectory) });
  return new ArchiveReader({ directory: rig.archiveDirectory, fileSystem: rig.fileSystem, opener, of });
}

/** Of which exchanges the archive has metadata that can be read. */
async function metadataOf(rig: RetentionRig, ...numbers: number[]): Promise<boolean[]> {
  const reader = readerOf(rig, 'metadata');
  const found: boolean[] = [];
  for (const number of numbers) {
    const outcome = await reader.read(rig.idOf(number));
    const [document] = outcome.kind === 'found' ? await outcome.exchange.documents() : [];
    found.push((document as { event?: { id?: string } } | undefined)?.event?.id === rig.idOf(number));
  }
  await reader.close();
  return found;
}

/** What of the archive can be read, and is proven. */
async function readable(rig: RetentionRig, ...numbers: number[]): Promise<boolean[]> {
  const reader = readerOf(rig, 'exchanges');
  const found: boolean[] = [];
  for (const number of numbers) {
    const outcome = await reader.read(rig.idOf(number));
    if (outcome.kind === 'found') for await (const _record of outcome.exchange.records());
    found.push(outcome.kind === 'found');
  }
  await reader.close();
  return found;
}

test('a hold keeps its records in every store and nothing else of their days, and is shown, until it is released', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record(
    { number: 1, atMs: noon(0), person: ada },
    { number: 2, atMs: noon(0), person: eve },
    { number: 3, atMs: noon(4), person: eve },
  );
  await rig.archive.close();
  const { id } = await rig.parts.holds.add({ person: ada }, 'ops', 'a case');
  rig.nowMs = noon(40);
  const plan = await rig.plan();
  assert.deepEqual(
    plan.kept.map(({ store, day, items, why, holds }) => [store, day, items, why, ...holds]),
    ['reveal', 'index'].map((store) => [store, first, store === 'reveal' ? 2 : 1, 'held', id]),
  );
  const around = plan.steps.filter(({ holds }) => holds?.includes(id));
  assert.deepEqual(
    around.map(({ store, action, day, items }) => [store, action, day, items]),
    [
      ['archive', 'move', first, 1],
      ['index', 'reduce', first, 1],
    ],
  );
  const receipt = await rig.sweep();
  assert.deepEqual([receipt.kept, receipt.toDo], [plan.kept, []]);
  const moved = receipt.done.find(({ action }) => action === 'move');
  assert.deepEqual([moved?.items, moved?.held?.exchanges], [1, 1]);
  assert.deepEqual([await rig.families(), await rig.heldFamilies()], [[], [`standard ${first}`]]);
  assert.deepEqual(await readable(rig, 1, 2, 3), [true, false, false]);
  assert.deepEqual(
    (await rig.indexDays()).map(({ day, withContent }) => [day, withContent]),
    [
      [first, 1],
      ['2026-01-05', 0],
    ],
  );
  const verified = await rig.verify();
  assert.deepEqual([verified.findings, verified.counts.held], [[], 1]);
  // An index that was lost takes none of it back; nor does a sweep find anything new to do.
  await rig.reopen();
  rig.indexAway = 'it is away';
  assert.deepEqual(
    (await rig.sweep()).kept.map(({ store, why }) => [store, why]),
    [
      ['held', 'held'],
      ['reveal', 'held'],
    ],
  );
  rig.indexAway = null;
  assert.deepEqual((await rig.sweep()).done, []);
  assert.equal((await rig.erase(ada)).outcome, 'refused');
  await rig.parts.holds.release(id, 'ops', 'the case is over');
  rig.nowMs += 1;
  await rig.sweep();
  assert.deepEqual([await rig.heldFamilies(), rig.revealDays()], [[], []]);
  assert.deepEqual(await readable(rig, 1, 2, 3), [false, false, false]);
  assert.deepEqual(
    (await rig.indexDays()).map(({ withContent }) => withContent),
    [0, 0],
  );
  assert.deepEqual((await rig.verify()).findings, []);
});

test('of values behind tokens a hold keeps those of the sessions that it covers, and all where nobody can say', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record(
    { number: 1, atMs: noon(0), session: 'held' },
    { number: 2, atMs: noon(0), session: 'other', person: eve },
    { number: 3, atMs: noon(0), session: 'other', person: eve },
    { number: 4, atMs: noon(1), session: 'other', person: eve },
    { number: 5, atMs: noon(1), session: 'unknown', person: eve },
  );
  await rig.archive.close();
  const values = () => rig.revealDays().map(({ day, values: count }) => [day, count]);
  const { id } = await rig.parts.holds.add({ person: ada }, 'ops', 'a case');
  await rig.parts.holds.add({ fromMs: noon(1) - 60_000, toMs: noon(1) + 60_000 }, 'ops', 'that hour');
  rig.nowMs = noon(40);
  rig.indexAway = 'connection refused';
  await rig.sweep();
  assert.deepEqual(values(), [
    [first, 3],
    [second, 2],
  ]);
  await rig.reopen();
  rig.indexAway = null;
  const { kept, done } = await rig.sweep();
  const ofValues = <T extends { store: string; day: string; items: number }>(all: readonly T[]) =>
    all.filter(({ store }) => store === 'reveal').map(({ day, items }) => [day, items]);
  // The session `other` has an exchange within that hour, so what was sealed for it before stays too.
  assert.deepEqual(
    [ofValues(done), ofValues(kept)],
    [
      [],
      [
        [first, 3],
        [second, 2],
      ],
    ],
  );
  const [byTime] = rig.parts.holds.inForce().filter(({ scope }) => scope.fromMs !== undefined);
  await rig.parts.holds.release(byTime?.id ?? '', 'ops', 'it is over');
  const after = await rig.sweep();
  assert.deepEqual(
    [ofValues(after.done), ofValues(after.kept)],
    [
      [
        [first, 2],
        [second, 2],
      ],
      [[first, 1]],
    ],
  );
  assert.deepEqual(values(), [[first, 1]]);
  assert.deepEqual(ofValues((await rig.sweep()).done), [], 'nothing is done twice');
  await rig.parts.holds.release(id, 'ops', 'it is over');
  await rig.sweep();
  assert.deepEqual(values(), []);
});

test('values of a session of which the index has nothing of that time stay with a day of a hold', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record({ number: 1, atMs: noon(0), session: 'held' }, { number: 2, atMs: noon(0), session: 'lost' });
  await rig.record({ number: 3, atMs: noon(9), session: 'lost' }, { number: 4, atMs: noon(0), session: 'free' });
  await rig.archive.close();
  new DatabaseSync(indexFile(rig.dataDirectory)).exec(`delete from exchanges where id = '${rig.idOf(2)}'`);
  await rig.parts.holds.add({ session: 'held' }, 'ops', 'a case');
  rig.nowMs = noon(33);
  await rig.sweep();
  const sessions = RevealRetention.open(rig.dataDirectory);
  t.after(() => sessions.close());
  const of = { retentionClass: 'standard', day: first };
  assert.deepEqual(
    sessions
      .sessions(of)
      .map(({ session }) => session)
      .sort(),
    ['held', 'lost'],
  );
});

test('values of a day whose documents go in the same sweep are judged while the index can say of them', async (t) => {
  const classes = { equal: { contentDays: 20, metadataDays: 20 } };
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem(), classes });
  const retentionClass = 'equal';
  await rig.record({ number: 1, atMs: noon(0), session: 'held', retentionClass });
  await rig.record({ number: 2, atMs: noon(0), session: 'free', retentionClass, person: eve });
  await rig.archive.close();
  await rig.parts.holds.add({ session: 'held' }, 'ops', 'a case');
  rig.nowMs = noon(33);
  const { toDo } = await rig.sweep();
  assert.deepEqual([toDo, rig.revealDays().map(({ values }) => values)], [[], [1]]);
});

test('a sweep behind a release that finds an index without the day does not count: the next one looks through it', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record({ number: 1, atMs: noon(0), session: 'one' }, { number: 2, atMs: noon(0), session: 'two' });
  await rig.archive.close();
  const one = await rig.parts.holds.add({ session: 'one' }, 'ops', 'a case');
  await rig.parts.holds.add({ session: 'two' }, 'ops', 'another case');
  rig.nowMs = noon(40);
  await rig.sweep();
  rig.nowMs += 1;
  await rig.parts.holds.release(one.id, 'ops', 'it is over');
  rig.nowMs += 1;
  const openIndex = rig.parts.openIndex;
  // As an index that was emptied and is being made anew.
  rig.parts.openIndex = async () => {
    const index = await openIndex();
    index.days = async () => [];
    index.matchingDays = async () => [];
    return index;
  };
  await rig.sweep();
  assert.deepEqual(await readable(rig, 1, 2), [true, true]);
  await rig.reopen();
  rig.nowMs += 1;
  await rig.sweep();
  assert.deepEqual(await readable(rig, 1, 2), [false, true]);
});

test('what the index cannot say of is held: a record that it refused stays with the day of a held one', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record({ number: 1, atMs: noon(0), session: 'held' }, { number: 2, atMs: noon(0), session: 'other' });
  await rig.record({ number: 3, atMs: noon(0), isRefusedByIndex: true });
  await rig.archive.close();
  await rig.parts.holds.add({ session: 'held' }, 'ops', 'a case');
  rig.nowMs = noon(40);
  await rig.sweep();
  assert.deepEqual(await readable(rig, 1, 2, 3), [true, false, true]);
});

test('of two holds on one day each keeps its own: a release lets go what no other covers', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record(
    { number: 1, atMs: noon(0), session: 'one' },
    { number: 2, atMs: noon(0), session: 'two', person: eve },
    { number: 3, atMs: noon(1), session: 'three', person: eve },
  );
  await rig.archive.close();
  const one = await rig.parts.holds.add({ session: 'one' }, 'ops', 'a case');
  await rig.parts.holds.add({ fromMs: noon(0) - 1, toMs: noon(0) + 60_000 }, 'ops', 'that hour');
  await rig.parts.holds.add({ session: 'two' }, 'ops', 'another case');
  rig.nowMs = noon(40);
  await rig.sweep();
  assert.deepEqual(await readable(rig, 1, 2, 3), [true, true, false]);
  const [byTime] = rig.parts.holds.inForce().filter(({ scope }) => scope.fromMs !== undefined);
  rig.nowMs += 1;
  await rig.parts.holds.release(byTime?.id ?? '', 'ops', 'it is over');
  await rig.parts.holds.release(one.id, 'ops', 'it is over');
  rig.nowMs += 1;
  const { done, toDo } = await rig.sweep();
  assert.deepEqual(toDo, []);
  assert.deepEqual(
    done.filter(({ store }) => store === 'held').map(({ action, items, held }) => [action, items, held?.exchanges]),
    [['reduce', 1, 1]],
  );
  assert.deepEqual(await readable(rig, 1, 2, 3), [false, true, false]);
  assert.deepEqual((await rig.verify()).findings, []);
});

test('what a hold let go of goes also when the first sweep behind its release could not look through it', async (t) => {
  for (const broken of ['the index is away', 'a disk fails', 'killed'] as const) {
    const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
    await rig.record({ number: 1, atMs: noon(0), session: 'one' }, { number: 2, atMs: noon(0), session: 'two' });
    await rig.archive.close();
    const one = await rig.parts.holds.add({ session: 'one' }, 'ops', 'a case');
    await rig.parts.holds.add({ session: 'two' }, 'ops', 'another case');
    rig.nowMs = noon(40);
    await rig.sweep();
    rig.nowMs += 1;
    await rig.parts.holds.release(one.id, 'ops', 'it is over');
    rig.nowMs += 1;
    const { archive, receipts } = rig.parts;
    const append = receipts.append.bind(receipts);
    if (broken === 'the index is away') rig.indexAway = 'connection refused';
    else archive.thin = async () => Promise.reject(new Error('EIO'));
    if (broken === 'killed')
      receipts.append = async (event) => {
        if (event.kind === 'sweep_ended') throw new Error('killed');
        return append(event);
      };
    if (broken === 'killed') await assert.rejects(rig.sweep(), /killed/);
    else await rig.sweep();
    rig.indexAway = null;
    await rig.reopen();
    rig.nowMs += 1;
    await rig.sweep();
    assert.deepEqual(await readable(rig, 1, 2), [false, true], broken);
  }
});

test('an index that is away delays what it has, keeps nothing else back, and is caught up by the next sweep', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record({ number: 1, atMs: noon(0) });
  await rig.archive.close();
  rig.nowMs = noon(40);
  rig.indexAway = 'connection refused';
  const away = await rig.sweep();
  assert.deepEqual(away.away, { index: 'connection refused' });
  assert.deepEqual(
    away.done.map(({ store }) => store),
    ['archive', 'reveal'],
  );
  await rig.reopen();
  rig.indexAway = null;
  const caughtUp = await rig.sweep();
  assert.deepEqual(
    caughtUp.done.map(({ store, action, items }) => [store, action, items]),
    [['index', 'reduce', 1]],
  );
});

test('a sweep that was killed anywhere is finished by the next one, and shows in the receipts', async (t) => {
  for (let passing = 0; passing < 8; passing += 1) {
    const isMetadataDue = passing >= 3;
    const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
    await rig.record({ number: 1, atMs: noon(0) }, { number: 2, atMs: noon(1), retentionClass: 'other' });
    await rig.archive.close();
    rig.nowMs = noon(isMetadataDue ? 400 : 40);
    const { archive, receipts } = rig.parts;
    let left = isMetadataDue ? passing - 3 : passing;
    const killed = () => {
      left -= 1;
      // Whatever is asked for after it fails too, as in a process that is not there any more.
      return left < 0;
    };
    const append = receipts.append.bind(receipts);
    receipts.append = async (event) => {
      if (event.kind === 'sweep_ended') throw new Error('killed');
      return append(event);
    };
    rig.parts = {
      ...rig.parts,
      archive: {
        families: () => archive.families(),
        heldFamilies: () => archive.heldFamilies(),
        thin: async () => Promise.reject(new Error('no hold is here')),
        delete: async (...of) => (killed() ? Promise.reject(new Error('killed')) : archive.delete(...of)),
      },
    };
    await assert.rejects(rig.sweep(), /killed/);
    await rig.reopen();
    const receipt = await rig.sweep();
    assert.deepEqual(receipt.toDo, []);
    assert.deepEqual(await rig.families(), []);
    assert.equal((await rig.metadataFamilies()).length, isMetadataDue ? 0 : 2);
    assert.deepEqual(
      (await rig.indexDays()).map(({ withContent }) => withContent),
      isMetadataDue ? [] : [0, 0],
    );
    assert.deepEqual(
      rig.parts.receipts.list().map(({ kind }) => kind),
      ['sweep_begun', 'sweep_begun', 'sweep_ended'],
    );
    assert.deepEqual((await rig.verify()).findings, []);
  }
});

test('what is written still, or damaged, stays: the receipt says so and the others go', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: nodeFileSystem });
  await rig.record({ number: 1, atMs: noon(0) }, { number: 2, atMs: noon(1) });
  rig.nowMs = noon(40);
  const { toDo } = await rig.sweep();
  assert.deepEqual(
    toDo.map(({ store, day }) => [store, day]),
    [['archive', second]],
  );
  assert.match(toDo[0]?.reason ?? '', /is not ended yet/);
  assert.deepEqual(await rig.families(), [`standard ${second}`]);
  // The running writer ends it by itself when its day is over.
  await rig.archive.idle();
  const path = join(rig.archiveDirectory, rig.key.writer, 'standard', second, '00000002.segment');
  const whole = readFileSync(path);
  const damaged = Buffer.from(whole);
  const middle = Math.floor(whole.length / 2);
  damaged.writeUInt8(damaged.readUInt8(middle) ^ 1, middle);
  writeFileSync(path, damaged);
  assert.match((await rig.sweep()).toDo[0]?.reason ?? '', /damaged/);
  writeFileSync(path, whole);
  assert.deepEqual((await rig.sweep()).toDo, []);
  await rig.record({ number: 3, atMs: noon(40) });
  await rig.archive.close();
  assert.deepEqual((await rig.verify()).findings, []);
  const [last = ''] = readFileSync(join(rig.archiveDirectory, rig.key.writer, 'checkpoints.signed'), 'utf8')
    .trim()
    .split('\n')
    .slice(-1);
  assert.equal(JSON.parse(last.split('\t')[0] ?? '').tombstones.count, 2, 'the writer signs what retention deleted');
});

test('metadata that a hold covers outlives its days by itself, and goes with the hold', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record(
    { number: 1, atMs: noon(0), person: ada },
    { number: 2, atMs: noon(0), person: eve },
    { number: 3, atMs: noon(4), person: eve },
  );
  await rig.archive.close();
  rig.nowMs = noon(40);
  await rig.sweep();
  assert.deepEqual(await metadataOf(rig, 1, 2, 3), [true, true, true]);
  const { id } = await rig.parts.holds.add({ person: ada }, 'ops', 'a case');
  // The day of the first is due, and that of the third is not yet.
  rig.nowMs = noon(368);
  const { done } = await rig.sweep();
  assert.deepEqual(
    done.map(({ store, action, day, items, held }) => [store, action, day, items, held?.exchanges]),
    [
      ['metadata', 'move', first, 1, 1],
      ['index', 'delete', first, 1, undefined],
    ],
  );
  assert.deepEqual(
    [await rig.metadataFamilies(), await rig.heldMetadataFamilies()],
    [[`standard ${'2026-01-05'}`], [`standard ${first}`]],
  );
  assert.deepEqual(await metadataOf(rig, 1, 2, 3), [true, false, true]);
  const held = await rig.verify();
  assert.deepEqual([held.findings, held.counts.metadata, held.counts.held], [[], 2, 0]);
  // Neither a day later nor with an index that was lost anything of it goes.
  rig.nowMs = noon(369);
  assert.deepEqual((await rig.sweep()).done, []);
  rig.indexAway = 'it is away';
  await rig.sweep();
  rig.indexAway = null;
  assert.deepEqual(await metadataOf(rig, 1, 2, 3), [true, false, true]);
  await rig.parts.holds.release(id, 'ops', 'the case is over');
  rig.nowMs += 1;
  const { sums } = await rig.sweep();
  assert.deepEqual(sums.held_metadata?.items, 1);
  assert.deepEqual(await metadataOf(rig, 1, 2, 3), [false, false, true]);
  assert.deepEqual((await rig.verify()).findings, []);
});

test('what ended after midnight beside a held record goes when its metadata is due, not when the hold is over', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record(
    { number: 1, atMs: startMs + dayMs - 500, person: eve },
    { number: 2, atMs: noon(1), person: ada },
    { number: 3, atMs: noon(2), person: eve },
  );
  await rig.archive.close();
  const families = await rig.metadataFamilies();
  assert.deepEqual(families, [`standard ${second}`, 'standard 2026-01-03'], 'the first ended on the second day');
  await rig.parts.holds.add({ person: ada }, 'ops', 'a case');
  for (let number = 364; number < 372; number += 1) {
    rig.nowMs = noon(number);
    await rig.sweep();
  }
  assert.deepEqual(await metadataOf(rig, 1, 2, 3), [false, true, false]);
  assert.deepEqual(
    (await rig.indexDays()).map(({ day, documents }) => [day, documents]),
    [[second, 1]],
    'the documents that said so went too',
  );
  assert.deepEqual((await rig.verify()).findings, []);
});

test('for want of room content goes before its time, and no metadata', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  await rig.record({ number: 1, atMs: noon(0) }, { number: 2, atMs: noon(1) });
  await rig.archive.close();
  rig.nowMs = noon(12);
  rig.disk = { sizeBytes: 1_000_000, usedBytes: 999_999 };
  const { done } = await rig.sweep();
  assert.deepEqual([...new Set(done.map(({ because }) => because))], ['disk_budget']);
  assert.deepEqual([await rig.families(), (await rig.metadataFamilies()).length], [[], 2]);
  assert.deepEqual(await metadataOf(rig, 1, 2), [true, true]);
});

test('the disk fails at any sync of a sweep and the power with it: the next one finishes it, and nothing held is lost', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let isReached = true;
  for (let passing = 0; isReached; passing += 1) {
    const disk = new FakeFileSystem();
    const rig = await RetentionRig.open(t, { startMs, fileSystem: disk });
    await rig.record(
      { number: 1, atMs: noon(0), person: ada },
      { number: 2, atMs: noon(0), person: eve },
      { number: 3, atMs: noon(1), person: eve },
      { number: 4, atMs: noon(390), person: eve },
    );
    await rig.archive.close();
    await rig.parts.holds.add({ person: ada }, 'ops', 'a case');
    rig.nowMs = noon(400);
    disk.failNextSync('EIO', passing);
    const receipt = await rig.sweep().catch(() => null);
    isReached = receipt === null || receipt.toDo.length > 0;
    const random = seededRandom(seed + passing);
    disk.crash(random() < 0.5 ? undefined : random);
    const at = `seed ${seed}, sync ${passing}`;
    assert.deepEqual((await rig.verify()).findings, [], at);
    assert.equal((await metadataOf(rig, 1))[0], true, at);
    await rig.reopen();
    assert.deepEqual((await rig.sweep()).toDo, [], at);
    assert.deepEqual(await metadataOf(rig, 1, 2, 3, 4), [true, false, false, true], at);
    assert.deepEqual(await readable(rig, 1, 2, 3, 4), [true, false, false, true], at);
    assert.deepEqual(
      [await rig.heldFamilies(), await rig.heldMetadataFamilies()],
      [[`standard ${first}`], [`standard ${first}`]],
      at,
    );
    const { findings, notes } = await rig.verify();
    assert.deepEqual([findings, new Set(notes.map(({ kind }) => kind))], [[], new Set(['expired'])], at);
    if (isReached) assert.ok(passing < 200);
    else assert.ok(passing > 10, 'too few syncs were made to fail');
  }
});

test('holds or receipts that somebody changed stop everything: nobody can say what is held', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: nodeFileSystem });
  await rig.parts.holds.add({ session: 'one' }, 'ops', 'a case');
  await rig.parts.holds.add({ session: 'two' }, 'ops', 'a case');
  const path = join(rig.dataDirectory, 'retention', 'holds.signed');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace('"two"', '"owt"'));
  await assert.rejects(rig.reopen(), /line 2 of .*holds\.signed is not as it was written/);
  writeFileSync(path, text.split('\n').slice(1).join('\n'));
  await assert.rejects(rig.reopen(), /line 1 of/);
  writeFileSync(path, text);
  appendFileSync(path, 'half a li');
  await rig.reopen();
  assert.deepEqual(
    rig.parts.holds.inForce().map(({ scope }) => scope.session),
    ['one', 'two'],
  );
  await rig.parts.holds.add({ session: 'three' }, asked.by, asked.reason);
  await rig.reopen();
  assert.equal(rig.parts.holds.inForce().length, 3);
});
