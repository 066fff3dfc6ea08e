/** Where a record stands in the journal, and how segment files are named. */

/**
 * `segment` counts from 1; `offset` is a byte in that segment's file: the first of a frame, or in a group the one where the
 * length of the record stands. So every record has a place of its own, and they rise.
 */
export type Position = { segment: number; offset: number };

/** Negative when `a` stands before `b`, 0 when they are the same place. */
export function comparePositions(a: Position, b: Position): number {
  return a.segment - b.segment || a.offset - b.offset;
}

export function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null) return false;
  const { segment, offset } = value as Record<string, unknown>;
  return isCount(segment) && segment >= 1 && isCount(offset);
}

export function segmentFileName(sequence: number): string {
  return `${String(sequence).padStart(16, '0')}.journal`;
}

/** Sequence numbers of the segment files among these names, ascending; other files are not ours to judge. */
export function segmentSequences(names: readonly string[]): number[] {
  const sequences: number[] = [];
  for (const name of names) {
    const sequence = /^\d{16}\.journal$/.test(name) ? Number(name.slice(0, 16)) : 0;
    if (sequence >= 1 && Number.isSafeInteger(sequence)) sequences.push(sequence);
  }
  return sequences.sort((a, b) => a - b);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
