/** Whether a person was erased, for whoever meets their name in a copy. */
import type { KeyFiles } from './files.ts';
import { nodeKeyFiles } from './files.ts';
import { loadNameKeys } from './names.ts';
import { personName } from './person.ts';
import { keyPlaces } from './places.ts';
import { tombstonesOf } from './tombstones.ts';

type PersonName = { issuer: string; subject: string };
/** When the person was erased last, in milliseconds; null: never. What they said later is another record. */
export type ErasedMs = (person: PersonName) => number | null;

/** Reads tombstones once. Needs no master. @throws SkilltapeError `key_invalid` */
export async function erasedPersons(dataDirectory: string, files: KeyFiles = nodeKeyFiles): Promise<ErasedMs> {
  const store = { places: keyPlaces(dataDirectory), files };
  const nameKeys = await loadNameKeys(store.places, files);
  const last = new Map<string, number>();
  for (const { persons, erasedMs } of (await tombstonesOf(store)()).entries)
    for (const name of persons) last.set(name, Math.max(erasedMs, last.get(name) ?? 0));
  return (person) => {
    if (last.size === 0) return null;
    const times = nameKeys.flatMap((nameKey) => last.get(personName(nameKey, person)) ?? []);
    return times.length === 0 ? null : Math.max(...times);
  };
}
