/** The journal's own key, a file of 32 random bytes that nobody else may read. */
import { randomBytes } from 'node:crypto';
import { diskFault } from '../disk-fault.ts';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from './fs.ts';
import { nodeFileSystem } from './node-fs.ts';

const KEY_BYTES = 32;
const FILE_MAX_BYTES = 4096;

/** For readers, which must not make a key: errors as below, and `key_invalid` when there is none. */
export async function loadJournalKey(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<Uint8Array> {
  const found = await fileSystem.readSmall(path, FILE_MAX_BYTES);
  if (found !== undefined) return checked(path, found.bytes, found.mode);
  throw new SkilltapeError('key_invalid', `there is no journal key at ${path}`, {
    remedy: 'Restore it from a backup; without it the journal cannot be read.',
  });
}

/** Errors: `key_invalid` when the file cannot be read, has another size, or is open to more than its owner. */
export async function loadOrCreateJournalKey(
  path: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Uint8Array> {
  try {
    const fresh = randomBytes(KEY_BYTES);
    const found = await fileSystem.readSmall(path, FILE_MAX_BYTES);
    if (found !== undefined) return checked(path, found.bytes, found.mode);
    if (await fileSystem.createSmall(path, fresh)) return fresh;
    // Another process made it in between; its key is the key.
    const theirs = await fileSystem.readSmall(path, FILE_MAX_BYTES);
    return checked(path, theirs?.bytes ?? new Uint8Array(), theirs?.mode ?? 0o600);
  } catch (thrown) {
    if (thrown instanceof SkilltapeError) throw thrown;
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    const { message, remedy } = diskFault(thrown, path) ?? {
      message: text,
      remedy: 'Give the service user a writable directory for it.',
    };
    throw new SkilltapeError('key_invalid', `the key ${path} cannot be read or made: ${message}`, {
      cause: thrown,
      ...(remedy !== undefined && { remedy }),
    });
  }
}

function checked(path: string, bytes: Uint8Array, mode: number): Uint8Array {
  if (bytes.length !== KEY_BYTES) {
    throw new SkilltapeError('key_invalid', `the journal key ${path} has ${bytes.length} bytes, not ${KEY_BYTES}`, {
      remedy: 'Restore it from a backup. Removing it makes a new key; what the journal still holds is then lost.',
    });
  }
  if ((mode & ~0o600) !== 0) {
    const text = `the journal key ${path} has mode ${mode.toString(8).padStart(3, '0')}, wider than 600`;
    throw new SkilltapeError('key_invalid', text, {
      remedy: `chmod 600 ${path}`,
    });
  }
  return bytes;
}
