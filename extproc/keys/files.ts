/** The few small files of the keys: whole or not there, durable on return, of mode 600. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskFault } from '../disk-fault.ts';

export type KeyFile = { bytes: Buffer; mode: number };

/** Failures reject with the error of the system (`code` like ENOENT), or with `disk_failed` where nothing can be written. */
export type KeyFiles = {
  /** Undefined when there is none; rejects when it is longer than `maxBytes` or no file. */
  read: (path: string, maxBytes: number) => Promise<KeyFile | undefined>;
  /** False, and no change, when there is one already; of several processes one is told true. */
  create: (path: string, bytes: Uint8Array) => Promise<boolean>;
  replace: (path: string, bytes: Uint8Array) => Promise<void>;
  /** Names in a directory without what a crash left half made; empty when there is no such directory. */
  list: (directory: string) => Promise<string[]>;
  /** Written over, then removed; no error when there is none. */
  destroy: (path: string) => Promise<void>;
};

const temporaryEnd = '.tmp';
const writing = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export const nodeKeyFiles: KeyFiles = {
  // Synchronous: the files are tiny, they are read for each sealing, and a turn through the thread pool costs ten times as much.
  async read(path, maxBytes) {
    try {
      const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        const stats = fstatSync(file);
        if (!stats.isFile() || stats.size > maxBytes)
          throw new Error(`${path} is not a file of at most ${maxBytes} bytes`);
        return { bytes: readFileSync(file), mode: stats.mode & 0o777 };
      } finally {
        closeSync(file);
      }
    } catch (thrown) {
      if (isSystemError(thrown, 'ENOENT')) return undefined;
      throw thrown;
    }
  },
  async create(path, bytes) {
    const temporary = await writeTemporary(path, bytes);
    try {
      // link() refuses a name that is taken, rename() would replace it.
      await link(temporary, path);
    } catch (thrown) {
      if (isSystemError(thrown, 'EEXIST')) return false;
      throw thrown;
    } finally {
      await unlink(temporary);
    }
    await syncDirectory(dirname(path));
    return true;
  },
  async replace(path, bytes) {
    const temporary = await writeTemporary(path, bytes);
    try {
      await rename(temporary, path);
    } catch (thrown) {
      await unlink(temporary).catch(() => {});
      throw thrown;
    }
    await syncDirectory(dirname(path));
  },
  async list(directory) {
    try {
      return (await readdir(directory)).filter((name) => !name.endsWith(temporaryEnd)).sort();
    } catch (thrown) {
      if (isSystemError(thrown, 'ENOENT')) return [];
      throw thrown;
    }
  },
  async destroy(path) {
    try {
      const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
      try {
        await file.writeFile(Buffer.alloc((await file.stat()).size));
        await file.sync();
      } finally {
        await file.close();
      }
      await unlink(path);
    } catch (thrown) {
      if (!isSystemError(thrown, 'ENOENT')) throw thrown;
    }
    await syncDirectory(dirname(path));
  },
};

/** True for an error of the system with this code. */
function isSystemError(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}

async function writeTemporary(path: string, bytes: Uint8Array): Promise<string> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}${temporaryEnd}`;
  try {
    const file = await openNew(temporary);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (thrown) {
    // A disk that is full must not gather them.
    await unlink(temporary).catch(() => {});
    throw diskFault(thrown, path) ?? thrown;
  }
  return temporary;
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, writing, 0o600);
  } catch (thrown) {
    if (!isSystemError(thrown, 'ENOENT')) throw thrown;
    await makeDirectory(dirname(path));
    return open(path, writing, 0o600);
  }
}

/** Every directory made, from the topmost down, is an entry in its parent. */
async function makeDirectory(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let entry = path; entry.length >= made.length; entry = dirname(entry)) await syncDirectory(dirname(entry));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
