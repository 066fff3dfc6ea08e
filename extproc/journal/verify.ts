/** Checks a whole journal directory without taking its lock; for commands, and for copies. */
import { join } from 'node:path';
import { type Damage, missing, readWhole } from './directory.ts';
import type { FileSystem } from './fs.ts';
import { nodeFileSystem } from './node-fs.ts';
import { segmentFileName, segmentSequences } from './position.ts';
import { scanSegment } from './recover.ts';

export type SegmentCheck = {
  file: string;
  sequence: number;
  bytes: number;
  records: number;
  sealed: boolean;
  status: 'clean' | 'torn' | 'corrupt';
  damageOffset: number | undefined;
  reason: string | undefined;
};

/** `torn` is what a crash, or a writer at work, leaves at the end of the newest segment. */
export type JournalCheck = {
  status: 'clean' | 'torn' | 'corrupt';
  records: number;
  segments: readonly SegmentCheck[];
  /** Damage that no crash explains, segments missing between others included. */
  damage: readonly Damage[];
};

/** Without a key the checksums alone are judged: damage is found, forgery is not. One segment is in memory at a time. */
export async function verifyJournal(
  directory: string,
  key?: Uint8Array,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<JournalCheck> {
  const sequences = segmentSequences(await fileSystem.list(directory));
  const newest = sequences.at(-1);
  const segments: SegmentCheck[] = [];
  const damage: Damage[] = [];
  let expected = sequences[0];
  for (const sequence of sequences) {
    const file = join(directory, segmentFileName(sequence));
    if (expected !== undefined && sequence !== expected) damage.push(missing(directory, expected, sequence));
    expected = sequence + 1;
    const bytes = await readWhole(fileSystem, file);
    const { status, records, sealed, damageOffset, reason } = scanSegment(bytes, {
      sequence,
      newest: sequence === newest,
      key,
    });
    segments.push({
      file,
      sequence,
      bytes: bytes.length,
      records,
      sealed,
      status,
      damageOffset,
      reason,
    });
    if (status === 'corrupt')
      damage.push({
        file,
        offset: damageOffset ?? 0,
        reason: reason ?? 'damaged',
      });
  }
  const torn = segments.some((segment) => segment.status === 'torn');
  const status = damage.length > 0 ? 'corrupt' : torn ? 'torn' : 'clean';
  return {
    status,
    records: segments.reduce((sum, segment) => sum + segment.records, 0),
    segments,
    damage,
  };
}
