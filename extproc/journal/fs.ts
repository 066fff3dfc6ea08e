/** What the journal needs of a disk, as a port. */

/** One writer appends to a file; writes never overlap each other, but a datasync may run beside a write. */
export type AppendFile = {
  /** Appends at the end; returns how many bytes were taken, which may be fewer than given. */
  writev: (buffers: readonly Uint8Array[]) => Promise<number>;
  /** Returns once every byte written before the call is on disk. */
  datasync: () => Promise<void>;
  close: () => Promise<void>;
};

export type ReadFile = {
  /** Fewer bytes than asked only at the end of the file. */
  read: (offset: number, maxBytes: number) => Promise<Uint8Array>;
  size: () => Promise<number>;
  /** Returns once every byte that anybody wrote to it before the call is on disk. */
  datasync: () => Promise<void>;
  close: () => Promise<void>;
};

export type SmallFile = { bytes: Uint8Array; mode: number };

export type DirectoryLock = { status: 'acquired'; release: () => Promise<void> } | { status: 'held'; holder: string };

/**
 * Failures reject with the error of the system (`code` like ENOENT). Files have mode 0600, directories 0700.
 * An entry made, renamed or removed is durable only after `syncDirectory`, unless said otherwise.
 */
export type FileSystem = {
  makeDirectory: (path: string) => Promise<void>;
  list: (directory: string) => Promise<string[]>;
  syncDirectory: (directory: string) => Promise<void>;
  /** Rejects with EEXIST when the file is there already. */
  createAppend: (path: string) => Promise<AppendFile>;
  openAppend: (path: string) => Promise<AppendFile>;
  openRead: (path: string) => Promise<ReadFile>;
  size: (path: string) => Promise<number>;
  /** Cuts the file and syncs it. */
  truncate: (path: string, bytes: number) => Promise<void>;
  rename: (from: string, to: string) => Promise<void>;
  remove: (path: string) => Promise<void>;
  /** Leaves one that has entries as it is; nothing where there is none. Whether it is gone after a power failure does not matter. */
  removeEmptyDirectory: (path: string) => Promise<void>;
  /** Undefined when there is no such file; rejects when it is larger than `maxBytes`. */
  readSmall: (path: string, maxBytes: number) => Promise<SmallFile | undefined>;
  /** All or nothing, durable on return: temporary file, sync, rename, sync of the directory. One caller per path. */
  writeSmall: (path: string, bytes: Uint8Array) => Promise<void>;
  /** As `writeSmall`, but false and no change when the file is there already. */
  createSmall: (path: string, bytes: Uint8Array) => Promise<boolean>;
  /** At most one holder per directory; the lock ends with its process. */
  lock: (directory: string) => Promise<DirectoryLock>;
};

/** True for an error of the system with this code. */
export function isSystemError(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === code;
}
