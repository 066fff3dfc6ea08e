/** For retention, which is a process of its own: what families there are, and deleting one beside the writer. */
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from '../journal/fs.ts';
import { checkSegment } from './check-segment.ts';
import { type Tombstone, tombstonesOf } from './checkpoint.ts';
import { type Deleted, type DeletionParts, deleteFamily, type Family, finishDeletions } from './deletion.ts';
import { type Thinned, type ThinParts, thinFamily } from './held-family.ts';
import { heldDirectory, heldIn } from './held-places.ts';
import { namesIn, type SegmentPlace, segmentsIn, segmentsOf, tombstonesFile, writersIn } from './places.ts';
import { SignedLog } from './signed-log.ts';
import type { SigningKey } from './signing.ts';

/** All of one writer, class and day. `isOurs`: signed by the key that is here, so that its deletion can be signed. */
export type StoredFamily = Family & { writer: string; isOurs: boolean; segments: number; bytes: number };

export type RetireParts = Pick<ThinParts, 'ownerOf'> & {
  /** Of all writers. */
  directory: string;
  fileSystem: FileSystem;
  key: SigningKey;
  nowMs: () => number;
};

export class Retirement {
  readonly #parts: RetireParts;
  /** Opened by the first deletion, and again after a failure; all tombstones so far. */
  #opened: { log: SignedLog<Tombstone>; stones: Tombstone[] } | undefined;

  constructor(parts: RetireParts) {
    this.#parts = parts;
  }

  /** Those that were written; not what holds kept of them. */
  families(): Promise<StoredFamily[]> {
    return this.#families(segmentsIn);
  }

  /** What holds kept of families that went. */
  heldFamilies(): Promise<StoredFamily[]> {
    return this.#families(heldIn);
  }

  async #families(placesIn: typeof segmentsIn): Promise<StoredFamily[]> {
    const { directory, fileSystem, key } = this.#parts;
    const families = new Map<string, StoredFamily>();
    for (const writer of await writersIn(directory, fileSystem)) {
      for (const { retentionClass, day, path } of await placesIn(join(directory, writer), fileSystem)) {
        const name = [writer, retentionClass, day].join('/');
        const isOurs = writer === key.writer;
        const family = families.get(name) ?? { writer, isOurs, retentionClass, day, segments: 0, bytes: 0 };
        families.set(name, {
          ...family,
          segments: family.segments + 1,
          bytes: family.bytes + (await fileSystem.size(path)),
        });
      }
    }
    return [...families.values()];
  }

  /**
   * Each segment's tombstone is on disk before the segment goes; what broke off in between is finished first.
   * @throws SkilltapeError `archive_corrupt` for what is damaged, or still written: nothing is deleted then
   */
  async delete(family: Family, reason: string): Promise<Deleted> {
    const { directory, fileSystem, writer, log, nowMs } = await this.#deletion(family);
    // A move broke off before it came to the tombstones, and the hold ended since.
    if ((await namesIn(heldDirectory(directory, family), fileSystem)).length > 0)
      return this.thin(family, async () => new Set(), reason);
    return deleteFamily({ directory, fileSystem, writer, log, nowMs }, family, reason);
  }

  /**
   * Deletes all of a family but the exchanges that are held, also of one that was thinned out before. What of it is not
   * signed yet, damaged, or still written throws as for `delete`, and nothing is lost then: what was done is found done.
   */
  async thin(family: Family, heldOf: ThinParts['heldOf'], reason: string): Promise<Thinned> {
    const { key, ownerOf } = this.#parts;
    return thinFamily({ ...(await this.#deletion(family)), key, ownerOf, heldOf }, family, reason);
  }

  async #deletion(family: Family): Promise<DeletionParts & Pick<ThinParts, 'stones'>> {
    const { fileSystem, key, nowMs } = this.#parts;
    const directory = join(this.#parts.directory, key.writer);
    this.#opened ??= await this.#openLog(directory);
    const { log, stones } = this.#opened;
    const places = await segmentsOf(directory, family, fileSystem);
    // The last one refers to those before it, and may be written still.
    const last = places.at(-1);
    if (last !== undefined) await checkEnded(last, fileSystem);
    const append: SignedLog<Tombstone>['append'] = async (stone) => {
      // What a failure left of a line is cut off before another one comes behind it.
      this.#opened = undefined;
      const entry = await log.append(stone);
      this.#opened = { log, stones };
      stones.push(entry.value);
      return entry;
    };
    return { directory, fileSystem, writer: key.writer, log: { append }, nowMs, stones };
  }

  async #openLog(directory: string): Promise<{ log: SignedLog<Tombstone>; stones: Tombstone[] }> {
    const { fileSystem, key } = this.#parts;
    const log = new SignedLog<Tombstone>(join(directory, tombstonesFile), 'tombstone', key, fileSystem);
    const stones = (await log.open(tombstonesOf)).map(({ value }) => value);
    await finishDeletions(directory, fileSystem, stones);
    return { log, stones };
  }
}

async function checkEnded({ path }: SegmentPlace, fileSystem: FileSystem): Promise<void> {
  const { ended, findings } = await checkSegment(fileSystem, path, path, () => new Set());
  if (ended !== null || findings.length > 0) return;
  throw new SkilltapeError('archive_corrupt', `${path} is not ended yet`, {
    remedy: 'A running gateway ends it a day after its day, a start of one at once; then sweep again.',
  });
}
