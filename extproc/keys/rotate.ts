/** A new master: persons' private halves are sealed to it, and nothing that was sealed to persons is written again. */
import { finishErasures } from './erase.ts';
import { nodeKeyFiles } from './files.ts';
import { invalid } from './key-file.ts';
import { masterFromFile } from './master.ts';
import {
  encodeMasterPublic,
  encodeMasters,
  loadMasterPrivate,
  type MasterPrivate,
  type MasterPublic,
  mastersMax,
  newMaster,
} from './master-file.ts';
import { type MasterKey, privateHalf } from './opener.ts';
import { encodePairFile, sealedTo } from './pair-file.ts';
import { allPairs, type KeyStore } from './pairs.ts';
import { keyPlaces } from './places.ts';

/** `kept`: earlier masters that are still in the file. */
export type Rotation = { masterId: string; rewrapped: number; kept: number };

/**
 * One at a time: the caller holds the lock of the directory. The master before stays for one more rotation, since a
 * writer may be sealing a new pair to it at this moment; `finish` makes no new one and drops all earlier ones.
 * Broken off, it is finished by another call.
 * @throws SkilltapeError `key_invalid`; errors of the disk
 */
export async function rotateMaster(options: {
  dataDirectory: string;
  finish?: boolean;
  files?: KeyStore['files'];
}): Promise<Rotation> {
  const { dataDirectory, finish = false, files = nodeKeyFiles } = options;
  const places = keyPlaces(dataDirectory);
  const store = { places, files };
  const before = await loadMasterPrivate(places, files);
  const masters = finish ? before : [newMaster(), ...before];
  const [current, previous] = masters as [MasterPrivate, ...MasterPrivate[]];
  if (masters.length > mastersMax) {
    throw invalid(`${places.master} has ${before.length} masters`, 'Run `skilltape keys rotate --finish` first.');
  }
  // The private half first: nothing may be sealed to a public one that nobody could open.
  if (!finish) await files.replace(places.master, encodeMasters(masters));
  await files.replace(places.masterPublic, encodeMasterPublic(current));
  const rewrapped = await rewrapPairs(store, masterFromFile(dataDirectory, files), current);
  const kept = finish || previous === undefined ? [current] : [current, previous];
  await files.replace(places.master, encodeMasters(kept));
  return { masterId: current.id, rewrapped, kept: kept.length - 1 };
}

/** Seals every private half that is sealed to another master to this one; returns how many. */
async function rewrapPairs(store: KeyStore, master: MasterKey, to: MasterPublic): Promise<number> {
  let rewrapped = 0;
  for await (const { path, pair } of allPairs(store)) {
    if (pair.masterId === to.id) continue;
    const privateKey = await privateHalf(pair, master);
    await store.files.replace(path, encodePairFile(sealedTo(to, pair, privateKey)));
    privateKey.fill(0);
    rewrapped += 1;
  }
  // A person who was erased between reading and replacing would be back; the tombstone is there by now.
  await finishErasures(store);
  return rewrapped;
}
