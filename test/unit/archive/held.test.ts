import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { FRAME_HEAD_BYTES, finishFrameHead } from '../../../extproc/archive/format.ts';
import { checkProof, proofOf } from '../../../extproc/archive/proof.ts';
import { Retirement } from '../../../extproc/archive/retire.ts';
import { lineHash, signedLine } from '../../../extproc/archive/signing.ts';
import { verifyArchive } from '../../../extproc/archive/verify.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { ada, archiveOn, collected, day, directory, eve, exchangeIdOf, exchangeOf, readBack } from './rig.ts';

const family = { retentionClass: 'standard', day: '2026-11-29' };
const dayMs = 86_400_000;

/** What is said again in each request, so that the later ones refer to the earlier. */
const said = `{"messages":[${'{"role":"user","content":"the same words in each request, again and again"},'.repeat(200)}`;
const told = (number: number, more: object = {}) =>
  exchangeOf(number, { request: [Buffer.from(`${said}{"content":"number ${number}"}]}`)], ...more });

/** Three segments of one day, in which two persons speak by turns. */
async function filled(overrides: object = {}) {
  const disk = new FakeFileSystem();
  const outside: string[] = [];
  const sinks = [{ name: 'outside', deliver: async (line: string) => void outside.push(line) }];
  const rig = archiveOn(disk, { segmentMaxBytes: 3_000, sinks, ...overrides });
  const exchanges = Array.from({ length: 18 }, (_, at) => told(at + 1, { person: at % 2 === 0 ? ada : eve }));
  const archive = rig.open();
  for (const exchange of exchanges) await archive.archive([exchange]);
  await archive.close();
  const retirement = (fileSystem = disk) =>
    new Retirement({
      ...{ directory, fileSystem, key: rig.key, nowMs: () => day + 40 * dayMs },
      ownerOf: (sealed) => Buffer.from(sealed.subarray(0, 16)).toString('hex'),
    });
  const verify = () =>
    verifyArchive({
      ...{ directory, fileSystem: disk, publicKeys: [rig.key.publicKey] },
      outside: new Map([['outside', outside.join('\n')]]),
    });
  return { ...rig, disk, exchanges, retirement, verify, archive };
}

const heldOnly = (...numbers: number[]) => {
  const ids = new Set(numbers.map((number) => exchangeIdOf(number, day - 1_000)));
  return async (all: readonly string[]) => new Set(all.filter((id) => ids.has(id)));
};

test('what is held outlives its day in a family of its own: read, listed and proven as before, and nothing else is', async () => {
  const { disk, reader, retirement, verify, exchanges, key, writerDirectory } = await filled();
  assert.ok(disk.paths().filter((path) => path.endsWith('.segment')).length >= 3);
  const { held, exchanges: gone } = await retirement().thin(family, heldOnly(7, 12), 'retention');
  assert.deepEqual([held.exchanges, gone], [2, 16]);
  assert.deepEqual(
    disk.paths().filter((path) => path.endsWith('.segment')),
    [],
  );
  const after = reader();
  for (const number of [7, 12]) {
    const exchange = exchanges[number - 1];
    assert.ok(exchange !== undefined);
    const back = await readBack(after, exchange.exchangeId);
    assert.deepEqual([back.payloads, back.documents], [exchange.payloads, exchange.documents]);
    const proof = await proofOf(directory, disk, exchange.exchangeId, () => key.publicKey);
    assert.equal(checkProof(JSON.stringify(proof), key.publicKey).kind, 'proven');
  }
  assert.equal(
    (await after.read(exchanges[4]?.exchangeId ?? '')).kind,
    'absent',
    'it came along only to be referred to',
  );
  const listed = await collected(after.exchanges());
  assert.deepEqual(
    listed.map((one) => one.kind === 'found' && one.exchange.exchangeId).sort(),
    [7, 12].map((number) => exchanges[number - 1]?.exchangeId),
  );
  assert.deepEqual(await after.chains(), [{ writer: key.writer, retentionClass: 'standard' }]);
  await after.close();
  const { findings, notes, counts } = await verify();
  assert.deepEqual([findings, counts.held], [[], 2]);
  assert.ok(notes.every(({ kind }) => kind === 'expired'));
  assert.ok(notes.some(({ reason }) => reason.includes('of which 1 are kept by a hold')));
  assert.ok(disk.paths().some((path) => path.startsWith(`${writerDirectory}/held.records/standard/2026-11-29/`)));
});

