/**
 * A person's pair for one retention class as it is on disk: the public half, and the private one sealed to the master.
 * JSON; binary fields are base64url.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { binary, hex, invalid, jsonOf } from './key-file.ts';
import type { MasterPublic } from './master-file.ts';
import { checkedClass, classPattern, personNameBytes } from './person.ts';
import { keyBytes, newPair, recipientOf, sealingBytes, sealTo } from './x25519.ts';

export const pairFileMaxBytes = 2048;
export const keyIdBytes = 16;
const sealedPrivateBytes = keyBytes + sealingBytes;
const purpose = 'skilltape person key v1';

const pairFile = z.strictObject({
  version: z.literal(1),
  keyId: hex(keyIdBytes),
  /** Keyed hash of the person, as in the file's own name. */
  person: hex(personNameBytes),
  retentionClass: z.string().regex(classPattern),
  createdMs: z.int().nonnegative(),
  publicKey: binary(keyBytes),
  masterId: hex(8),
  sealedPrivateKey: binary(sealedPrivateBytes),
});

export type PairFile = z.output<typeof pairFile>;
type Unsealed = Omit<PairFile, 'masterId' | 'sealedPrivateKey'>;

/** Makes a pair and forgets its private half: what is returned can be opened with the master alone. */
export function newPairFile(
  owner: { person: string; retentionClass: string },
  master: MasterPublic,
  nowMs: number,
): PairFile {
  const { publicKey, privateKey } = newPair();
  const pair = {
    version: 1 as const,
    keyId: randomBytes(keyIdBytes).toString('hex'),
    person: owner.person,
    retentionClass: checkedClass(owner.retentionClass),
    createdMs: nowMs,
    publicKey: Buffer.from(publicKey),
  };
  const sealed = sealedTo(master, pair, privateKey);
  privateKey.fill(0);
  return sealed;
}

/** The same pair with its private half sealed to a master. */
export function sealedTo(master: MasterPublic, pair: Unsealed, privateKey: Uint8Array): PairFile {
  const sealedPrivateKey = sealTo(recipientOf(master.publicKey), privateKey, purpose, pairContext(pair));
  return { ...pair, masterId: master.id, sealedPrivateKey };
}

/** What a master is given to open; `context` binds the private half to all that the file says of it. */
export function sealedForMaster(pair: PairFile): {
  masterId: string;
  sealed: Buffer;
  purpose: string;
  context: Buffer;
} {
  return { masterId: pair.masterId, sealed: pair.sealedPrivateKey, purpose, context: pairContext(pair) };
}

function pairContext({ keyId, person, retentionClass, publicKey }: Unsealed) {
  return Buffer.from(`${keyId} ${person} ${retentionClass} ${Buffer.from(publicKey).toString('hex')}`);
}

export function encodePairFile(pair: PairFile): Buffer {
  const { publicKey, sealedPrivateKey, ...others } = pair;
  const text = (bytes: Buffer) => bytes.toString('base64url');
  return Buffer.from(
    `${JSON.stringify({ ...others, publicKey: text(publicKey), sealedPrivateKey: text(sealedPrivateKey) })}\n`,
  );
}

/** @throws SkilltapeError `key_invalid` naming the file */
export function decodePairFile(path: string, bytes: Uint8Array): PairFile {
  const read = pairFile.safeParse(jsonOf(bytes));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw invalid(
    `${path} is not a person's key: ${issue?.path.join('.')} ${issue?.message}`,
    'Move it away and run `skilltape keys restore` with a backup that has it; without one, what was sealed to it is lost.',
  );
}
