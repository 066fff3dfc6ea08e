import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ArchiveReader } from '../../../extproc/archive/reader.ts';
import { verifyArchive } from '../../../extproc/archive/verify.ts';
import { decodeRecord } from '../../../extproc/exchange/record.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { goldenDirectory, goldenExchanges, goldenSecret } from './golden.ts';
import { FakeKeys, readBack } from './rig.ts';

test('an archive of version 1 is read and verified for ever', async () => {
  const reader = new ArchiveReader({
    directory: goldenDirectory,
    fileSystem: nodeFileSystem,
    opener: new FakeKeys(goldenSecret),
  });
  for (const exchange of goldenExchanges()) {
    const { payloads, documents } = await readBack(reader, exchange.exchangeId);
    // Content that is no body may come to have more fields in records of today.
    const bodies = (all: readonly Buffer[]) => all.map(decodeRecord).filter((record) => 'bytes' in record);
    assert.deepEqual(bodies(payloads), bodies(exchange.payloads));
    assert.equal(payloads.length, exchange.payloads.length);
    assert.deepEqual(documents, exchange.documents);
  }
  await reader.close();
  const { findings, notes, counts } = await verifyArchive({
    directory: goldenDirectory,
    fileSystem: nodeFileSystem,
    publicKeys: [],
    outside: new Map(),
  });
  assert.deepEqual([findings, notes], [[], []]);
  assert.deepEqual([counts.exchanges, counts.segments], [4, 2]);
});

test('a segment begins as README.md draws it', () => {
  const [file = ''] = globSync('*/standard/*/00000001.segment', { cwd: goldenDirectory });
  const bytes = readFileSync(join(goldenDirectory, file));
  assert.equal(bytes.toString('latin1', 0, 4), 'SKTA');
  assert.equal(bytes.readUInt16LE(4), 1);
  const header = JSON.parse(bytes.toString('utf8', 12, 12 + bytes.readUInt32LE(8))) as Record<string, unknown>;
  assert.deepEqual(Object.keys(header), [
    'writer',
    'retentionClass',
    'day',
    'sequence',
    'id',
    'createdMs',
    'previous',
    'journals',
  ]);
  const first = 12 + bytes.readUInt32LE(8) + 4;
  assert.equal(bytes.toString('latin1', first, first + 4), 'SKAK');
  const second = first + 84 + bytes.readUInt32LE(first + 4);
  assert.equal(bytes.toString('latin1', second, second + 4), 'SKAX');
  assert.equal(bytes.readUInt32LE(second + 8), 1, 'the number of the frame');
  assert.equal(bytes.readUInt32LE(second + 12), 0, 'the slot: the number of the key frame');
});
