/** The journal's disk by node:fs. Functions are looked up on the module at each call, so an injected fault meets it. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { type AppendFile, type FileSystem, isSystemError, type ReadFile } from './fs.ts';
import { lockDirectory } from './lock.ts';

type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

export const nodeFileSystem: FileSystem = {
  makeDirectory: async (path) => {
    const made = await call<string | undefined>((done) => fs.mkdir(path, { recursive: true, mode: 0o700 }, done));
    // Every directory made, from the topmost down, is an entry in its parent.
    if (made === undefined) return;
    for (let entry = path; entry.length >= made.length; entry = dirname(entry)) {
      await nodeFileSystem.syncDirectory(dirname(entry));
    }
  },
  list: (directory) => call<string[]>((done) => fs.readdir(directory, done)),
  syncDirectory: (directory) =>
    withDescriptor(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY, (descriptor) =>
      call<void>((done) => fs.fsync(descriptor, done)),
    ),
  createAppend: (path) => openAppend(path, fs.constants.O_CREAT | fs.constants.O_EXCL),
  openAppend: (path) => openAppend(path, 0),
  openRead,
  size: async (path) => (await call<fs.Stats>((done) => fs.stat(path, done))).size,
  truncate: (path, bytes) =>
    withDescriptor(path, fs.constants.O_RDWR, async (descriptor) => {
      await call<void>((done) => fs.ftruncate(descriptor, bytes, done));
      await call<void>((done) => fs.fsync(descriptor, done));
    }),
  rename: (from, to) => call<void>((done) => fs.rename(from, to, done)),
  remove: (path) => call<void>((done) => fs.unlink(path, done)),
  removeEmptyDirectory: async (path) => {
    try {
      await call<void>((done) => fs.rmdir(path, done));
    } catch (thrown) {
      if (!isSystemError(thrown, 'ENOTEMPTY') && !isSystemError(thrown, 'EEXIST') && !isSystemError(thrown, 'ENOENT'))
        throw thrown;
    }
  },
  readSmall: async (path, maxBytes) => {
    try {
      return await withDescriptor(path, fs.constants.O_RDONLY, async (descriptor) => {
        const stats = await call<fs.Stats>((done) => fs.fstat(descriptor, done));
        if (!stats.isFile() || stats.size > maxBytes)
          throw new Error(`${path} is not a file of ${maxBytes} bytes at most`);
        return {
          bytes: await readFully(descriptor, 0, maxBytes),
          mode: stats.mode & 0o777,
        };
      });
    } catch (thrown) {
      if (isSystemError(thrown, 'ENOENT')) return undefined;
      throw thrown;
    }
  },
  writeSmall: async (path, bytes) => {
    const temporary = `${path}.tmp`;
    await writeDurably(temporary, fs.constants.O_TRUNC, bytes);
    await nodeFileSystem.rename(temporary, path);
    await nodeFileSystem.syncDirectory(dirname(path));
  },
  createSmall: async (path, bytes) => {
    const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
    try {
      await writeDurably(temporary, fs.constants.O_EXCL, bytes);
    } catch (thrown) {
      // A disk that is full at every start must not gather them.
      await nodeFileSystem.remove(temporary).catch(() => {});
      throw thrown;
    }
    try {
      // link() refuses an existing name, rename() would replace it.
      await call<void>((done) => fs.link(temporary, path, done));
    } catch (thrown) {
      if (isSystemError(thrown, 'EEXIST')) return false;
      throw thrown;
    } finally {
      await nodeFileSystem.remove(temporary);
    }
    await nodeFileSystem.syncDirectory(dirname(path));
    return true;
  },
  lock: (directory) => lockDirectory(directory, nodeFileSystem),
};

async function openAppend(path: string, flags: number): Promise<AppendFile> {
  const append = fs.constants.O_WRONLY | fs.constants.O_APPEND | flags;
  const descriptor = await call<number>((done) => fs.open(path, append, 0o600, done));
  return {
    writev: (buffers) => callOn<number>(path, (done) => fs.writev(descriptor, buffers as Uint8Array[], done)),
    datasync: () => callOn<void>(path, (done) => fs.fdatasync(descriptor, done)),
    close: () => callOn<void>(path, (done) => fs.close(descriptor, done)),
  };
}

async function openRead(path: string): Promise<ReadFile> {
  const descriptor = await call<number>((done) => fs.open(path, fs.constants.O_RDONLY, done));
  return {
    read: (offset, maxBytes) => naming(path, () => readFully(descriptor, offset, maxBytes)),
    size: async () => (await callOn<fs.Stats>(path, (done) => fs.fstat(descriptor, done))).size,
    datasync: () => callOn<void>(path, (done) => fs.fdatasync(descriptor, done)),
    close: () => callOn<void>(path, (done) => fs.close(descriptor, done)),
  };
}

async function readFully(descriptor: number, offset: number, maxBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(maxBytes);
  let filled = 0;
  while (filled < maxBytes) {
    const position = offset + filled;
    const count = await call<number>((done) =>
      fs.read(descriptor, bytes, filled, maxBytes - filled, position, (error, value) => done(error, value)),
    );
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

async function writeDurably(path: string, flags: number, bytes: Uint8Array): Promise<void> {
  await withDescriptor(path, fs.constants.O_WRONLY | fs.constants.O_CREAT | flags, async (descriptor) => {
    for (let at = 0; at < bytes.length; ) {
      const rest = bytes.subarray(at);
      const count = await call<number>((done) => fs.write(descriptor, rest, (error, value) => done(error, value)));
      if (count === 0) throw new Error(`nothing more could be written to ${path}`);
      at += count;
    }
    await call<void>((done) => fs.fsync(descriptor, done));
  });
}

async function withDescriptor<T>(path: string, flags: number, use: (descriptor: number) => Promise<T>): Promise<T> {
  const descriptor = await call<number>((done) => fs.open(path, flags, 0o600, done));
  try {
    return await naming(path, () => use(descriptor));
  } finally {
    await callOn<void>(path, (done) => fs.close(descriptor, done));
  }
}

function callOn<T>(path: string, run: (done: Done<T>) => void): Promise<T> {
  return naming(path, () => call(run));
}

/** The system does not say which file an open descriptor is of; whoever reads of the error needs to know. */
async function naming<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    if (thrown instanceof Error && 'syscall' in thrown && !('path' in thrown)) {
      thrown.message += ` '${path}'`;
      Object.assign(thrown, { path });
    }
    throw thrown;
  }
}

function call<T>(run: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, value) => (error === null || error === undefined ? resolve(value) : reject(error)));
  });
}
