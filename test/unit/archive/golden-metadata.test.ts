import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ArchiveReader } from '../../../extproc/archive/reader.ts';
import { verifyArchive } from '../../../extproc/archive/verify.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { goldenSecret } from './golden.ts';
import { goldenExchanges, goldenMetadataDirectory } from './golden-metadata.ts';
import { FakeKeys } from './rig.ts';

test('metadata of version 2 of a segment is read and verified for ever, also what a hold kept of it', async () => {
  const reader = new ArchiveReader({
    ...{ directory: goldenMetadataDirectory, fileSystem: nodeFileSystem, opener: new FakeKeys(goldenSecret) },
    of: 'metadata',
  });
  const found: unknown[] = [];
  for (const { exchangeId } of goldenExchanges()) {
    const outcome = await reader.read(exchangeId);
    found.push(outcome.kind === 'found' ? await outcome.exchange.metadata() : outcome.kind);
  }
  const [, second, , fourth] = goldenExchanges();
  assert.deepEqual(found, ['absent', second?.metadata, 'absent', fourth?.metadata]);
  await reader.close();
  const { findings, notes, counts } = await verifyArchive({
    ...{ directory: goldenMetadataDirectory, fileSystem: nodeFileSystem, publicKeys: [], outside: new Map() },
  });
  assert.deepEqual([findings, notes.map(({ kind }) => kind)], [[], ['expired', 'expired']]);
  assert.deepEqual([counts.exchanges, counts.metadata, counts.held], [1, 2, 0]);
});

test('a segment of metadata begins as README.md draws it', () => {
  const [file = ''] = globSync('*/long.metadata/2026-11-29/00000001.segment', { cwd: goldenMetadataDirectory });
  const bytes = readFileSync(join(goldenMetadataDirectory, file));
  assert.equal(bytes.toString('latin1', 0, 4), 'SKTA');
  assert.equal(bytes.readUInt16LE(4), 2);
  const header = JSON.parse(bytes.toString('utf8', 12, 12 + bytes.readUInt32LE(8))) as Record<string, unknown>;
  assert.equal(header.retentionClass, 'long.metadata');
  const first = 12 + bytes.readUInt32LE(8) + 4;
  assert.equal(bytes.toString('latin1', first, first + 4), 'SKAK');
  const second = first + 84 + bytes.readUInt32LE(first + 4);
  assert.equal(bytes.toString('latin1', second, second + 4), 'SKAX');
});
