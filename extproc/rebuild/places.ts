/** Where a new index is made, and how it comes into the place of the one that was lost. */
import { basename, dirname, join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from '../journal/fs.ts';
import { journalDirectory, journalsIn, primaryJournal } from '../journal/places.ts';

/** Holds the local file of the new index while it is made. */
export function rebuildDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'rebuild');
}

export type Gateway = { kind: 'stopped'; release(): Promise<void> } | { kind: 'running'; holder: string };

/** Keeps a gateway of so many workers from starting over this data directory, by the locks that it takes on its journals. */
export async function keepStopped(dataDirectory: string, workers: number, fileSystem: FileSystem): Promise<Gateway> {
  const released: (() => Promise<void>)[] = [];
  const release = async () => {
    for (const one of released.splice(0)) await one();
  };
  try {
    // Also where there are none yet: with several workers it is the primary that writes to the index.
    const numbers = new Set([
      1,
      ...(workers > 1 ? [primaryJournal] : []),
      ...(await journalsIn(dataDirectory, fileSystem)),
    ]);
    for (const number of numbers) {
      const directory = journalDirectory(dataDirectory, number);
      await fileSystem.makeDirectory(directory);
      const lock = await fileSystem.lock(directory);
      if (lock.status === 'held') {
        await release();
        return { kind: 'running', holder: lock.holder };
      }
      released.push(lock.release);
    }
  } catch (thrown) {
    await release();
    throw thrown;
  }
  return { kind: 'stopped', release };
}

const companions = ['', '-wal', '-shm'];

/** Removes what an earlier rebuild left. */
export async function clear(directory: string, fileSystem: FileSystem): Promise<void> {
  for (const name of await fileSystem.list(directory)) await fileSystem.remove(join(directory, name));
}

/** Throws SkilltapeError `usage` where something stands in the place of the new one. */
export async function refuseTaken(file: string, fileSystem: FileSystem): Promise<void> {
  const names = await fileSystem.list(dirname(file));
  const [taken] = companions.map((end) => `${basename(file)}${end}`).filter((name) => names.includes(name));
  if (taken === undefined) return;
  throw new SkilltapeError('usage', `${join(dirname(file), taken)} is still there`, {
    remedy: `stop the gateway, move ${companions.map((end) => `${basename(file)}${end}`).join(', ')} out of the data directory, and repeat it`,
  });
}

/** Throws SkilltapeError `index_failed` where the new one is not whole in its file. */
export async function putInPlace(from: string, to: string, fileSystem: FileSystem): Promise<void> {
  await refuseTaken(to, fileSystem);
  // SQLite takes them away when the last one who had it open has closed it.
  if ((await fileSystem.list(dirname(from))).includes(`${basename(from)}-wal`))
    throw new SkilltapeError('index_failed', `${from} is still open somewhere`, { remedy: 'end that, and repeat it' });
  await fileSystem.rename(from, to);
  await fileSystem.syncDirectory(dirname(to));
}
