/** A data directory with keys, and disks that end the process in the middle. */
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type KeyFiles, nodeKeyFiles } from '../../../extproc/keys/files.ts';
import { masterFromFile } from '../../../extproc/keys/master.ts';
import { type KeyOpener, openOpener } from '../../../extproc/keys/opener.ts';
import type { Person } from '../../../extproc/keys/person.ts';
import { type KeyPlaces, keyPlaces } from '../../../extproc/keys/places.ts';
import { prepareKeys } from '../../../extproc/keys/prepare.ts';
import { type KeySealer, openSealer } from '../../../extproc/keys/sealer.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

export const alice: Person = { issuer: 'https://id.example', subject: 'alice-7f3a' };
export const bob: Person = { issuer: 'https://id.example', subject: 'bob-99c1' };

export type Keyring = { dataDirectory: string; places: KeyPlaces; sealer: KeySealer; opener: KeyOpener };

export async function keyring(context: TestContext): Promise<Keyring> {
  const dataDirectory = temporaryDirectory(context);
  await prepareKeys(dataDirectory);
  return openKeyring(dataDirectory);
}

export async function openKeyring(dataDirectory: string): Promise<Keyring> {
  const sealer = await openSealer({ dataDirectory });
  const opener = openOpener({ dataDirectory, master: masterFromFile(dataDirectory) });
  return { dataDirectory, places: keyPlaces(dataDirectory), sealer, opener };
}

export function bytesOf(path: string): Buffer {
  return readFileSync(path);
}

export class ProcessEnded extends Error {}

/** Every call that changes something counts; the one after `passing` ends the process, before or after its effect. */
export function endingFiles(passing: number, takesEffect: boolean): KeyFiles {
  let left = passing;
  const step = async <T>(run: () => Promise<T>): Promise<T> => {
    if (left < 0) throw new ProcessEnded();
    left -= 1;
    if (left >= 0) return run();
    if (takesEffect) await run();
    throw new ProcessEnded();
  };
  return {
    read: nodeKeyFiles.read,
    list: nodeKeyFiles.list,
    create: (path, bytes) => step(() => nodeKeyFiles.create(path, bytes)),
    replace: (path, bytes) => step(() => nodeKeyFiles.replace(path, bytes)),
    destroy: (path) => step(() => nodeKeyFiles.destroy(path)),
  };
}
