/** Where records stand that a hold kept when their segments went: `archive/<writer>/held.records/<class>/<day>/<sequence>.<generation>.held`. */
import { basename, dirname, join } from 'node:path';
import type { FileSystem } from '../journal/fs.ts';
import { namesIn, type SegmentPlace, segmentsIn } from './places.ts';

/** With a dot, which no retention class has. */
const heldFolder = 'held.records';
export const heldSuffix = '.held';
const heldName = /^(\d{8,15})\.([1-9]\d{0,8})\.held$/;

/** An excerpt of one segment. Each time it is made anew, `generation` is one more. */
export type HeldPlace = SegmentPlace & { generation: number };

export function heldDirectory(
  directory: string,
  { retentionClass, day }: Pick<SegmentPlace, 'retentionClass' | 'day'>,
): string {
  return join(directory, heldFolder, retentionClass, day);
}

export function heldPath(directory: string, place: Omit<HeldPlace, 'path'>): string {
  const name = `${String(place.sequence).padStart(8, '0')}.${place.generation}${heldSuffix}`;
  return join(heldDirectory(directory, place), name);
}

/** All excerpts of a writer, by class, sequence and generation. What a crash left half written has another name. */
export async function heldIn(directory: string, fileSystem: FileSystem): Promise<HeldPlace[]> {
  const places: HeldPlace[] = [];
  const base = join(directory, heldFolder);
  for (const retentionClass of await namesIn(base, fileSystem)) {
    for (const day of await namesIn(join(base, retentionClass), fileSystem)) {
      for (const name of await namesIn(join(base, retentionClass, day), fileSystem)) {
        const [, sequence, generation] = heldName.exec(name) ?? [];
        if (sequence === undefined) continue;
        const path = join(base, retentionClass, day, name);
        places.push({ path, retentionClass, day, sequence: Number(sequence), generation: Number(generation) });
      }
    }
  }
  return places.sort((a, b) => inOrder(a, b) || a.generation - b.generation);
}

/**
 * Everything that can be read of a writer: its segments, and excerpts of those that are gone. The oldest generation is
 * the one to read: it goes only when the one that is to replace it is signed.
 */
export async function storedIn(directory: string, fileSystem: FileSystem): Promise<SegmentPlace[]> {
  // Segments first: one that goes between the two looks is found in both then, not in neither.
  const segments = await segmentsIn(directory, fileSystem);
  const held = await heldIn(directory, fileSystem);
  const nameOf = ({ retentionClass, sequence }: SegmentPlace) => `${retentionClass}/${sequence}`;
  const known = new Set(segments.map(nameOf));
  const gone = held.filter((place) => {
    const isFirst = !known.has(nameOf(place));
    known.add(nameOf(place));
    return isFirst;
  });
  return gone.length === 0 ? segments : [...segments, ...gone].sort(inOrder);
}

/** Where to read what stands no more at the place of a segment, or of an earlier excerpt. */
export async function excerptInstead(gone: string, fileSystem: FileSystem): Promise<string | undefined> {
  const day = dirname(gone);
  const place = { retentionClass: basename(dirname(day)), day: basename(day) };
  const folder = gone.endsWith(heldSuffix) ? day : heldDirectory(dirname(dirname(day)), place);
  const sequence = basename(gone).split('.')[0];
  const generations = (await namesIn(folder, fileSystem)).flatMap((name) => {
    const [, of, generation] = heldName.exec(name) ?? [];
    return of === sequence ? [Number(generation)] : [];
  });
  return generations.length === 0 ? undefined : join(folder, `${sequence}.${Math.min(...generations)}${heldSuffix}`);
}

function inOrder(a: SegmentPlace, b: SegmentPlace): number {
  return a.retentionClass === b.retentionClass ? a.sequence - b.sequence : a.retentionClass < b.retentionClass ? -1 : 1;
}
