/** Erasing a person: every private half of theirs is destroyed, and a tombstone says so (inv. 9). */
import { nodeKeyFiles } from './files.ts';
import { invalid } from './key-file.ts';
import { loadNameKeys } from './names.ts';
import { type KeyStore, pairsOfPerson } from './pairs.ts';
import { type Person, personName } from './person.ts';
import { keyPlaces } from './places.ts';
import { addTombstone, erasedKeysMax, type Tombstones, tombstonesOf } from './tombstones.ts';

/** `head` is the hash of the newest tombstone, for a receipt. */
export type Erasure =
  | { kind: 'erased'; keys: number; retentionClasses: string[]; sequence: number; head: string }
  /** The person has no keys: nothing was ever sealed for them, or all was erased before. */
  | { kind: 'no_keys' };

/**
 * Needs no master. A later sealing for the person makes a new pair.
 * @throws SkilltapeError `key_invalid`; errors of the disk: erase again, which goes on where it stopped
 */
export async function erasePerson(options: {
  dataDirectory: string;
  person: Person;
  files?: KeyStore['files'];
  nowMs?: () => number;
}): Promise<Erasure> {
  const { dataDirectory, person, files = nodeKeyFiles, nowMs = Date.now } = options;
  const store = { places: keyPlaces(dataDirectory), files };
  await finishErasures(store);
  const persons = (await loadNameKeys(store.places, files)).map((nameKey) => personName(nameKey, person));
  const pairs = (await Promise.all(persons.map((name) => pairsOfPerson(store, name)))).flat();
  if (pairs.length === 0) return { kind: 'no_keys' };
  if (pairs.length > erasedKeysMax) {
    throw invalid(
      `the person has ${pairs.length} keys, more than ${erasedKeysMax}`,
      'Remove those of restored backups.',
    );
  }
  const keyIds = pairs.map(({ pair }) => pair.keyId);
  // First the tombstone: from here on the keys count as erased, whatever happens to this process.
  const { sequence, head } = await addTombstone(store, { erasedMs: nowMs(), persons, keyIds });
  for (const { path } of pairs) await files.destroy(path);
  const retentionClasses = [...new Set(pairs.map(({ pair }) => pair.retentionClass))].sort();
  return { kind: 'erased', keys: pairs.length, retentionClasses, sequence, head };
}

/**
 * Ids of the keys that a person has and had, also of those that are destroyed: what is sealed to them elsewhere is theirs.
 * @throws SkilltapeError `key_invalid`
 */
export async function keyIdsOfPerson(options: {
  dataDirectory: string;
  person: Person;
  files?: KeyStore['files'];
}): Promise<string[]> {
  const { dataDirectory, person, files = nodeKeyFiles } = options;
  const store = { places: keyPlaces(dataDirectory), files };
  const persons = (await loadNameKeys(store.places, files)).map((nameKey) => personName(nameKey, person));
  const pairs = (await Promise.all(persons.map((name) => pairsOfPerson(store, name)))).flat();
  const { entries } = await tombstonesOf(store)();
  const erased = entries.filter((entry) => entry.persons.some((name) => persons.includes(name)));
  return [...new Set([...pairs.map(({ pair }) => pair.keyId), ...erased.flatMap(({ keyIds }) => keyIds)])];
}

/** Destroys what an erasure that was broken off, a rotation beside one, or a copied-back folder left of erased keys. */
export async function finishErasures(store: KeyStore, known?: Tombstones): Promise<number> {
  const tombstones = known ?? (await tombstonesOf(store)());
  let destroyed = 0;
  for (const person of new Set(tombstones.entries.flatMap(({ persons }) => persons))) {
    for (const { path, pair } of await pairsOfPerson(store, person)) {
      if (!tombstones.erasedMs.has(pair.keyId)) continue;
      await store.files.destroy(path);
      destroyed += 1;
    }
  }
  return destroyed;
}
