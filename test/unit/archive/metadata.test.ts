import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSegmentHeader, encodeSegmentHeader } from '../../../extproc/archive/format.ts';
import { checkProof, proofOf } from '../../../extproc/archive/proof.ts';
import type { ArchiveReader } from '../../../extproc/archive/reader.ts';
import { Retirement } from '../../../extproc/archive/retire.ts';
import { verifyArchive } from '../../../extproc/archive/verify.ts';
import { FakeFileSystem, seededRandom } from '../../fakes/file-system.ts';
import {
  ada,
  archiveOn,
  collected,
  day,
  directory,
  eve,
  exchangeIdOf,
  exchangeOf,
  readBack,
  type Told,
} from './rig.ts';

const family = { retentionClass: 'standard', day: '2026-11-29' };
const ofMetadata = { ...family, retentionClass: 'standard.metadata' };
const dayMs = 86_400_000;

const left = (number: number) => [{ event: { id: exchangeIdOf(number, day - 1_000) }, words: '' }];
const told = (number: number, more: Told = {}) => exchangeOf(number, { metadata: left(number), ...more });

const metadataIn = async (reader: ArchiveReader, number: number) =>
  (await readBack(reader, exchangeIdOf(number, day - 1_000))).documents;

test('metadata outlives the exchange: read and proven when the content is gone, until a deletion of its own', async () => {
  const disk = new FakeFileSystem();
  const { open, reader, key } = archiveOn(disk);
  const archive = open();
  const exchanges = [told(1), told(2, { person: eve }), told(3)];
  await archive.archive(exchanges);
  await archive.close();
  const verified = () =>
    verifyArchive({ directory, fileSystem: disk, publicKeys: [key.publicKey], outside: new Map() });
  const counted = async () => {
    const { findings, notes, counts } = await verified();
    return [findings, notes.map(({ kind }) => kind), counts.exchanges, counts.metadata];
  };
  assert.deepEqual(await counted(), [[], [], 3, 3]);
  const proofNow = async () =>
    checkProof(
      JSON.stringify(await proofOf(directory, disk, exchangeIdOf(2, day - 1_000), () => key.publicKey)),
      key.publicKey,
    );
  const before = await proofNow();
  assert.equal(before.kind === 'proven' && before.of, 'exchange');

  const retirement = new Retirement({ directory, fileSystem: disk, key, ownerOf: () => '', nowMs: () => day });
  await retirement.delete(family, 'retention');
  for (const number of [1, 2, 3]) assert.deepEqual(await metadataIn(reader('metadata'), number), left(number));
  for (const { exchangeId } of exchanges) assert.deepEqual(await reader().read(exchangeId), { kind: 'absent' });
  assert.deepEqual(await reader().chains(), []);
  const after = await proofNow();
  assert.deepEqual(after.kind === 'proven' && [after.of, after.retentionClass], ['metadata', 'standard']);
  assert.deepEqual(await counted(), [[], ['expired'], 0, 3]);

  await retirement.delete(ofMetadata, 'retention');
  assert.deepEqual(await counted(), [[], ['expired', 'expired'], 0, 0]);
});

test('whoever reads exchanges meets no metadata, and the other way round', async () => {
  const { open, reader } = archiveOn(new FakeFileSystem());
  const archive = open();
  await archive.archive([told(1), told(2)]);
  await archive.close();
  const documents = async (of: 'exchanges' | 'metadata') => {
    const all: unknown[] = [];
    for (const one of await collected(reader(of).exchanges()))
      all.push(one.kind === 'found' && (await one.exchange.documents()));
    return all;
  };
  assert.deepEqual(await documents('metadata'), [left(1), left(2)]);
  assert.deepEqual(await documents('exchanges'), [told(1).documents, told(2).documents]);
});

test('of what nothing is left nothing stands there', async () => {
  const disk = new FakeFileSystem();
  const { open } = archiveOn(disk);
  const archive = open();
  await archive.archive([exchangeOf(1, { metadata: null })]);
  await archive.close();
  assert.ok(!disk.paths().some((path) => path.includes('.metadata')));
});

test('no word of metadata stands readable in any file', async () => {
  const disk = new FakeFileSystem();
  const { open } = archiveOn(disk);
  const archive = open();
  await archive.archive([told(1, { metadata: [{ user: { name: 'MARKER-IN-METADATA' } }] })]);
  await archive.close();
  for (const path of disk.paths()) assert.ok(!disk.bytesOf(path).includes('MARKER'), path);
});

