/**
 * The private halves of the master in a file that a service for keys encrypted: `master.wrapped` in the place of
 * `master.key`. To everything that reads or rotates the master it looks like that file.
 */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { KeyFiles } from './files.ts';
import { hex, invalid, jsonOf } from './key-file.ts';
import { loadMasterPrivate, loadMasterPublic } from './master-file.ts';
import type { KeyPlaces } from './places.ts';

/** A service for keys. Both throw SkilltapeError `key_invalid`. */
export type MasterWrap = {
  /** For messages. */
  name: string;
  wrap(plain: Uint8Array): Promise<string>;
  unwrap(wrapped: string): Promise<Uint8Array>;
};

const fileMaxBytes = 131_072;
/** `sha256`: of what was wrapped, so that a service that gives back something else is found. It has keys in it that nobody guesses. */
const wrappedFile = z.strictObject({ version: z.literal(1), wrapped: z.string().min(1), sha256: hex(32) });

function wrappedPath({ directory }: KeyPlaces): string {
  return join(directory, 'master.wrapped');
}

/** `master.key` itself is used where it is there. */
export function withWrappedMaster(files: KeyFiles, places: KeyPlaces, service: MasterWrap): KeyFiles {
  const isWrapped = async () =>
    (await files.read(places.master, fileMaxBytes)) === undefined &&
    (await files.read(wrappedPath(places), fileMaxBytes)) !== undefined;
  return {
    ...files,
    async read(path, maxBytes) {
      const found = await files.read(path, maxBytes);
      if (path !== places.master || found !== undefined) return found;
      const wrapped = await files.read(wrappedPath(places), fileMaxBytes);
      return wrapped && { bytes: await unwrapped(wrapped.bytes, places, service), mode: wrapped.mode };
    },
    async replace(path, bytes) {
      if (path === places.master && (await isWrapped())) await writeWrapped(bytes, files, places, service);
      else await files.replace(path, bytes);
    },
    async list(directory) {
      const names = await files.list(directory);
      const isMaster = directory === places.directory && (await isWrapped());
      return isMaster ? [...names, basename(places.master)] : names;
    },
  };
}

/**
 * Gives the master to the service, and destroys `master.key` when what it gives back opens what is sealed here.
 * @throws SkilltapeError `key_invalid`; `master.key` is as it was then
 */
export async function wrapMaster(
  files: KeyFiles,
  places: KeyPlaces,
  service: MasterWrap,
): Promise<{ masterId: string }> {
  const [current] = await loadMasterPrivate(places, files);
  const found = await files.read(places.master, fileMaxBytes);
  if (current === undefined || found === undefined)
    throw invalid(`there is no ${places.master}`, 'It is wrapped already.');
  if (current.id !== (await loadMasterPublic(places, files)).id)
    throw invalid(
      `${places.master} and ${places.masterPublic} are not of one rotation`,
      'Start skilltape once, then repeat it.',
    );
  await writeWrapped(found.bytes, files, places, service);
  const written = await files.read(wrappedPath(places), fileMaxBytes);
  const back = written && (await unwrapped(written.bytes, places, service));
  if (back === undefined || !back.equals(found.bytes))
    throw invalid(`${service.name} does not give back what it was given`, `${places.master} was left in its place.`);
  await files.destroy(places.master);
  return { masterId: current.id };
}

async function writeWrapped(bytes: Uint8Array, files: KeyFiles, places: KeyPlaces, service: MasterWrap): Promise<void> {
  const wrapped = await service.wrap(bytes);
  // One that cannot give back what it took would lose everything that is sealed to this master.
  if (!Buffer.from(await service.unwrap(wrapped)).equals(bytes))
    throw invalid(`${service.name} does not give back what it was given`, 'Nothing was changed: see to the service.');
  await files.replace(
    wrappedPath(places),
    Buffer.from(`${JSON.stringify({ version: 1, wrapped, sha256: sha256(bytes) })}\n`),
  );
}

async function unwrapped(bytes: Uint8Array, places: KeyPlaces, service: MasterWrap): Promise<Buffer> {
  const read = wrappedFile.safeParse(jsonOf(bytes));
  if (!read.success)
    throw invalid(
      `${wrappedPath(places)} is cut short or damaged`,
      'Put the copy of it that was kept elsewhere in its place.',
    );
  const plain = Buffer.from(await service.unwrap(read.data.wrapped));
  if (sha256(plain) === read.data.sha256) return plain;
  throw invalid(
    `${service.name} does not give back what it was given`,
    'See to the service, or put the copy of master.key back.',
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Puts `master.key` back in its place. @throws SkilltapeError `key_invalid` */
export async function unwrapMaster(files: KeyFiles, places: KeyPlaces, service: MasterWrap): Promise<void> {
  const wrapped = await files.read(wrappedPath(places), fileMaxBytes);
  if (wrapped === undefined) throw invalid(`there is no ${wrappedPath(places)}`, 'The service for keys has no master.');
  const bytes = await unwrapped(wrapped.bytes, places, service);
  if (!(await files.create(places.master, bytes)))
    throw invalid(`${places.master} is there already`, 'Move it away, or remove master.wrapped if it is the same.');
  // It has to be one, and of this master, before the other way to it goes.
  const [current] = await loadMasterPrivate(places, files);
  if (current?.id !== (await loadMasterPublic(places, files)).id)
    throw invalid(
      `what ${service.name} gave back is not the master of now`,
      `Remove ${places.master} and see to the service.`,
    );
  await files.destroy(wrappedPath(places));
}