test('only frames of the person of a held record come along, and none behind the last of them', async () => {
  const { disk, retirement, exchanges } = await filled({ segmentMaxBytes: 1024 * 1024 });
  await retirement().thin(family, heldOnly(7), 'retention');
  const all = Buffer.concat(
    disk
      .paths()
      .filter((path) => path.endsWith('.held'))
      .map((path) => disk.bytesOf(path)),
  );
  const isThere = (number: number) =>
    all.includes(Buffer.from((exchanges[number - 1]?.exchangeId ?? '').replaceAll('-', ''), 'hex'));
  assert.deepEqual([1, 3, 5, 7].map(isThere), [true, true, true, true]);
  assert.deepEqual([2, 4, 6, 8, 9, 11, 17].map(isThere), Array(7).fill(false));
});

test('when a hold ends, the next sweep takes what it alone kept, and at last nothing is left but tombstones', async () => {
  const { disk, reader, retirement, verify, exchanges } = await filled();
  await retirement().thin(family, heldOnly(7, 12), 'retention');
  const again = await retirement().thin(family, heldOnly(7, 12), 'retention');
  assert.deepEqual([again.exchanges, again.bytes, again.held.exchanges], [0, 0, 2], 'what is done is found done');
  const less = await retirement().thin(family, heldOnly(12), 'a hold ended');
  assert.deepEqual([less.exchanges, less.held.exchanges], [1, 1]);
  const after = reader();
  assert.equal((await after.read(exchanges[6]?.exchangeId ?? '')).kind, 'absent');
  assert.deepEqual((await readBack(after, exchanges[11]?.exchangeId ?? '')).payloads, exchanges[11]?.payloads);
  await after.close();
  // What came along to be referred to went lawfully: a later hold does not bring it back as a record.
  const wider = await retirement().thin(family, heldOnly(8, 12), 'another hold');
  assert.equal(wider.held.exchanges, 1);
  assert.deepEqual(
    (await retirement().heldFamilies()).map(({ day: of }) => of),
    [family.day],
  );
  await retirement().thin(family, heldOnly(), 'the last hold ended');
  assert.deepEqual(await retirement().heldFamilies(), []);
  assert.deepEqual(
    disk.paths().filter((path) => path.includes('held.records')),
    [],
  );
  const { findings, counts } = await verify();
  assert.deepEqual([findings, counts.held], [[], 0]);
});

test('the writer goes on behind a family that was thinned out, and its next checkpoint counts the tombstones', async () => {
  const { open, retirement, verify, reader } = await filled();
  await retirement().thin(family, heldOnly(7), 'retention');
  const archive = open();
  const late = told(50, { finishedMs: day + 3 * dayMs });
  await archive.archive([late]);
  await archive.close();
  const { findings, counts } = await verify();
  assert.deepEqual([findings, counts.exchanges, counts.held], [[], 1, 1]);
  const after = reader();
  assert.deepEqual((await readBack(after, late.exchangeId)).payloads, late.payloads);
  await after.close();
});

