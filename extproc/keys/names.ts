/** The keys of the hashes that name persons' files. The first one names new files, all of them find earlier ones. */
import { randomBytes } from 'node:crypto';
import type { KeyFiles } from './files.ts';
import { checkOwnersAlone, invalid } from './key-file.ts';
import type { KeyPlaces } from './places.ts';

const nameKeyBytes = 32;
/** One more with each restore into a directory that has made its own by then. */
export const nameKeysMax = 32;

/** At least one. @throws SkilltapeError `key_invalid` */
export async function loadNameKeys(places: KeyPlaces, files: KeyFiles): Promise<Buffer[]> {
  const found = await files.read(places.names, nameKeyBytes * nameKeysMax);
  if (found === undefined) {
    throw invalid(
      `there is no ${places.names}`,
      'Start skilltape once, or run `skilltape keys restore` with a backup.',
    );
  }
  checkOwnersAlone(places.names, found.mode, 'the key');
  const { bytes } = found;
  if (bytes.length === 0 || bytes.length % nameKeyBytes !== 0) {
    throw invalid(
      `${places.names} has ${bytes.length} bytes, not a multiple of ${nameKeyBytes}`,
      'Run `skilltape keys restore` with a backup. Without it persons are given new keys, and the old ones cannot be erased by name.',
    );
  }
  return Array.from({ length: bytes.length / nameKeyBytes }, (_, at) =>
    bytes.subarray(at * nameKeyBytes, (at + 1) * nameKeyBytes),
  );
}

export async function prepareNameKeys(places: KeyPlaces, files: KeyFiles): Promise<void> {
  await files.create(places.names, randomBytes(nameKeyBytes));
  await loadNameKeys(places, files);
}

/** Adds keys that a backup has and this directory has not. */
export async function addNameKeys(places: KeyPlaces, files: KeyFiles, added: readonly Buffer[]): Promise<void> {
  const found = await files.read(places.names, nameKeyBytes * nameKeysMax);
  const own = found === undefined ? [] : await loadNameKeys(places, files);
  const missing = added.filter((key) => !own.some((known) => known.equals(key)));
  if (own.length > 0 && missing.length === 0) return;
  if (own.length + missing.length > nameKeysMax) {
    throw invalid(`${places.names} would have more than ${nameKeysMax} keys`, 'Restore into an empty directory.');
  }
  await files.replace(places.names, Buffer.concat([...own, ...missing]));
}
