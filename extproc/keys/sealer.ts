/** What writers have: data keys sealed to persons. With all that a writer holds nothing sealed can be opened. */
import { randomBytes } from 'node:crypto';
import { nodeKeyFiles } from './files.ts';
import { loadNameKeys } from './names.ts';
import { currentPairBytes, type KeyStore, pairOf } from './pairs.ts';
import { checkedClass, type Person, personName } from './person.ts';
import { keyPlaces } from './places.ts';
import { dataKeyPurpose, decodeSealedKey, encodeKeyName, sealingContext } from './sealed-key.ts';
import { keyBytes, type Recipient, recipientOf, sealTo } from './x25519.ts';

/** Public halves that are kept ready, of the persons seen last. */
const rememberedPairsMax = 4096;

/** `key`: 32 bytes for AES-256-GCM, fresh; forget it when the thing is written. `sealed`: for its header, at most 150 bytes. */
export type DataKey = { key: Uint8Array; sealed: Uint8Array };

export type KeySealer = {
  /**
   * `context` names the one thing that the key is for (a segment's id, say): the sealed form opens with the same alone.
   * @throws SkilltapeError `key_invalid`; errors of the disk
   */
  sealedKeyFor: (person: Person, retentionClass: string, context: string | Uint8Array) => Promise<DataKey>;
  /**
   * False when the person was erased since: what is written under the data key from then on cannot be read any more.
   * Ask before a data key is used again after a while.
   */
  isCurrent: (sealed: Uint8Array) => Promise<boolean>;
  /** The id of the pair that it is sealed to. */
  pairOf: (sealed: Uint8Array) => string;
};

type Remembered = { bytes: Buffer; keyId: string; publicKey: Recipient };

/** Needs the keys prepared (`prepareKeys`). @throws SkilltapeError `key_invalid` */
export async function openSealer(options: {
  dataDirectory: string;
  files?: KeyStore['files'];
  nowMs?: () => number;
}): Promise<KeySealer> {
  const { dataDirectory, files = nodeKeyFiles, nowMs = Date.now } = options;
  const store = { places: keyPlaces(dataDirectory), files };
  const [nameKey = new Uint8Array()] = await loadNameKeys(store.places, files);
  const remembered = new Map<string, Remembered>();

  /** The file is read each time, since another process may have erased the person; what it says is parsed once. */
  const current = async (person: string, retentionClass: string): Promise<Remembered> => {
    const { path, bytes } = await currentPairBytes(store, { person, retentionClass }, nowMs);
    let known = remembered.get(path);
    if (known === undefined || !known.bytes.equals(bytes)) {
      const { keyId, publicKey } = pairOf(path, bytes, { person, retentionClass });
      known = { bytes, keyId, publicKey: recipientOf(publicKey) };
    }
    remembered.delete(path);
    remembered.set(path, known);
    for (const oldest of remembered.keys()) {
      if (remembered.size <= rememberedPairsMax) break;
      remembered.delete(oldest);
    }
    return known;
  };

  return {
    async sealedKeyFor(person, retentionClass, context) {
      const name = personName(nameKey, person);
      const { keyId, publicKey } = await current(name, checkedClass(retentionClass));
      const head = encodeKeyName({ person: name, retentionClass, keyId });
      const key = randomBytes(keyBytes);
      const sealed = sealTo(publicKey, key, dataKeyPurpose, sealingContext(head, context));
      return { key, sealed: Buffer.concat([head, sealed]) };
    },
    async isCurrent(sealed) {
      const { person, retentionClass, keyId } = decodeSealedKey(sealed);
      return (await current(person, retentionClass)).keyId === keyId;
    },
    pairOf: (sealed) => decodeSealedKey(sealed).keyId,
  };
}