test('whoever has the signing key afterwards cannot change what was signed before: the root that outside has contradicts', async () => {
  const { disk, retirement, verify, key, writerDirectory } = await filled();
  await retirement().thin(family, heldOnly(7), 'retention');
  const path = disk.paths().findLast((one) => one.endsWith('.held')) ?? '';
  const bytes = disk.bytesOf(path);
  // The last byte of the last frame, and its checksum.
  const frameAt = bytes.lastIndexOf('SKAX');
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  const head = bytes.subarray(frameAt, frameAt + FRAME_HEAD_BYTES);
  finishFrameHead(head, [bytes.subarray(frameAt + FRAME_HEAD_BYTES)]);
  disk.plant(path, bytes);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const segment = Number(/(\d{8})\.1\.held$/.exec(path)?.[1]);
  const stones = `${writerDirectory}/tombstones.signed`;
  let previous: string | null = null;
  const lines = disk.bytesOf(stones).toString().trimEnd().split('\n');
  const forged = lines.map((line) => {
    const stone = JSON.parse(line.split('\t')[0] ?? '');
    if (stone.segment === segment) stone.held.hash = hash;
    const signed = signedLine('tombstone', { ...stone, previous }, key);
    previous = lineHash(signed);
    return signed;
  });
  disk.plant(stones, Buffer.from(forged.join('')));
  const { findings } = await verify();
  assert.deepEqual(
    findings.map(({ kind, file, exchangeId }) => [kind, `${directory}/${file}`, exchangeId]),
    [['edited', path, exchangeIdOf(7, day - 1_000)]],
  );
});

test('held records whose tombstone cannot be read any more are left as they are', async () => {
  const { disk, retirement, writerDirectory } = await filled();
  await retirement().thin(family, heldOnly(7, 12), 'retention');
  const stones = `${writerDirectory}/tombstones`;
  const name = disk.paths().find((path) => path.startsWith(stones));
  assert.ok(name !== undefined);
  const lines = disk.bytesOf(name).toString().trimEnd().split('\n');
  const held = () => disk.paths().filter((path) => path.endsWith('.held'));
  const before = held();
  assert.ok(before.length >= 2);
  // One line that says what is held has rotted.
  const at = lines.findIndex((line) => line.includes('"held"'));
  const rotten = lines.map((line, of) => (of === at ? line.replace('"held"', '"hold"') : line)).join('\n');
  await disk.truncate(name, 0);
  const file = await disk.openAppend(name);
  await file.writev([Buffer.from(`${rotten}\n`)]);
  await file.datasync();
  await file.close();
  await assert.rejects(retirement().thin(family, heldOnly(12), 'a hold ended'), { code: 'archive_corrupt' });
  assert.deepEqual(held(), before);
});

test('a tombstone that a full disk took in part spoils none that the same sweep writes after it', async () => {
  const { disk, retirement, verify } = await filled();
  const sweeping = retirement();
  disk.shortWrite(10);
  disk.failNextWrite('ENOSPC', 1);
  await assert.rejects(sweeping.delete(family, 'retention'), { code: 'ENOSPC' });
  await sweeping.delete(family, 'retention');
  assert.deepEqual(
    disk.paths().filter((path) => path.endsWith('.segment')),
    [],
  );
  assert.deepEqual((await verify()).findings, []);
});

test('whoever reads while retention takes a family away meets what is there still, and no fault', async () => {
  for (const held of [[], [13, 18]]) {
    const { reader, retirement, archive, ended } = await filled();
    const later = Array.from({ length: 4 }, (_, at) => ended(told(100 + at, { finishedMs: day + dayMs })));
    await archive.archive(later);
    await archive.close();
    for (const read of [
      () => reader().exchanges(),
      async function* () {
        const one = reader();
        for (const chain of await one.chains()) yield* one.chain(chain, null);
      },
    ]) {
      const found: string[] = [];
      for await (const outcome of read()) {
        assert.equal(outcome.kind, 'found');
        if (outcome.kind !== 'found') continue;
        const { exchangeId, at } = outcome.exchange;
        // What is open stays readable; what it refers to may be gone with it.
        if (at.day !== family.day) await collected(outcome.exchange.records());
        found.push(exchangeId);
        if (found.length === 1) await retirement().thin(family, heldOnly(...held), 'retention');
      }
      const ids = later.map(({ exchangeId }) => exchangeId);
      assert.deepEqual(
        found.filter((id) => ids.includes(id)),
        ids,
      );
      for (const number of held) assert.ok(found.includes(exchangeIdOf(number, day - 1_000)), String(number));
      assert.ok(found.length < 18 + 4);
    }
    for (const number of [2, 17]) assert.equal((await reader().read(exchangeIdOf(number, day - 1_000))).kind, 'absent');
  }
});
