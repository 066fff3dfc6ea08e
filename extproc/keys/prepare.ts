/** What the process that owns the keys does at its start, before any writer of it opens. */
import { finishErasures } from './erase.ts';
import { nodeKeyFiles } from './files.ts';
import { type MasterState, prepareMaster } from './master-file.ts';
import { prepareNameKeys } from './names.ts';
import type { KeyStore } from './pairs.ts';
import { keyPlaces } from './places.ts';

/** To be told once, when `prepareKeys` says `created`. */
export function masterCreatedWarning(dataDirectory: string): string {
  return `a master key was made: ${keyPlaces(dataDirectory).master}. Copy it to a place of its own now: without it nothing that is sealed to persons can ever be read again, by nobody`;
}

/** Makes what is missing at the first start and finishes erasures that were broken off. @throws SkilltapeError `key_invalid` */
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
