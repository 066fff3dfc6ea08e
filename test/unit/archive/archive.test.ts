import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { ada, archiveOn, collected, day, eve, exchangeIdOf, exchangeOf, readBack } from './rig.ts';

test('an exchange comes back as the journal had it, byte for byte and with the time of each piece', async () => {
  const disk = new FakeFileSystem();
  const { open, reader } = archiveOn(disk);
  const one = exchangeOf(1, { answer: [Buffer.from('data: a\n'), Buffer.from('data: b\n'), randomBytes(5_000)] });
  const two = exchangeOf(2, { person: eve, changed: Buffer.from('changed') });
  const archive = open();
  await archive.archive([one, two]);
  const reading = reader();
  for (const exchange of [one, two]) {
    const { payloads, documents } = await readBack(reading, exchange.exchangeId);
    assert.deepEqual(payloads, exchange.payloads);
    assert.deepEqual(documents, exchange.documents);
  }
  await archive.close();
});

test('what was answered for is on disk: a power failure takes nothing of it', async () => {
  const disk = new FakeFileSystem();
  const { open, reader, ended } = archiveOn(disk);
  await open().archive([ended(exchangeOf(1)), ended(exchangeOf(2))]);
  disk.crash();
  await readBack(reader(), exchangeIdOf(2, day - 1_000));
  const again = open();
  await again.archive([exchangeOf(1), exchangeOf(2), ended(exchangeOf(3))]);
  const found = await collected(reader().exchanges());
  assert.equal(found.length, 3, 'each once, whatever is given again');
});

test('exchanges of one batch share a sync', async () => {
  const disk = new FakeFileSystem();
  const { open } = archiveOn(disk, { checkpointIntervalMs: 1e9 });
  const archive = open();
  await archive.archive([exchangeOf(1)]);
  const before = disk.counts.datasyncs;
  await archive.archive(Array.from({ length: 20 }, (_, at) => exchangeOf(at + 2)));
  assert.equal(disk.counts.datasyncs - before, 1);
});

test('a body larger than a frame is cut into blocks and comes back whole', async () => {
  const disk = new FakeFileSystem();
  const { open, reader } = archiveOn(disk, { segmentMaxBytes: 2 * 1024 * 1024 });
  const request = Array.from({ length: 8 }, () => randomBytes(1_000_000));
  const large = exchangeOf(1, { request });
  const archive = open();
  await archive.archive([large, exchangeOf(2, { request })]);
  await archive.close();
  const segments = disk.paths().filter((path) => path.endsWith('.segment'));
  assert.ok(segments.length >= 3, 'a segment that is full is ended within an exchange');
  const stored = segments.reduce((sum, path) => sum + disk.bytesOf(path).length, 0);
  assert.ok(stored < 9_000_000, `the second one refers to the first: ${stored}`);
  const reading = reader();
  assert.deepEqual((await readBack(reading, large.exchangeId)).payloads, large.payloads);
  assert.deepEqual(
    (await readBack(reading, exchangeOf(2, { request }).exchangeId)).payloads,
    exchangeOf(2, { request }).payloads,
  );
});

test('two persons who send the same bytes share no key and no block', async () => {
  const disk = new FakeFileSystem();
  const { open, reader, keys } = archiveOn(disk);
  const same = [randomBytes(20_000)];
  const archive = open();
  await archive.archive([exchangeOf(1, { request: same }), exchangeOf(2, { request: same, person: eve })]);
  await archive.close();
  const stored = disk
    .paths()
    .filter((path) => path.endsWith('.segment'))
    .reduce((sum, path) => sum + disk.bytesOf(path).length, 0);
  assert.ok(stored > 40_000, 'stored for each of them');
  keys.erase(ada, 'standard');
  const reading = reader();
  assert.equal((await reading.read(exchangeOf(1).exchangeId)).kind, 'unopened');
  assert.deepEqual(
    (await readBack(reading, exchangeOf(2).exchangeId)).payloads,
    exchangeOf(2, { request: same }).payloads,
  );
});

