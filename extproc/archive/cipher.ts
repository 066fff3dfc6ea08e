/** Seals and opens the content of one frame; it opens only in the segment and at the place it was made for. */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { authenticatedHeadBytes, TAG_BYTES } from './format.ts';

/** Whose exchange it is; `nobody` where no identity was verified. */
export type Person = { issuer: string; subject: string } | 'nobody';

/**
 * What the writer needs of keys: it holds public halves only. A fresh AES-256-GCM key, and the same key sealed to the
 * person's public half for this class and `context`. Asked once for each person and segment, so no key is used twice.
 */
export type Sealer = {
  sealedKeyFor(
    person: Person,
    retentionClass: string,
    context: Uint8Array,
  ): Promise<{ key: Uint8Array; sealed: Uint8Array }>;
  /** False when the person was erased since: what is sealed with that key from then on could never be read. */
  isCurrent(sealed: Uint8Array): Promise<boolean>;
  /** Of which pair of a person and class the sealed key is: the same text for the same pair. */
  pairOf(sealed: Uint8Array): string;
};

/** `erased`: the person's private half was destroyed. `missing`: it is not here, and nothing says why. */
export type OpenedKey = { kind: 'opened'; key: Uint8Array } | { kind: 'erased' } | { kind: 'missing'; reason: string };

/** What a reader needs of them. */
export type Opener = { open(sealed: Uint8Array, context: Uint8Array): Promise<OpenedKey> };

export function frameKey(key: Uint8Array): KeyObject {
  return createSecretKey(key);
}

/** Ciphertext and tag. The frame number is the nonce: within a segment it never comes twice, whatever the key. */
export function sealContent(
  key: KeyObject,
  segmentHash: Uint8Array,
  headBytes: Buffer,
  frameNumber: number,
  plain: Uint8Array,
): Buffer[] {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(frameNumber));
  cipher.setAAD(placeOf(segmentHash, headBytes));
  const sealed = cipher.update(plain);
  cipher.final();
  return [sealed, cipher.getAuthTag()];
}

/** Undefined: forged, moved, or another key. */
export function openContent(
  key: KeyObject,
  segmentHash: Uint8Array,
  headBytes: Buffer,
  frameNumber: number,
  content: Buffer,
): Buffer | undefined {
  if (content.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(frameNumber), { authTagLength: TAG_BYTES });
  decipher.setAAD(placeOf(segmentHash, headBytes));
  decipher.setAuthTag(content.subarray(-TAG_BYTES));
  const plain = decipher.update(content.subarray(0, -TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

function nonceOf(frameNumber: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(frameNumber, 8);
  return nonce;
}

/** The head has the frame's number and the chain up to it, so nothing before it can be changed either. */
function placeOf(segmentHash: Uint8Array, headBytes: Buffer): Buffer {
  return Buffer.concat([segmentHash, headBytes.subarray(0, authenticatedHeadBytes)]);
}
