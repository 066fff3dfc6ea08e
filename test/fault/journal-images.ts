/** A journal on disk that a test damages, and what a reader makes of it then. */
import assert from 'node:assert/strict';
import { openJournalReader } from '../../extproc/journal/reader.ts';
import { FakeFileSystem } from '../fakes/file-system.ts';
import { bytesOf, directory, key, openOn, segmentPath, textOf } from '../unit/journal/rig.ts';

export const texts = Array.from({ length: 10 }, (_, index) => `record ${index}`);

/** Three segments; the newest is as a killed process leaves it, synced up to its first record. */
export async function images(): Promise<Map<string, Buffer>> {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 256 });
  for (const text of texts) {
    await journal.append(bytesOf(text));
    if (text === 'record 8') await journal.sync();
  }
  assert.deepEqual(disk.paths(), [1, 2, 3].map(segmentPath));
  return new Map(disk.paths().map((path) => [path, disk.bytesOf(path)]));
}

export function diskOf(files: ReadonlyMap<string, Buffer>): FakeFileSystem {
  const disk = new FakeFileSystem();
  for (const [path, bytes] of files) disk.plant(path, bytes);
  return disk;
}

export async function readUntilDamage(disk: FakeFileSystem): Promise<{ seen: string[]; reported: boolean }> {
  const seen: string[] = [];
  try {
    for await (const { payload } of openJournalReader({ directory, fileSystem: disk, key }).read(null))
      seen.push(textOf(payload));
    return { seen, reported: false };
  } catch (thrown) {
    assert.equal((thrown as { code?: unknown }).code, 'journal_corrupt');
    return { seen, reported: true };
  }
}

export function assertPrefix(seen: readonly string[], where: string): void {
  assert.deepEqual(seen, texts.slice(0, seen.length), where);
}