test('the metadata of a person who was erased cannot be read, and a person who comes back begins anew', async () => {
  const { open, reader, keys } = archiveOn(new FakeFileSystem());
  const archive = open();
  await archive.archive([told(1), told(2, { person: eve })]);
  keys.erase(ada, 'standard');
  await archive.archive([told(3)]);
  await archive.close();
  const metadata = reader('metadata');
  assert.equal((await metadata.read(exchangeIdOf(1, day - 1_000))).kind, 'unopened');
  for (const number of [2, 3]) assert.deepEqual(await metadataIn(metadata, number), left(number));
});

test('also where its exchange was there already, metadata is not sealed to a key that was erased', async () => {
  const disk = new FakeFileSystem();
  const rig = archiveOn(disk);
  // As a version wrote it that kept no metadata.
  await rig.open().archive([exchangeOf(1), exchangeOf(2)]);
  disk.kill();
  const archive = rig.open();
  await archive.archive([told(1)]);
  rig.keys.erase(ada, 'standard');
  await archive.archive([told(2)]);
  await archive.close();
  assert.equal((await collected(rig.reader().exchanges())).length, 2);
  assert.deepEqual(await metadataIn(rig.reader('metadata'), 2), left(2));
});

test('whatever ends the process at whatever moment: each exchange is there once, and so is its metadata', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < 40; round += 1) {
    const random = seededRandom(seed + round);
    const disk = new FakeFileSystem();
    const rig = archiveOn(disk, { segmentMaxBytes: 1_500 + Math.floor(random() * 6_000) });
    const exchanges = Array.from({ length: 12 }, (_, at) => {
      const finishedMs = day + (at > 7 ? dayMs : 0);
      const retentionClass = random() < 0.3 ? 'long' : 'standard';
      return exchangeOf(at + 1, { finishedMs, retentionClass, metadata: [{ number: at + 1 }] });
    });
    for (const exchange of exchanges) rig.ended(exchange);
    let archive = rig.open();
    for (let at = 0; at < exchanges.length; ) {
      const batch = exchanges.slice(at, at + 1 + Math.floor(random() * 4));
      if (random() < 0.3) disk.failNextSync('EIO', Math.floor(random() * 4));
      const isArchived = await archive.archive(batch).then(
        () => true,
        () => false,
      );
      const end = random();
      if (end < 0.3) disk.crash(random, true);
      else if (end < 0.4) disk.kill();
      if (end < 0.4) archive = rig.open();
      // What was not answered for, or whose answer nobody noted, comes again.
      if (isArchived && random() < 0.8) at += batch.length;
    }
    // Faults that did not come to pass yet may meet these.
    for (let attempt = 0; attempt < 5; attempt += 1) {
      try {
        await archive.archive(exchanges.slice(-4));
        await archive.close();
        break;
      } catch {
        archive = rig.open();
      }
    }
    for (const kind of ['exchanges', 'metadata'] as const) {
      const all = await collected(rig.reader(kind).exchanges());
      const ids = all.map((one) => (one.kind === 'found' ? one.exchange.exchangeId : one.kind));
      assert.deepEqual(
        ids.sort(),
        exchanges.map(({ exchangeId }) => exchangeId).sort(),
        `${kind}, seed ${seed + round}`,
      );
    }
    for (const [at, { exchangeId }] of exchanges.entries())
      assert.deepEqual((await readBack(rig.reader('metadata'), exchangeId)).documents, [{ number: at + 1 }]);
    const { findings } = await verifyArchive({ directory, fileSystem: disk, publicKeys: [], outside: new Map() });
    assert.deepEqual(findings, [], `seed ${seed + round}`);
  }
});

test('a header says by its version whether a segment has metadata, and is damaged where its chain says otherwise', () => {
  const header = {
    ...{ writer: '0'.repeat(16), day: '2026-11-29', sequence: 1, id: '0'.repeat(32), createdMs: day },
    ...{ previous: null, journals: [] },
  };
  const bytes = encodeSegmentHeader({ ...header, retentionClass: 'standard.metadata' });
  assert.equal(bytes.readUInt16LE(4), 2);
  assert.equal(decodeSegmentHeader(bytes).status, 'header');
  assert.equal(encodeSegmentHeader({ ...header, retentionClass: 'standard' }).readUInt16LE(4), 1);
  bytes.writeUInt16LE(1, 4);
  assert.equal(decodeSegmentHeader(bytes).status, 'damaged');
});
