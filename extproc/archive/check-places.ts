/** Judges where the segments of a writer stand: each once, in the place that its header says. */
import { join } from 'node:path';
import { type FileSystem, isSystemError } from '../journal/fs.ts';
import { isOfMetadata } from './chain-name.ts';
import type { SignedPoint } from './check-chain.ts';
import { checkSegment, type SegmentCheck } from './check-segment.ts';
import type { Finding, VerifyReport } from './finding.ts';
import type { SegmentHeader } from './format.ts';
import { type SegmentPlace, segmentPath, segmentsIn } from './places.ts';
import { FileWindow, scanHeader } from './scan.ts';

/** All files, by class and by the sequence that their headers say; files that stand elsewhere than they say are told of. */
export async function checkPlaces(
  { directory, fileSystem }: { directory: string; fileSystem: FileSystem },
  writer: string,
  points: readonly SignedPoint[],
  { findings, counts }: VerifyReport,
): Promise<Map<string, Map<number, SegmentCheck>>> {
  const wanted = new Map<string, Set<number>>();
  for (const { id, frames } of points) wanted.set(id, (wanted.get(id) ?? new Set()).add(frames));
  const none: ReadonlySet<number> = new Set();
  const checked: { place: SegmentPlace; check: SegmentCheck }[] = [];
  for (const place of await segmentsIn(join(directory, writer), fileSystem)) {
    const file = segmentPath(writer, place);
    const check = await checkSegment(fileSystem, place.path, file, (id) => wanted.get(id) ?? none);
    const { header } = check;
    if (header !== null && header.writer !== writer) findings.push(await foreign(directory, fileSystem, header, file));
    else checked.push({ place, check });
    counts.segments += 1;
    counts.frames += check.frames;
    counts[isOfMetadata(place.retentionClass) ? 'metadata' : 'exchanges'] += check.exchanges.length;
  }
  const byClass = new Map<string, Map<number, SegmentCheck>>();
  // Those that stand where they say come first: a copy of one of them is the copy, wherever it stands.
  const inPlace = checked.filter(({ place, check }) => isInPlace(place, check));
  for (const { place, check } of [...inPlace, ...checked.filter((one) => !inPlace.includes(one))]) {
    const { retentionClass, sequence } = check.header ?? place;
    const known = byClass.get(retentionClass) ?? new Map<number, SegmentCheck>();
    byClass.set(retentionClass, known);
    const twin = known.get(sequence);
    if (twin !== undefined)
      findings.push({
        kind: 'duplicated',
        file: check.file,
        reason: `it is segment ${sequence} of ${retentionClass} once more`,
      });
    else if (!isInPlace(place, check))
      findings.push({
        kind: 'swapped',
        file: check.file,
        reason: `it is segment ${sequence} of ${retentionClass}, and stands in the place of another`,
      });
    if (twin === undefined) known.set(sequence, check);
  }
  return byClass;
}

/** It has nothing to do with the chains here: it was moved from those of another writer, or is a copy of what stands there. */
async function foreign(
  directory: string,
  fileSystem: FileSystem,
  header: SegmentHeader,
  file: string,
): Promise<Finding> {
  const { writer, retentionClass, sequence, id } = header;
  const isCopy = (await headerAt(fileSystem, segmentPath(join(directory, writer), header)))?.id === id;
  const name = `segment ${sequence} of ${retentionClass} of writer ${writer}`;
  return isCopy
    ? { kind: 'duplicated', file, reason: `it is ${name} once more` }
    : { kind: 'swapped', file, reason: `it is ${name}, and stands among those of another` };
}

/** Null where there is none that can be read. */
async function headerAt(fileSystem: FileSystem, path: string): Promise<SegmentHeader | null> {
  try {
    const file = await fileSystem.openRead(path);
    try {
      const decoded = await scanHeader(new FileWindow(file, await file.size()));
      return decoded.status === 'header' ? decoded.header : null;
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return null;
    throw thrown;
  }
}

function isInPlace(place: SegmentPlace, { header }: SegmentCheck): boolean {
  return (
    header === null ||
    (header.retentionClass === place.retentionClass && header.day === place.day && header.sequence === place.sequence)
  );
}
