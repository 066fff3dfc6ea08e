/** What readers have: the way from the sealed form back to the data key, by the person's private half and the master. */
import type { KeyObject } from 'node:crypto';
import { nodeKeyFiles } from './files.ts';
import { invalid } from './key-file.ts';
import { type PairFile, sealedForMaster } from './pair-file.ts';
import { findPair, type KeyStore } from './pairs.ts';
import { keyPlaces } from './places.ts';
import { dataKeyPurpose, decodeSealedKey, sealingContext } from './sealed-key.ts';
import { tombstonesOf } from './tombstones.ts';
import { importPrivate, openWith, publicOf } from './x25519.ts';

/** Something sealed to the public half of a master: it opens with `purpose` and `context` alone. */
export type SealedToMaster = { masterId: string; sealed: Uint8Array; purpose: string; context: Uint8Array };

/** Where the private half of the master is used: a file (`masterFromFile`), or a service for keys. */
export type MasterKey = {
  /** What was sealed. @throws SkilltapeError `key_invalid` when the master with that id is not there */
  open: (sealed: SealedToMaster) => Promise<Uint8Array>;
};

export type Opened =
  | { kind: 'opened'; key: Uint8Array }
  /** The person was erased; nobody can open it any more. */
  | { kind: 'erased'; erasedMs: number }
  /** The pair is gone and no tombstone says why. */
  | { kind: 'missing'; reason: string; remedy: string };

export type KeyOpener = {
  /** @throws SkilltapeError `key_invalid`: not a sealed key, sealed for another context, damaged, no master */
  open: (sealed: Uint8Array, context: string | Uint8Array) => Promise<Opened>;
};

/** Private halves that are kept open, of the persons seen last. */
const rememberedKeysMax = 256;

export function openOpener(options: {
  dataDirectory: string;
  master: MasterKey;
  files?: KeyStore['files'];
}): KeyOpener {
  const { dataDirectory, master, files = nodeKeyFiles } = options;
  const store = { places: keyPlaces(dataDirectory), files };
  const tombstones = tombstonesOf(store);
  const remembered = new Map<string, KeyObject>();

  const privateKeyOf = async (pair: PairFile): Promise<KeyObject> => {
    const known = remembered.get(pair.keyId);
    if (known !== undefined) return known;
    const key = importPrivate(await privateHalf(pair, master));
    for (const oldest of remembered.keys()) {
      if (remembered.size < rememberedKeysMax) break;
      remembered.delete(oldest);
    }
    remembered.set(pair.keyId, key);
    return key;
  };

  return {
    async open(bytes, context) {
      const { person, retentionClass, keyId, head, sealed } = decodeSealedKey(bytes);
      // Asked each time: another process may have erased the person since.
      const erasedMs = (await tombstones()).erasedMs.get(keyId);
      if (erasedMs !== undefined) {
        remembered.delete(keyId);
        return { kind: 'erased', erasedMs };
      }
      const pair = await findPair(store, { person, retentionClass }, keyId);
      if (pair === undefined) {
        const reason = `the key ${keyId} is not in ${store.places.persons}, and no tombstone says that it was erased`;
        return { kind: 'missing', reason, remedy: 'Run `skilltape keys restore` with a backup that has it.' };
      }
      const key = openWith(await privateKeyOf(pair), sealed, dataKeyPurpose, sealingContext(head, context));
      if (key !== undefined) return { kind: 'opened', key };
      throw invalid(
        'a sealed data key does not open with the key that it names',
        'It was made for something else (another segment, say), or it was changed.',
      );
    },
  };
}

/** @throws SkilltapeError `key_invalid` also when the public half in the file is not the one that belongs to it */
export async function privateHalf(pair: PairFile, master: MasterKey): Promise<Uint8Array> {
  const privateKey = await master.open(sealedForMaster(pair));
  if (pair.publicKey.equals(publicOf(privateKey))) return privateKey;
  throw invalid(
    `the public half of key ${pair.keyId} does not belong to its private half`,
    'Restore the keys from a backup. Whatever was sealed to it meanwhile can be read by whoever put it there.',
  );
}
