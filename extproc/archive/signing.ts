/** The pair with which a writer signs, and signed lines: JSON, a tab, the Ed25519 signature of exactly that JSON. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from '../journal/fs.ts';
import { jsonOf } from './format.ts';

/** `writer` is the beginning of the hash of the public key, 16 hex digits: a writer's name cannot be taken by another key. */
export type SigningKey = { writer: string; privateKey: KeyObject; publicKey: KeyObject };

/** What is signed says what it is, so that a signed line cannot pass for one of another kind. */
export type SignedKind = 'checkpoint' | 'tombstone' | 'hold' | 'receipt';

const keyFileMaxBytes = 4096;

export function newSigningKey(): SigningKey {
  return withWriter(generateKeyPairSync('ed25519').privateKey);
}

/** PEM (PKCS #8), mode 600; made when there is none. @throws SkilltapeError `key_invalid` */
export async function loadOrCreateSigningKey(path: string, fileSystem: FileSystem): Promise<SigningKey> {
  const fresh = newSigningKey();
  await fileSystem.createSmall(path, Buffer.from(fresh.privateKey.export({ type: 'pkcs8', format: 'pem' })));
  const found = await fileSystem.readSmall(path, keyFileMaxBytes);
  if (found === undefined) throw unusable(path, 'it is not there', 'Start again.');
  if ((found.mode & ~0o600) !== 0) {
    throw unusable(path, `its mode ${found.mode.toString(8)} is wider than 600`, `chmod 600 ${path}`);
  }
  try {
    return withWriter(createPrivateKey({ key: Buffer.from(found.bytes), format: 'pem' }));
  } catch (cause) {
    const remedy =
      'Restore it from a backup, or move it away: a new key is made, and with it a new writer of the archive.';
    throw unusable(path, 'it is not a private key', remedy, cause);
  }
}

export function publicKeyPem(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

/** @throws SkilltapeError `key_invalid` */
export function publicKeyOf(pem: Uint8Array, path: string): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(pem), format: 'pem' });
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Told below.
  }
  throw unusable(path, 'it is not an Ed25519 public key', 'Give the public.pem that the writer of this archive made.');
}

export function writerOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}

/** With the line end. */
export function signedLine(kind: SignedKind, value: object, { privateKey }: Pick<SigningKey, 'privateKey'>): string {
  const json = JSON.stringify(value);
  return `${json}\t${sign(null, signedBytes(kind, json), privateKey).toString('base64url')}\n`;
}

/** The value of a line without its end; undefined when the signature is not of this key. */
export function verifiedLine(kind: SignedKind, line: string, publicKey: KeyObject): unknown {
  const tab = line.indexOf('\t');
  if (tab < 0) return undefined;
  const json = line.slice(0, tab);
  const written = line.slice(tab + 1);
  const signature = Buffer.from(written, 'base64url');
  // Other characters stand for the same bytes; the line, which the next one names by its hash, would be another.
  if (signature.toString('base64url') !== written) return undefined;
  return verify(null, signedBytes(kind, json), publicKey, signature) ? jsonOf(json) : undefined;
}

/** By which the next line names this one. */
export function lineHash(line: string): string {
  return createHash('sha256').update(line.replace(/\n$/, '')).digest('hex');
}

function signedBytes(kind: SignedKind, json: string): Buffer {
  return Buffer.from(`skilltape ${kind} v1\0${json}`);
}

function withWriter(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey);
  return { writer: writerOf(publicKey), privateKey, publicKey };
}

function unusable(path: string, why: string, remedy: string, cause?: unknown): SkilltapeError {
  return new SkilltapeError('key_invalid', `the signing key ${path} cannot be used: ${why}`, { remedy, cause });
}
