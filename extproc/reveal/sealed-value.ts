/** One value under the data key of its batch: AES-256-GCM, the nonce counts, session and token are authenticated. */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

const tagBytes = 16;

/** A counter must not come twice under a key, which is made once for all values of a batch: that costs more than sealing one. */
export function sealValue(key: KeyObject, counter: number, session: string, token: string, value: string): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(counter));
  cipher.setAAD(placeOf(session, token));
  return Buffer.concat([cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined: changed, moved to another token or session, or another key. */
export function openValue(
  key: Uint8Array,
  counter: number,
  session: string,
  token: string,
  sealed: Uint8Array,
): string | undefined {
  if (sealed.length < tagBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(counter), { authTagLength: tagBytes });
  decipher.setAAD(placeOf(session, token));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const value = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    return Buffer.concat([value, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

function nonceOf(counter: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(BigInt(counter), 4);
  return nonce;
}

function placeOf(session: string, token: string): Buffer {
  return Buffer.from(JSON.stringify([session, token]));
}
