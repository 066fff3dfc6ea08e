/** Judges the segments of one class together: each must be there or have a tombstone, and name the end of the one before. */
import type { SegmentCheck } from './check-segment.ts';
import type { ChainPoint, Tombstone } from './checkpoint.ts';
import type { Finding, Note } from './finding.ts';

/** A state that was signed: in checkpoint `number`; `isBeyond`: given outside, and later than the last one of the archive. */
export type SignedPoint = ChainPoint & { number: number; isBeyond: boolean };

export type ChainParts = {
  retentionClass: string;
  /** By the sequence in their headers. */
  segments: ReadonlyMap<number, SegmentCheck>;
  tombstones: ReadonlyMap<number, Tombstone>;
  /** In the order of their numbers. */
  points: readonly SignedPoint[];
  writerFile: (day: string, sequence: number) => string;
  tombstonesFile: string;
};

/** `beyond`: what is missing only by the word of a checkpoint that the archive itself does not have. */
export type ChainVerdict = { findings: Finding[]; notes: Note[]; beyond: Finding[] };

export function checkChain(parts: ChainParts): ChainVerdict {
  const verdict: ChainVerdict = { findings: [], notes: [], beyond: [] };
  const { segments, tombstones, points } = parts;
  const known = [...segments.keys(), ...tombstones.keys()];
  const newest = Math.max(0, ...known);
  const promised = Math.max(newest, ...points.map(({ segment }) => segment));
  for (let sequence = 1; sequence <= promised; sequence += 1) {
    const segment = segments.get(sequence);
    if (segment === undefined) checkAbsent(parts, sequence, newest, verdict);
    else checkPresent(parts, segment, sequence, newest, verdict);
  }
  return verdict;
}

function checkAbsent(parts: ChainParts, sequence: number, newest: number, verdict: ChainVerdict): void {
  const { retentionClass, tombstones, points, writerFile, tombstonesFile } = parts;
  const tombstone = tombstones.get(sequence);
  const own = points.filter(({ segment }) => segment === sequence);
  if (tombstone !== undefined) {
    const file = writerFile(tombstone.day, sequence);
    const other = own.find(({ isEnded, hash }) => isEnded && hash !== tombstone.hash);
    if (other === undefined)
      verdict.notes.push({
        kind: 'expired',
        file,
        reason: `deleted for ${tombstone.reason}, with ${tombstone.exchanges} exchanges${heldOf(tombstone)}`,
      });
    else
      verdict.findings.push({
        kind: 'edited',
        file: tombstonesFile,
        line: tombstone.number,
        reason: `the tombstone of ${file} says another end than checkpoint ${other.number}`,
      });
    return;
  }
  const day = own[0]?.day ?? '?';
  const reason =
    own.length > 0 ? `checkpoint ${own[0]?.number} names it` : `segments of ${retentionClass} behind it are there`;
  const isBeyond = sequence > newest && own.length > 0 && own.every((point) => point.isBeyond);
  (isBeyond ? verdict.beyond : verdict.findings).push({
    kind: 'missing_segment',
    file: writerFile(day, sequence),
    reason,
  });
}

function heldOf({ held }: Tombstone): string {
  return held == null ? '' : `, of which ${held.exchanges} are kept by a hold`;
}

function checkPresent(
  parts: ChainParts,
  segment: SegmentCheck,
  sequence: number,
  newest: number,
  verdict: ChainVerdict,
): void {
  const { file, header, ended, findings, tail } = segment;
  verdict.findings.push(...findings);
  if (parts.tombstones.has(sequence)) {
    verdict.notes.push({
      kind: 'deletion_unfinished',
      file,
      reason: 'it has a tombstone and is there: the deletion broke off',
    });
  }
  const endOffset = tail?.offset ?? segment.bytes;
  const promises = parts.points.filter(({ segment: promised }) => promised === sequence);
  if (findings.length > 0) return;
  if (header !== null && promises.some(({ id }) => id !== header.id)) {
    verdict.findings.push({ kind: 'edited', file, offset: 0, reason: 'another segment than the one that was signed' });
    return;
  }
  const lacking = promises.find(({ frames, isEnded }) => frames > segment.frames || (isEnded && ended === null));
  if (lacking !== undefined) {
    const reason = `it ends after ${segment.frames} frames; checkpoint ${lacking.number} signed ${lacking.frames}${lacking.isEnded ? ' and the end' : ''}`;
    (lacking.isBeyond ? verdict.beyond : verdict.findings).push({
      kind: 'cut',
      file,
      offset: endOffset,
      frame: segment.frames,
      reason,
    });
  } else if (ended === null && sequence < newest) {
    verdict.findings.push({
      kind: 'cut',
      file,
      offset: endOffset,
      frame: segment.frames,
      reason: 'its end is missing, and there is a segment after it',
    });
  } else if (ended === null) {
    verdict.notes.push({
      kind: 'unfinished',
      file,
      offset: endOffset,
      reason: tail === null ? 'it was not ended yet' : `${tail.bytes} bytes of an unfinished frame`,
    });
  }
  const changed = changedBefore(segment, promises);
  if (changed !== null) verdict.findings.push(changed);
  else checkLink(parts, segment, sequence, verdict);
}

/** Frames that are whole and follow one another, and are not those that were signed. */
function changedBefore(segment: SegmentCheck, promises: readonly SignedPoint[]): Finding | null {
  let good = 0;
  for (const { frames, hash, root, isEnded, number } of promises) {
    const state = isEnded ? segment.ended : segment.states.get(frames);
    if (state === undefined || state === null) continue;
    if (state.hash.toString('hex') === hash && state.root.toString('hex') === root) {
      good = Math.max(good, frames);
      continue;
    }
    const reason = `its frames are not those that checkpoint ${number} signed`;
    // With all frames right it is the end frame that was changed.
    const isEndAlone = state.root.toString('hex') === root && isEnded;
    return {
      kind: 'edited',
      file: segment.file,
      frame: isEndAlone ? frames : good,
      frames: isEndAlone ? 1 : frames - good,
      reason,
    };
  }
  return null;
}

function checkLink(
  { segments, tombstones, points }: ChainParts,
  { file, header }: SegmentCheck,
  sequence: number,
  verdict: ChainVerdict,
): void {
  const before = segments.get(sequence - 1);
  const end = before === undefined ? tombstones.get(sequence - 1)?.hash : before.ended?.hash.toString('hex');
  if (header === null || end === undefined) {
    if (sequence === 1 && header?.previous != null)
      verdict.findings.push({ kind: 'edited', file, offset: 0, reason: 'the first segment names one before it' });
    return;
  }
  if (header.previous === end || (before !== undefined && before.findings.length > 0)) return;
  const signed = points.findLast(({ segment, isEnded }) => segment === sequence - 1 && isEnded);
  const isHeader = signed?.hash === end || before === undefined;
  verdict.findings.push({
    kind: 'edited',
    file: isHeader ? file : before.file,
    ...(isHeader && { offset: 0 }),
    reason: 'the header of a segment does not name the end of the one before it',
  });
}
