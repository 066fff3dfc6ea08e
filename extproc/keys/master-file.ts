/**
 * The master: the X25519 pair to which the private half of every person's pair is sealed. `master.key` has the private
 * halves, the current one first; `master.pub` has the public half of the current one, and is all that writers read.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { KeyFiles } from './files.ts';
import { binary, checkOwnersAlone, invalid, jsonOf } from './key-file.ts';
import type { KeyPlaces } from './places.ts';
import { keyBytes, newPair, publicOf } from './x25519.ts';

const fileMaxBytes = 16_384;
/** Current and earlier ones in one file; earlier ones go when nothing is sealed to them any more. */
export const mastersMax = 16;

const key = binary(keyBytes);
const masterKeyFile = z.strictObject({ version: z.literal(1), privateKeys: z.array(key).min(1).max(mastersMax) });
const masterPublicFile = z.strictObject({ version: z.literal(1), publicKey: key });

/** `id`: the beginning of the hash of the public half, 16 hex digits. */
export type MasterPublic = { id: string; publicKey: Buffer };
export type MasterPrivate = MasterPublic & { privateKey: Buffer };

/** @throws SkilltapeError `key_invalid` when there is none, or it cannot be read */
export async function loadMasterPublic(places: KeyPlaces, files: KeyFiles): Promise<MasterPublic> {
  const found = await files.read(places.masterPublic, fileMaxBytes);
  if (found === undefined) throw invalid(`there is no master public key at ${places.masterPublic}`, restoreRemedy);
  const read = masterPublicFile.safeParse(jsonOf(found.bytes));
  if (!read.success) {
    throw invalid(
      `${places.masterPublic} is not a master public key`,
      `Remove it; it is made again from ${places.master} at the next start.`,
    );
  }
  return withId(read.data.publicKey);
}

/** The current one first. @throws SkilltapeError `key_invalid` */
export async function loadMasterPrivate(places: KeyPlaces, files: KeyFiles): Promise<MasterPrivate[]> {
  const found = await files.read(places.master, fileMaxBytes);
  if (found === undefined) throw invalid(`there is no master key at ${places.master}`, restoreRemedy);
  const more = '; if somebody may have read it, `skilltape keys rotate` as well.';
  checkOwnersAlone(places.master, found.mode, 'the master key', more);
  const read = masterKeyFile.safeParse(jsonOf(found.bytes));
  if (!read.success) throw invalid(`the master key ${places.master} is cut short or damaged`, restoreRemedy);
  return read.data.privateKeys.map((privateKey) => ({ ...withId(Buffer.from(publicOf(privateKey))), privateKey }));
}

const restoreRemedy =
  'Put the copy of master.key that was kept elsewhere in its place (mode 600). Without it nothing that was sealed can be read.';

/** What the start of the process that owns the keys found: `created` has to be told to the operator. */
export type MasterState = 'created' | 'present' | 'public_only';

/**
 * Makes the master at the first start. A master is never made beside persons' keys that another one sealed: all of them
 * would be lost unseen.
 * @throws SkilltapeError `key_invalid`
 */
export async function prepareMaster(places: KeyPlaces, files: KeyFiles): Promise<MasterState> {
  if ((await files.read(places.master, fileMaxBytes)) !== undefined) {
    await publish(places, files);
    return 'present';
  }
  if ((await files.read(places.masterPublic, fileMaxBytes)) !== undefined) {
    await loadMasterPublic(places, files);
    return 'public_only';
  }
  if ((await files.list(places.persons)).length > 0) {
    throw invalid(
      `there are keys of persons in ${places.persons} and no master key at ${places.master}`,
      restoreRemedy,
    );
  }
  const isOurs = await files.create(places.master, encodeMasters([newMaster()]));
  await publish(places, files);
  return isOurs ? 'created' : 'present';
}

/** A crash in a rotation may have left the public half of the master before. */
async function publish(places: KeyPlaces, files: KeyFiles): Promise<void> {
  const [current] = await loadMasterPrivate(places, files);
  if (current === undefined) return;
  const found = await files.read(places.masterPublic, fileMaxBytes);
  const bytes = encodeMasterPublic(current);
  if (found === undefined || !found.bytes.equals(bytes)) await files.replace(places.masterPublic, bytes);
}

export function newMaster(): MasterPrivate {
  const { publicKey, privateKey } = newPair();
  return { ...withId(Buffer.from(publicKey)), privateKey: Buffer.from(privateKey) };
}

export function encodeMasters(masters: readonly MasterPrivate[]): Buffer {
  const privateKeys = masters.map(({ privateKey }) => privateKey.toString('base64url'));
  return Buffer.from(`${JSON.stringify({ version: 1, privateKeys })}\n`);
}

export function encodeMasterPublic({ publicKey }: MasterPublic): Buffer {
  return Buffer.from(`${JSON.stringify({ version: 1, publicKey: publicKey.toString('base64url') })}\n`);
}

function withId(publicKey: Buffer): MasterPublic {
  return { id: createHash('sha256').update(publicKey).digest('hex').slice(0, 16), publicKey };
}
