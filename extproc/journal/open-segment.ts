/** Segment files opened for reading, with their keys; a few are kept open for random access. */
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { type SegmentCipher, segmentCipher } from './cipher.ts';
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES } from './format.ts';
import { type FileSystem, isSystemError, type ReadFile } from './fs.ts';
import { segmentFileName } from './position.ts';

type Place = { directory: string; fileSystem: FileSystem; key: Uint8Array };
export type OpenSegment = { path: string; file: ReadFile; cipher: SegmentCipher };

/**
 * Undefined when this is the newest segment and its header is still being written. Errors: `not_found` when the file is
 * gone, `journal_corrupt`.
 */
export async function openSegment(place: Place, sequence: number, isNewest: boolean): Promise<OpenSegment | undefined> {
  const path = join(place.directory, segmentFileName(sequence));
  const file = await openFile(place.fileSystem, path);
  try {
    const decoded = decodeSegmentHeader(await file.read(0, SEGMENT_HEADER_BYTES));
    if (decoded.status === 'header' && decoded.header.sequence === sequence) {
      return { path, file, cipher: segmentCipher(place.key, decoded.header) };
    }
    const isBeingMade = isNewest && decoded.status === 'damaged' && (await file.size()) <= SEGMENT_HEADER_BYTES;
    if (!isBeingMade) {
      const reason = decoded.status === 'header' ? 'it holds another segment' : decoded.reason;
      throw corrupt(path, 0, reason);
    }
    await file.close();
    return undefined;
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

/** What is in use is not closed; beyond `KEPT_OPEN` the one opened longest ago goes. */
export class SegmentCache {
  readonly #place: Place;
  readonly #kept = new Map<number, Kept>();

  constructor(place: Place) {
    this.#place = place;
  }

  async use<T>(sequence: number, run: (segment: OpenSegment) => Promise<T>): Promise<T> {
    const kept = this.#kept.get(sequence) ?? this.#open(sequence);
    kept.users += 1;
    try {
      return await run(await kept.opening);
    } finally {
      kept.users -= 1;
      if (kept.users === 0 && this.#kept.get(sequence) !== kept) await shut(kept);
    }
  }

  async close(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    for (const kept of all) if (kept.users === 0) await shut(kept);
  }

  #open(sequence: number): Kept {
    const opening = openSegment(this.#place, sequence, false).then((segment) => {
      if (segment === undefined) throw new SkilltapeError('internal', 'a segment was judged as being made');
      return segment;
    });
    const kept: Kept = { opening, users: 0 };
    this.#kept.set(sequence, kept);
    opening.catch(() => this.#kept.delete(sequence));
    const [oldest] = this.#kept;
    if (this.#kept.size > KEPT_OPEN && oldest !== undefined) {
      this.#kept.delete(oldest[0]);
      if (oldest[1].users === 0) void shut(oldest[1]);
    }
    return kept;
  }
}

type Kept = { opening: Promise<OpenSegment>; users: number };
/** A file deleted while open keeps its space on disk, so few are held. */
const KEPT_OPEN = 4;

async function shut(kept: Kept): Promise<void> {
  await kept.opening.then(
    (segment) => segment.file.close(),
    () => {},
  );
}

async function openFile(fileSystem: FileSystem, path: string): Promise<ReadFile> {
  try {
    return await fileSystem.openRead(path);
  } catch (thrown) {
    if (!isSystemError(thrown, 'ENOENT')) throw SkilltapeError.from(thrown);
    throw new SkilltapeError('not_found', `${path} is not there: freed, or never written`, { cause: thrown });
  }
}

export function corrupt(file: string, offset: number, reason: string): SkilltapeError {
  return new SkilltapeError('journal_corrupt', `${file} is damaged at offset ${offset}: ${reason}`, {
    remedy: 'Keep a copy of the directory. To go on without the rest of this segment, read from the next one.',
  });
}
