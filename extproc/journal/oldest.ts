/** How far back a journal goes. */
import { join } from 'node:path';
import { decodeSegmentHeader, END_MARK_BYTES, SEGMENT_HEADER_BYTES } from './format.ts';
import type { FileSystem } from './fs.ts';
import { isSystemError } from './fs.ts';
import { nodeFileSystem } from './node-fs.ts';
import { segmentFileName, segmentSequences } from './position.ts';

/**
 * No record in it was written earlier; infinite where it has none. Milliseconds since the epoch. A segment whose header
 * cannot be read counts as written at any time.
 */
export async function oldestRecordMs(directory: string, fileSystem: FileSystem = nodeFileSystem): Promise<number> {
  for (const sequence of segmentSequences(await fileSystem.list(directory))) {
    const createdMs = await createdMsOf(join(directory, segmentFileName(sequence)), fileSystem);
    if (createdMs !== null) return createdMs;
  }
  return Number.POSITIVE_INFINITY;
}

/** Null for a segment without records, and for one that was freed meanwhile. */
async function createdMsOf(path: string, fileSystem: FileSystem): Promise<number | null> {
  try {
    const file = await fileSystem.openRead(path);
    try {
      if ((await file.size()) <= SEGMENT_HEADER_BYTES + END_MARK_BYTES) return null;
      const decoded = decodeSegmentHeader(await file.read(0, SEGMENT_HEADER_BYTES));
      return decoded.status === 'header' ? decoded.header.createdMs : 0;
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return null;
    throw thrown;
  }
}
