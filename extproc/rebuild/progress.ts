/** How far a rebuild came, on disk beside what it made. */
import { join } from 'node:path';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from '../journal/fs.ts';

/**
 * - `indexed`: documents of so many exchanges are in the new index; of `maskingFailed` of them only metadata.
 * - `erased`: the key that they were sealed with is gone. `damaged`: their bytes are not what was written, or their
 *   records are not whole. `rejected`: the index will not have them, or what is left
 *   of them cannot be masked. `expired`: retention left nothing of them.
 * - `metadata`: the days of their content are over, and what is left of them came out of the archive.
 */
const counts = z.strictObject({
  indexed: z.number(),
  maskingFailed: z.number(),
  erased: z.number(),
  damaged: z.number(),
  rejected: z.number(),
  expired: z.number().default(0),
  metadata: z.number().default(0),
});

const progress = z.strictObject({
  version: z.literal(1),
  /** Revision of the policies that it was begun with. */
  rules: z.string(),
  /** Of who had been erased when it was begun. */
  erasures: z.string().default(''),
  /** Of each chain the exchange that was gone through last; everything to it is in the new index. */
  places: z.array(
    z.strictObject({ writer: z.string(), retentionClass: z.string(), segment: z.number(), frame: z.number() }),
  ),
  /** What the archive has is in the new index, and the journals were begun with. */
  isInJournals: z.boolean().default(false),
  counts,
});

export type RebuildCounts = z.infer<typeof counts>;
export type Progress = z.infer<typeof progress>;

const progressMaxBytes = 1024 * 1024;

export function begun(rules: string, erasures: string): Progress {
  const none = { indexed: 0, maskingFailed: 0, erased: 0, damaged: 0, rejected: 0, expired: 0, metadata: 0 };
  return { version: 1, rules, erasures, places: [], isInJournals: false, counts: none };
}

/** Everything of that chain up to this exchange is in the new index. */
export function passed(
  progress: Progress,
  { writer, retentionClass, segment, frame }: Progress['places'][number],
): void {
  const others = progress.places.filter((place) => place.writer !== writer || place.retentionClass !== retentionClass);
  progress.places = [...others, { writer, retentionClass, segment, frame }];
}

/** Null where nothing was begun. Throws SkilltapeError `usage` for what cannot be read. */
export async function loadProgress(directory: string, fileSystem: FileSystem): Promise<Progress | null> {
  const file = await fileSystem.readSmall(fileIn(directory), progressMaxBytes);
  if (file === undefined) return null;
  try {
    return progress.parse(JSON.parse(Buffer.from(file.bytes).toString('utf8')));
  } catch {
    throw new SkilltapeError('usage', `${fileIn(directory)} cannot be read`, {
      remedy: `remove ${directory} and begin again`,
    });
  }
}

/** On disk when it resolves. */
export async function saveProgress(directory: string, saved: Progress, fileSystem: FileSystem): Promise<void> {
  await fileSystem.writeSmall(fileIn(directory), Buffer.from(JSON.stringify(saved)));
}

export async function removeProgress(directory: string, fileSystem: FileSystem): Promise<void> {
  await fileSystem.remove(fileIn(directory));
  await fileSystem.syncDirectory(directory);
}

function fileIn(directory: string): string {
  return join(directory, 'progress.json');
}
