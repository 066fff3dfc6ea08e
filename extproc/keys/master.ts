/** The master in a file, as the port that readers use. */
import { nodeKeyFiles } from './files.ts';
import { invalid } from './key-file.ts';
import { loadMasterPrivate, type MasterPrivate } from './master-file.ts';
import type { MasterKey } from './opener.ts';
import type { KeyStore } from './pairs.ts';
import { keyPlaces } from './places.ts';
import { importPrivate, openWith } from './x25519.ts';

/**
 * Read when it is needed, and again when something is sealed to one that it did not have: after a rotation.
 * @throws SkilltapeError `key_invalid` from `open`
 */
export function masterFromFile(dataDirectory: string, files: KeyStore['files'] = nodeKeyFiles): MasterKey {
  const places = keyPlaces(dataDirectory);
  let masters: readonly MasterPrivate[] = [];
  return {
    async open({ masterId, sealed, purpose, context }) {
      const withId = () => masters.find(({ id }) => id === masterId);
      if (withId() === undefined) masters = await loadMasterPrivate(places, files);
      const master = withId();
      if (master === undefined) {
        throw invalid(
          `a key is sealed to master ${masterId}, which is not in ${places.master}`,
          'Put the copy of master.key from that time in its place, or restore a backup made after the rotation.',
        );
      }
      const opened = openWith(importPrivate(master.privateKey), sealed, purpose, context);
      if (opened !== undefined) return opened;
      throw invalid(
        `a key that is sealed to master ${masterId} was changed`,
        'Run `skilltape keys restore` with a backup.',
      );
    },
  };
}
