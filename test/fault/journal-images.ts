/** A journal on disk that a test damages, and what a reader makes of it then. */
import assert from 'node:assert/strict';
import { openJournalReader } from '../../extproc/journal/reader.ts';
import { FakeFileSystem } from '../fakes/file-system.ts';
import { bytesOf, directory, key, openOn, segmentPath, textOf } from '../unit/journal/rig.ts';

export const texts = textsOf(10);

/** How many are appended in one turn, and so stand in one frame; the newest segment of three has the last two frames. */
export const oneByOne = { turns: texts.map(() => 1), texts, inOlder: 8 };
export const inGroups = { turns: [3, 2, 1, 3, 1, 1, 2, 2], texts: textsOf(15), inOlder: 11 };

/** Three segments; the newest is as a killed process leaves it, synced up to its first frame. */
export async function images(of = oneByOne): Promise<Map<string, Buffer>> {
  const disk = new FakeFileSystem();
  const { journal } = await openOn(disk, { segmentMaxBytes: 256 });
  let appended = 0;
  for (const [turn, count] of of.turns.entries()) {
    await Promise.all(of.texts.slice(appended, appended + count).map((text) => journal.append(bytesOf(text))));
    appended += count;
    if (turn === of.turns.length - 2) await journal.sync();
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
  assert.deepEqual(seen, textsOf(seen.length), where);
}

function textsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `record ${index}`);
}
