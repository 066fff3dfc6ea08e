/** The frames of a journal: what a crash takes, it takes by frames, of which each may have several records. */
import { frameBytes } from '../../../extproc/journal/format.ts';
import type { Position } from '../../../extproc/journal/position.ts';
import type { JournalRecord } from '../../../extproc/journal/reader.ts';

/** `end`: of the frame, and so of each of its records. */
export type Frame = { records: readonly JournalRecord[]; end: Position };

/** All but the last record of a group have as `next` a place within their frame. */
export async function* framesOf(records: AsyncIterable<JournalRecord>): AsyncGenerator<Frame> {
  let frame: JournalRecord[] = [];
  for await (const record of records) {
    frame.push(record);
    // Places that are less apart than the smallest frame is long are in the same one.
    if (record.next.offset - record.position.offset < frameBytes(0)) continue;
    yield { records: frame, end: record.next };
    frame = [];
  }
}
