import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ArchiveReader } from '../../../extproc/archive/reader.ts';
import { verifyArchive } from '../../../extproc/archive/verify.ts';
import { decodeRecord } from '../../../extproc/exchange/record.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { goldenExchanges, goldenSecret } from './golden.ts';
import { goldenHeldDirectory } from './golden-held.ts';
import { FakeKeys, readBack } from './rig.ts';

test('held records of version 1 are read and verified for ever', async () => {
  const reader = new ArchiveReader({
    ...{ directory: goldenHeldDirectory, fileSystem: nodeFileSystem, opener: new FakeKeys(goldenSecret) },
  });
  const [first, , held] = goldenExchanges();
  assert.ok(first !== undefined && held !== undefined);
  const { payloads, documents } = await readBack(reader, held.exchangeId);
  const bodies = (all: readonly Buffer[]) => all.map(decodeRecord).filter((record) => 'bytes' in record);
  assert.deepEqual([bodies(payloads), documents], [bodies(held.payloads), held.documents]);
  assert.equal((await reader.read(first.exchangeId)).kind, 'absent');
  await reader.close();
  const { findings, notes, counts } = await verifyArchive({
    ...{ directory: goldenHeldDirectory, fileSystem: nodeFileSystem, publicKeys: [], outside: new Map() },
  });
  assert.deepEqual([findings, notes.map(({ kind }) => kind), counts.held], [[], ['expired'], 1]);
});

test('a file of held records begins as README.md draws it', () => {
  const [file = ''] = globSync('*/held.records/standard/*/00000001.1.held', { cwd: goldenHeldDirectory });
  const bytes = readFileSync(join(goldenHeldDirectory, file));
  assert.equal(bytes.toString('latin1', 0, 4), 'SKTH');
  assert.equal(bytes.readUInt16LE(4), 1);
  const originAt = 12 + bytes.readUInt32LE(8) + 4;
  const header = JSON.parse(bytes.toString('utf8', 12, originAt - 4)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(header), [
    ...['writer', 'retentionClass', 'day', 'sequence', 'id', 'frames', 'root', 'generation', 'createdMs', 'checkpoint'],
  ]);
  assert.equal(bytes.toString('latin1', originAt, originAt + 4), 'SKTA', 'the header of the segment');
  const item = originAt + bytes.readUInt32LE(originAt - 4) + 4;
  assert.equal(bytes.toString('latin1', item, item + 4), 'SKHF');
  const frame = item + 12 + 32 * bytes.readUInt16LE(item + 6);
  assert.equal(bytes.toString('latin1', frame, frame + 4), 'SKAK');
  assert.equal(bytes.readUInt32LE(item + 8), 84 + bytes.readUInt32LE(frame + 4));
});
