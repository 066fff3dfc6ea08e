/**
 * When the last sweeps were, read from the end of the receipts by whoever only has to know that: nothing is verified here,
 * a sweep itself does that before it does anything.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** One line has every day that a sweep took, of each store and class. Receipts of months fit. */
const tailMaxBytes = 16 * 1024 * 1024;

/**
 * Milliseconds since the epoch.
 * @property begunMs when the last one began, whatever became of it; null before the first
 * @property wholeMs when the last one ended that left nothing to do; null where none is known
 * @property toDo what the last one that ended left: steps, stores that were away, erasures
 */
export type LastSweep = { begunMs: number | null; wholeMs: number | null; toDo: number };

const none: LastSweep = { begunMs: null, wholeMs: null, toDo: 0 };

/** What is known is given again while the file is as it was. */
export class LastSweepReader {
  readonly #file: string;
  #read: { size: number; mtimeMs: number; last: LastSweep } | undefined;

  /** @param directory of the receipts */
  constructor(directory: string) {
    this.#file = join(directory, 'receipts.signed');
  }

  /** What was known before where the file cannot be read. */
  last(): LastSweep {
    try {
      const file = openSync(this.#file, 'r');
      try {
        const { size, mtimeMs } = fstatSync(file);
        if (this.#read?.size !== size || this.#read.mtimeMs !== mtimeMs) {
          const tail = Buffer.alloc(Math.min(size, tailMaxBytes));
          const bytes = readSync(file, tail, 0, tail.length, size - tail.length);
          this.#read = { size, mtimeMs, last: lastOf(tail.toString('utf8', 0, bytes)) };
        }
      } finally {
        closeSync(file);
      }
    } catch {
      // None was made yet, or the disk fails: then what comes next tells it.
    }
    return this.#read?.last ?? none;
  }
}

function lastOf(tail: string): LastSweep {
  const last = { ...none };
  let isEndSeen = false;
  for (const line of tail.split('\n').reverse()) {
    const event = eventOf(line);
    if (event.kind === 'sweep_begun') last.begunMs ??= timeOf(event);
    if (event.kind !== 'sweep_ended') continue;
    const toDo = toDoOf(event);
    if (!isEndSeen) last.toDo = toDo;
    isEndSeen = true;
    if (toDo === 0) last.wholeMs ??= timeOf(event);
    if (last.begunMs !== null && last.wholeMs !== null) break;
  }
  return last;
}

/** Empty for what is cut short, or no receipt. */
function eventOf(line: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(line.slice(0, Math.max(0, line.indexOf('\t')))));
  } catch {
    return {};
  }
}

function timeOf({ timeMs }: Record<string, unknown>): number | null {
  return typeof timeMs === 'number' ? timeMs : null;
}

function toDoOf({ toDo, away, erasures }: Record<string, unknown>): number {
  const { waiting } = Object(erasures) as { waiting?: unknown };
  const lengthOf = (list: unknown) => (Array.isArray(list) ? list.length : 0);
  return lengthOf(toDo) + lengthOf(waiting) + Object.keys(Object(away)).length;
}