test('each retention class and day has a family of its own', async () => {
  const disk = new FakeFileSystem();
  const { open, writerDirectory } = archiveOn(disk);
  const archive = open();
  const nextDay = day + 86_400_000;
  await archive.archive([
    exchangeOf(1),
    exchangeOf(2, { retentionClass: 'long' }),
    exchangeOf(3, { finishedMs: nextDay }),
    exchangeOf(4, { finishedMs: day }),
  ]);
  await archive.close();
  const segments = disk
    .paths()
    .filter((path) => path.endsWith('.segment'))
    .map((path) => path.slice(writerDirectory.length + 1));
  assert.deepEqual(segments, [
    'long/2026-11-29/00000001.segment',
    'standard/2026-11-29/00000001.segment',
    'standard/2026-11-30/00000002.segment',
  ]);
});

test('a body that begins like a dictionary of zstd is archived like any other', async () => {
  const disk = new FakeFileSystem();
  const { open, reader } = archiveOn(disk);
  const archive = open();
  const hostile = exchangeOf(1, {
    request: [Buffer.concat([Buffer.from([0x37, 0xa4, 0x30, 0xec]), randomBytes(2_000)])],
  });
  await archive.archive([hostile, exchangeOf(2)]);
  const reading = reader();
  assert.deepEqual((await readBack(reading, hostile.exchangeId)).payloads, hostile.payloads);
  await readBack(reading, exchangeOf(2).exchangeId);
});

test('no word of an exchange and no name of its caller stands readable in any file', async () => {
  const disk = new FakeFileSystem();
  const { open } = archiveOn(disk);
  const archive = open();
  await archive.archive([
    exchangeOf(1, {
      request: [Buffer.from('MARKER-IN-PROMPT')],
      answer: [Buffer.from('MARKER-IN-ANSWER')],
      documents: [{ text: 'MARKER-IN-MASKED' }],
    }),
  ]);
  await archive.close();
  for (const path of disk.paths()) {
    for (const word of ['MARKER', 'u-ada', 'login.example.org', 'ada@example.org'])
      assert.ok(!disk.bytesOf(path).includes(word), `${word} in ${path}`);
  }
});

test('a person who is erased while a segment is open gets a new key, and refers to nothing of before', async () => {
  const { open, reader, keys } = archiveOn(new FakeFileSystem());
  const same = [randomBytes(20_000)];
  const archive = open();
  for (const number of [1, 2]) await archive.archive([exchangeOf(number, { request: same })]);
  keys.erase(ada, 'standard');
  for (const number of [3, 4]) await archive.archive([exchangeOf(number, { request: same })]);
  await archive.close();
  const reading = reader();
  for (const number of [1, 2]) {
    assert.equal((await reading.read(exchangeOf(number).exchangeId)).kind, 'unopened');
  }
  for (const number of [3, 4]) {
    const exchange = exchangeOf(number, { request: same });
    assert.deepEqual((await readBack(reading, exchange.exchangeId)).payloads, exchange.payloads);
  }
});

test("a segment that is filled by a person's key has what is sealed with it, too", async () => {
  // One of these sizes is reached between the key and the block that follows it.
  for (let segmentMaxBytes = 500; segmentMaxBytes < 6_000; segmentMaxBytes += 100) {
    const rig = archiveOn(new FakeFileSystem(), { segmentMaxBytes });
    const archive = rig.open();
    const request = [Buffer.from('"what eve sends again"'.repeat(200))];
    const given = [exchangeOf(1), ...[2, 3].map((number) => exchangeOf(number, { person: eve, request }))];
    await archive.archive(given);
    for (const { exchangeId, payloads } of given)
      assert.deepEqual((await readBack(rig.reader(), exchangeId)).payloads, payloads, `${segmentMaxBytes} bytes`);
    await archive.close();
  }
});

test('a file of checkpoints whose making failed half way is made durable by the next one', async () => {
  const disk = new FakeFileSystem();
  const rig = archiveOn(disk);
  const path = `${rig.writerDirectory}/checkpoints.signed`;
  for (let passing = 0; !disk.paths().includes(path) || disk.isDurable(path); passing += 1) {
    assert.ok(passing < 20, 'no failure came between the file and its entry');
    disk.failNextSync('EIO', passing);
    await rig
      .open()
      .archive([rig.ended(exchangeOf(passing + 1))])
      .catch(() => {});
    disk.kill();
  }
  await rig.open().archive([rig.ended(exchangeOf(100))]);
  assert.ok(disk.isDurable(path));
});
