/**
 * Sealing to a public key: ephemeral X25519 (RFC 7748), HKDF-SHA256 (RFC 5869), AES-256-GCM. Whoever holds only the
 * public half can seal and cannot open. Keys are their 32 raw bytes outside this file.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';

export const keyBytes = 32;
const tagBytes = 16;
/** What sealing adds: the ephemeral public half and the tag. */
export const sealingBytes = keyBytes + tagBytes;

/** DER around the 32 bytes of a key, RFC 8410. */
const publicPrefix = Buffer.from('302a300506032b656e032100', 'hex');
const privatePrefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
// Each sealing has an AES key of its own, so the nonce cannot come twice under one.
const nonce = Buffer.alloc(12);

export type Pair = { publicKey: Uint8Array; privateKey: Uint8Array };

export function newPair(): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { publicKey: rawPublic(publicKey), privateKey: rawPrivate(privateKey) };
}

/** The public half that belongs to a private one. */
export function publicOf(privateKey: Uint8Array): Uint8Array {
  return rawPublic(createPublicKey(importPrivate(privateKey)));
}

/** @throws when it has not 32 bytes */
export function importPublic(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: der(publicPrefix, publicKey), format: 'der', type: 'spki' });
}

/** @throws when it has not 32 bytes */
export function importPrivate(privateKey: Uint8Array): KeyObject {
  return createPrivateKey({ key: der(privatePrefix, privateKey), format: 'der', type: 'pkcs8' });
}

/** A public half as the library takes it, beside its bytes. */
export type Recipient = { key: KeyObject; raw: Uint8Array };

export function recipientOf(publicKey: Uint8Array): Recipient {
  return { key: importPublic(publicKey), raw: publicKey };
}

/** Ephemeral public half, ciphertext, tag. It opens only with the same `purpose` and `context`. */
export function sealTo(
  recipient: Recipient,
  plain: Uint8Array,
  purpose: string,
  context: Uint8Array,
): Buffer<ArrayBuffer> {
  const ephemeral = generateKeyPairSync('x25519');
  const ephemeralPublic = rawPublic(ephemeral.publicKey);
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient.key });
  const cipher = createCipheriv(
    'aes-256-gcm',
    sealingKey(shared, ephemeralPublic, recipient.raw, purpose, context),
    nonce,
  );
  return Buffer.concat([ephemeralPublic, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** What was sealed, or undefined: another key, another purpose or context, or changed on the way. */
export function openWith(
  privateKey: KeyObject,
  sealed: Uint8Array,
  purpose: string,
  context: Uint8Array,
): Buffer | undefined {
  if (sealed.length < sealingBytes) return undefined;
  const ephemeralPublic = sealed.subarray(0, keyBytes);
  try {
    const shared = diffieHellman({ privateKey, publicKey: importPublic(ephemeralPublic) });
    const own = rawPublic(createPublicKey(privateKey));
    const key = sealingKey(shared, ephemeralPublic, own, purpose, context);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    const plain = decipher.update(sealed.subarray(keyBytes, sealed.length - tagBytes));
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    // A forged ephemeral half of small order is refused by the library in the same way.
    return undefined;
  }
}

/** Both public halves go into the key, so that a sealing cannot be passed off as one to somebody else. */
function sealingKey(
  shared: Uint8Array,
  ephemeralPublic: Uint8Array,
  recipient: Uint8Array,
  purpose: string,
  context: Uint8Array,
): Buffer {
  const salt = Buffer.concat([ephemeralPublic, recipient]);
  // HKDF of the library takes 1024 bytes of info at most, and a context may be longer.
  const info = Buffer.concat([Buffer.from(purpose), Buffer.alloc(1), createHash('sha256').update(context).digest()]);
  return Buffer.from(hkdfSync('sha256', shared, salt, info, keyBytes));
}

function rawPublic(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-keyBytes);
}

function rawPrivate(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'pkcs8' }).subarray(-keyBytes);
}

function der(prefix: Buffer, raw: Uint8Array): Buffer {
  if (raw.length !== keyBytes) throw new Error(`an X25519 key has ${keyBytes} bytes, not ${raw.length}`);
  return Buffer.concat([prefix, raw]);
}
