/**
 * The sealed form of a data key, as it stands in the header of what was encrypted with it.
 *
 *   "SKTK" | version u8 = 1 | class length u8 | class | person 16 | key id 16 | ephemeral public half 32 | key 32 | tag 16
 *
 * Everything before the ephemeral half, and the caller's context, is bound into the sealing.
 */
import { invalid } from './key-file.ts';
import { keyIdBytes } from './pair-file.ts';
import { classPattern, personNameBytes } from './person.ts';
import { keyBytes, sealingBytes } from './x25519.ts';

export const dataKeyPurpose = 'skilltape data key v1';
const magic = Buffer.from('SKTK\x01');
const sealedBytes = keyBytes + sealingBytes;

/** Which pair a data key is sealed to; `person` and `keyId` in hex. */
export type KeyName = { person: string; retentionClass: string; keyId: string };

export function encodeKeyName({ person, retentionClass, keyId }: KeyName): Buffer {
  const name = Buffer.from(retentionClass, 'latin1');
  return Buffer.concat([magic, Buffer.of(name.length), name, Buffer.from(person, 'hex'), Buffer.from(keyId, 'hex')]);
}

export type SealedKey = KeyName & { head: Uint8Array; sealed: Uint8Array };

/** @throws SkilltapeError `key_invalid` */
export function decodeSealedKey(bytes: Uint8Array): SealedKey {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const classBytes = view.length > magic.length ? view.readUInt8(magic.length) : 0;
  const personAt = magic.length + 1 + classBytes;
  const keyIdAt = personAt + personNameBytes;
  const sealedAt = keyIdAt + keyIdBytes;
  const retentionClass = view.toString('latin1', magic.length + 1, personAt);
  const isWhole = view.subarray(0, magic.length).equals(magic) && view.length === sealedAt + sealedBytes;
  if (!isWhole || !classPattern.test(retentionClass)) {
    throw invalid(
      `${view.length} bytes are not a sealed data key of version 1`,
      'What holds it is damaged, or was written by a later version of skilltape.',
    );
  }
  return {
    person: view.toString('hex', personAt, keyIdAt),
    retentionClass,
    keyId: view.toString('hex', keyIdAt, sealedAt),
    head: view.subarray(0, sealedAt),
    sealed: view.subarray(sealedAt),
  };
}

/** Length first, so that one name and context cannot pass for another. */
export function sealingContext(head: Uint8Array, context: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(head.length), head, typeof context === 'string' ? Buffer.from(context) : context]);
}
