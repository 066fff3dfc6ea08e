import type { Config } from './config/config.ts';
import type { OnFinished } from './exchange/ports.ts';
import type { FileSystem } from './journal/fs.ts';
import { journalDirectory, journalsIn, primaryJournal } from './journal/places.ts';
import type { Position } from './journal/position.ts';
import { JournalSpace } from './journal-space.ts';
import type { Log } from './log.ts';
import { openRecovered, untilUnlocked } from './recovery.ts';

/** The journals of workers that the configuration no longer has. */
export type LeftJournals = {
  readonly directories: readonly string[];
  /** For each of them: everything before this position is in the index. */
  delivered(positions: readonly (Position | null)[]): void;
  close(): Promise<void>;
};

/**
 * Takes over what workers left that there were before: what was open is ended, and it is shipped with the others. Such
 * a journal stays where it is, freed like the others when it has more than its part, and is a worker's again when one
 * is added.
 */
export async function takeOverLeft(parts: {
  config: Config;
  key: Uint8Array;
  log: Log;
  fileSystem: FileSystem;
  onFinished: OnFinished;
}): Promise<LeftJournals> {
  const { config, key, log, fileSystem, onFinished } = parts;
  await using opened = new AsyncDisposableStack();
  const spaces: JournalSpace[] = [];
  const directories: string[] = [];
  for (const worker of await journalsIn(config.dataDirectory, fileSystem)) {
    if (isInUse(worker, config.workers)) continue;
    const directory = journalDirectory(config.dataDirectory, worker);
    const place = { directory, log: log.child({ worker }), fileSystem };
    await untilUnlocked(place, config.drainMaxMs);
    const journalMaxBytes = Math.floor(config.journal.journalMaxBytes / config.workers);
    // Nothing is written to it after this: a disk that fails later is met by the workers.
    const told = { onFinished, onPoison: () => {} };
    const journal = await openRecovered({ ...place, ...told, limits: config.journal, journalMaxBytes, key });
    opened.defer(() => journal.close());
    spaces.push(opened.adopt(new JournalSpace({ journal, limits: config.journal, log }), (space) => space.close()));
    directories.push(directory);
  }
  const all = opened.move();
  return {
    directories,
    delivered(positions) {
      for (const [at, space] of spaces.entries()) space.delivered(positions[at] ?? null);
    },
    close: () => all.disposeAsync(),
  };
}

/** The primary's is used where there is one: beside several workers. */
function isInUse(journal: number, workers: number): boolean {
  return journal === primaryJournal ? workers > 1 : journal <= workers;
}
