/** What there is of keys, and whether all of it opens. */
import { nodeKeyFiles } from './files.ts';
import { masterFromFile } from './master.ts';
import { loadMasterPublic } from './master-file.ts';
import { privateHalf } from './opener.ts';
import { allPairs, type KeyStore } from './pairs.ts';
import { keyPlaces } from './places.ts';
import { tombstonesOf } from './tombstones.ts';

/** `faults` names at most `faultsMax` files. `holdsMaster`: this directory alone opens everything. */
export type KeyStatus = { masterId: string; holdsMaster: boolean; keys: number; erasures: number; faults: string[] };

const faultsMax = 20;

/** @throws SkilltapeError `key_invalid` when there is no master public key, or the tombstones are damaged */
export async function keyStatus(dataDirectory: string, files: KeyStore['files'] = nodeKeyFiles): Promise<KeyStatus> {
  const places = keyPlaces(dataDirectory);
  const store = { places, files };
  const { id: masterId } = await loadMasterPublic(places, files);
  const holdsMaster = (await files.list(places.directory)).includes('master.key');
  const master = masterFromFile(dataDirectory, files);
  const erasures = (await tombstonesOf(store)()).entries.length;
  const faults: string[] = [];
  let keys = 0;
  for await (const { path, pair } of allPairs(store)) {
    keys += 1;
    if (!holdsMaster || faults.length >= faultsMax) continue;
    await privateHalf(pair, master).catch((thrown: unknown) => {
      faults.push(`${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    });
  }
  return { masterId, holdsMaster, keys, erasures, faults };
}
