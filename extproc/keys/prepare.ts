/** What the process that owns the keys does at its start, before any writer of it opens. */
import { finishErasures } from './erase.ts';
import { nodeKeyFiles } from './files.ts';
import { type MasterState, prepareMaster } from './master-file.ts';
import { prepareNameKeys } from './names.ts';
import type { KeyStore } from './pairs.ts';
import { keyPlaces } from './places.ts';

/**
 * Makes what is missing at the first start and finishes erasures that were broken off. `created` is to be told once, with
 * the place: without a copy of the master nothing that is sealed to persons could be read again.
 * @throws SkilltapeError `key_invalid`
 */
export async function prepareKeys(
  dataDirectory: string,
  files: KeyStore['files'] = nodeKeyFiles,
): Promise<MasterState> {
  const places = keyPlaces(dataDirectory);
  const state = await prepareMaster(places, files);
  await prepareNameKeys(places, files);
  await finishErasures({ places, files });
  return state;
}
