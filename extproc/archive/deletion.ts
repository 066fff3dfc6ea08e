/** Deletes families of segments and leaves a signed tombstone for each: what is gone lawfully can be told from what is not. */
import { dirname } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { type FileSystem, isSystemError } from '../journal/fs.ts';
import { checkSegment } from './check-segment.ts';
import type { Tombstone } from './checkpoint.ts';
import { segmentPath, segmentsIn, segmentsOf } from './places.ts';
import type { SignedLog } from './signed-log.ts';

export type Family = { retentionClass: string; day: string };

/** What was deleted, for the receipt. */
export type Deleted = { segments: number; exchanges: number; bytes: number };

export type DeletionParts = {
  directory: string;
  fileSystem: FileSystem;
  writer: string;
  log: Pick<SignedLog<Tombstone>, 'append'>;
  nowMs: () => number;
};

const none: ReadonlySet<number> = new Set();

/**
 * A family goes whole, since its exchanges refer to one another, the newest segment first: what is left of one that broke
 * off refers to nothing that is gone. Each tombstone is on disk before its segment goes; a deletion that breaks off in
 * between is finished at the next start.
 * @param held what stays elsewhere of each segment, by sequence
 * @throws SkilltapeError `archive_corrupt` for a segment that is damaged: evidence is not deleted
 */
export async function deleteFamily(
  parts: DeletionParts,
  family: Family,
  reason: string,
  held: ReadonlyMap<number, NonNullable<Tombstone['held']>> = new Map(),
): Promise<Deleted> {
  const { directory, fileSystem, log, writer, nowMs } = parts;
  const places = await segmentsOf(directory, family, fileSystem);
  const deleted: Deleted = { segments: 0, exchanges: 0, bytes: 0 };
  for (const place of places.reverse()) {
    const { header, ended, findings, exchanges, frames, bytes } = await checkSegment(
      fileSystem,
      place.path,
      place.path,
      () => none,
    );
    if (header === null || ended === null || findings.length > 0) {
      throw new SkilltapeError('archive_corrupt', `${place.path} is damaged or not ended and is not deleted`, {
        remedy: 'See `skilltape verify`.',
      });
    }
    const { retentionClass, day, sequence: segment, id, previous: before } = header;
    const state = { frames, hash: ended.hash.toString('hex'), root: ended.root.toString('hex') };
    const facts = { retentionClass, day, segment, id, before, exchanges: exchanges.length, bytes, reason };
    const stays = held.get(segment);
    const version = stays === undefined ? { version: 1 as const } : { version: 2 as const, held: stays };
    await log.append({ ...version, writer, timeMs: nowMs(), ...state, ...facts });
    await remove(fileSystem, place.path);
    deleted.segments += 1;
    deleted.exchanges += exchanges.length - (stays?.exchanges ?? 0);
    deleted.bytes += bytes - (stays?.bytes ?? 0);
  }
  return deleted;
}

/** A crash may have come between a tombstone and its deletion. */
export async function finishDeletions(
  directory: string,
  fileSystem: FileSystem,
  tombstones: readonly Tombstone[],
): Promise<void> {
  const gone = new Set(
    tombstones.map(({ retentionClass, day, segment }) =>
      segmentPath(directory, { retentionClass, day, sequence: segment }),
    ),
  );
  for (const place of await segmentsIn(directory, fileSystem))
    if (gone.has(place.path)) await remove(fileSystem, place.path);
}

/** For good; another process may have done it meanwhile. */
export async function remove(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.remove(path);
    await fileSystem.syncDirectory(dirname(path));
    // Every look at the archive lists them all: those of years would cost more than what is in them.
    await fileSystem.removeEmptyDirectory(dirname(path));
  } catch (thrown) {
    if (!isSystemError(thrown, 'ENOENT')) throw thrown;
  }
}
