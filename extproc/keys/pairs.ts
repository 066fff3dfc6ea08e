/** The pairs of persons on disk: found by name, made when there is none, listed. */
import { join } from 'node:path';
import type { KeyFiles } from './files.ts';
import { invalid } from './key-file.ts';
import { loadMasterPublic } from './master-file.ts';
import { decodePairFile, encodePairFile, newPairFile, type PairFile, pairFileMaxBytes } from './pair-file.ts';
import { pairFileName } from './person.ts';
import type { KeyPlaces } from './places.ts';

export type KeyStore = { places: KeyPlaces; files: KeyFiles };
export type PairOwner = { person: string; retentionClass: string };

/** The bytes of the file to which new things are sealed; made when the person has none. */
export async function currentPairBytes(
  { places, files }: KeyStore,
  owner: PairOwner,
  nowMs: () => number,
): Promise<{ path: string; bytes: Buffer }> {
  const path = join(places.persons, pairFileName(owner.person, owner.retentionClass));
  const found = await files.read(path, pairFileMaxBytes);
  if (found !== undefined) return { path, bytes: found.bytes };
  // Read for each new pair: after a rotation nothing is to be sealed to the master before.
  const bytes = encodePairFile(newPairFile(owner, await loadMasterPublic(places, files), nowMs()));
  if (await files.create(path, bytes)) return { path, bytes };
  // Another process made it in between; its pair is the pair.
  const theirs = await files.read(path, pairFileMaxBytes);
  if (theirs !== undefined) return { path, bytes: theirs.bytes };
  throw invalid(`${path} was made and removed at the same time`, 'The person was erased meanwhile; try again.');
}

/** @throws SkilltapeError `key_invalid` when the file is damaged, or is another's file under this name */
export function pairOf(path: string, bytes: Uint8Array, owner: PairOwner): PairFile {
  const pair = decodePairFile(path, bytes);
  if (pair.person === owner.person && pair.retentionClass === owner.retentionClass) return pair;
  throw invalid(
    `${path} is the key of another person or class`,
    'Somebody moved files in there. Restore the keys from a backup, and find out who did.',
  );
}

/** The pair with this id: the current one of its owner, or one that a restore brought back beside it. */
export async function findPair(
  { places, files }: KeyStore,
  owner: PairOwner,
  keyId: string,
): Promise<PairFile | undefined> {
  for (const olderKeyId of [undefined, keyId]) {
    const path = join(places.persons, pairFileName(owner.person, owner.retentionClass, olderKeyId));
    const found = await files.read(path, pairFileMaxBytes);
    if (found === undefined) continue;
    const pair = pairOf(path, found.bytes, owner);
    if (pair.keyId === keyId) return pair;
  }
  return undefined;
}

/** Every pair of one person, all classes, with its file. */
export async function pairsOfPerson(store: KeyStore, person: string): Promise<{ path: string; pair: PairFile }[]> {
  const folder = join(store.places.persons, person.slice(0, 2));
  const names = (await store.files.list(folder)).filter((name) => name.startsWith(`${person}.`));
  return readPairs(store, folder, names);
}

/** Every pair, folder by folder: all of them together may be too many for memory. */
export async function* allPairs(store: KeyStore): AsyncGenerator<{ path: string; pair: PairFile }> {
  for (const folder of await store.files.list(store.places.persons)) {
    const path = join(store.places.persons, folder);
    yield* await readPairs(store, path, await store.files.list(path));
  }
}

async function readPairs(
  { files }: KeyStore,
  folder: string,
  names: readonly string[],
): Promise<{ path: string; pair: PairFile }[]> {
  const pairs: { path: string; pair: PairFile }[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const found = await files.read(path, pairFileMaxBytes);
    if (found !== undefined) pairs.push({ path, pair: decodePairFile(path, found.bytes) });
  }
  return pairs;
}
