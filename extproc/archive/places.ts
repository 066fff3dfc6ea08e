/** Where an archive stands: `archive/<writer>/<class>/<day>/<sequence>.segment`. */
import { join } from 'node:path';
import { type FileSystem, isSystemError } from '../journal/fs.ts';
import { chainPattern } from './chain-name.ts';

/** With a dot, which no retention class has. */
export const checkpointsFile = 'checkpoints.signed';
export const tombstonesFile = 'tombstones.signed';
export const publicKeyFile = 'public.pem';

export function archiveDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'archive');
}

/** One file of a writer; class and day are those of the folders it lies in, `sequence` is that of its name. */
export type SegmentPlace = { path: string; retentionClass: string; day: string; sequence: number };

export function segmentPath(directory: string, { retentionClass, day, sequence }: Omit<SegmentPlace, 'path'>): string {
  return join(directory, retentionClass, day, `${String(sequence).padStart(8, '0')}.segment`);
}

/** All of one class and day together are what retention keeps or deletes. */
export function familyOf({ retentionClass, day }: { retentionClass: string; day: string }): string {
  return `${retentionClass}/${day}`;
}

/** Names of writers' directories; others are not ours to judge. */
export async function writersIn(directory: string, fileSystem: FileSystem): Promise<string[]> {
  return (await namesIn(directory, fileSystem)).filter((name) => /^[0-9a-f]{16}$/.test(name)).sort();
}

/** All segments of a writer, by class and then by sequence. */
export async function segmentsIn(directory: string, fileSystem: FileSystem): Promise<SegmentPlace[]> {
  const places: SegmentPlace[] = [];
  const classes = (await namesIn(directory, fileSystem)).filter((name) => chainPattern.test(name));
  for (const retentionClass of classes) {
    const days = await namesIn(join(directory, retentionClass), fileSystem);
    for (const day of days.filter((name) => /^\d{4}-\d{2}-\d{2}$/.test(name))) {
      places.push(...(await segmentsOf(directory, { retentionClass, day }, fileSystem)));
    }
  }
  return places.sort((a, b) =>
    a.retentionClass === b.retentionClass ? a.sequence - b.sequence : a.retentionClass < b.retentionClass ? -1 : 1,
  );
}

/** Those of one family, by sequence; other folders are not looked at. */
export async function segmentsOf(
  directory: string,
  { retentionClass, day }: Pick<SegmentPlace, 'retentionClass' | 'day'>,
  fileSystem: FileSystem,
): Promise<SegmentPlace[]> {
  const family = join(directory, retentionClass, day);
  const places = (await namesIn(family, fileSystem)).flatMap((name) => {
    const sequence = sequenceOf(name);
    return sequence > 0 ? [{ path: join(family, name), retentionClass, day, sequence }] : [];
  });
  return places.sort((a, b) => a.sequence - b.sequence);
}

/** 0 for what is no segment. */
function sequenceOf(name: string): number {
  return Number(/^(\d{8,15})\.segment$/.exec(name)?.[1] ?? 0);
}

export async function namesIn(directory: string, fileSystem: FileSystem): Promise<string[]> {
  try {
    return await fileSystem.list(directory);
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT') || isSystemError(thrown, 'ENOTDIR')) return [];
    throw thrown;
  }
}
