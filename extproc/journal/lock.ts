/** One writer per journal directory, judged by the kernel and by a lock file that names the holder. */
import fs from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { diskFault } from '../disk-fault.ts';
import { type DirectoryLock, type FileSystem, isSystemError } from './fs.ts';

type Holder = { pid: number; startTime: string; bootId: string };

const LOCK_FILE = 'lock';
const GUARD_FILE = 'lock.guard';
const LOCK_FILE_MAX_BYTES = 4096;

/**
 * The guard is an exclusive record lock of the kernel (taken by SQLite, Node has no call for it): it ends with its
 * process, holds across containers on one host, and makes taking over a stale lock file free of races. The lock file
 * holds where a file system has no working record locks. A pid counts only with its start time and the boot it ran in.
 */
export async function lockDirectory(directory: string, fileSystem: FileSystem): Promise<DirectoryLock> {
  const path = join(directory, LOCK_FILE);
  const guard = takeGuard(join(directory, GUARD_FILE));
  try {
    const holder = await readHolder(path, fileSystem);
    if (guard === undefined) return { status: 'held', holder: describe(holder) };
    const self = identify(process.pid);
    const isSelf = holder?.pid === process.pid && holder.startTime === self?.startTime;
    if (holder !== undefined && !isSelf && isAlive(holder)) {
      guard.close();
      return { status: 'held', holder: describe(holder) };
    }
    const own: Holder = self ?? { pid: process.pid, startTime: '', bootId: '' };
    await fileSystem.writeSmall(path, Buffer.from(JSON.stringify(own)));
    return {
      status: 'acquired',
      release: async () => {
        await fileSystem.remove(path).finally(() => guard.close());
      },
    };
  } catch (thrown) {
    guard?.close();
    throw thrown;
  }
}

function takeGuard(path: string): DatabaseSync | undefined {
  makeGuardFile(path);
  let guard: DatabaseSync | undefined;
  try {
    guard = new DatabaseSync(path, { timeout: 0 });
    guard.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return guard;
  } catch (thrown) {
    guard?.close();
    const busy = thrown instanceof Error && (thrown as { errcode?: unknown }).errcode === 5;
    if (busy) return undefined;
    throw diskFault(thrown, path) ?? thrown;
  }
}

/** Never opened here when it exists: closing any descriptor of the file would drop this process's own record lock. */
function makeGuardFile(path: string): void {
  try {
    fs.closeSync(fs.openSync(path, fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_RDWR, 0o600));
  } catch (thrown) {
    if (!isSystemError(thrown, 'EEXIST')) throw thrown;
  }
}

/** A lock file that cannot be read as one is stale: it is written all or nothing. */
async function readHolder(path: string, fileSystem: FileSystem): Promise<Holder | undefined> {
  const file = await fileSystem.readSmall(path, LOCK_FILE_MAX_BYTES);
  if (file === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(file.bytes).toString('utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, startTime, bootId } = value as Record<string, unknown>;
    if (!Number.isSafeInteger(pid) || typeof startTime !== 'string' || typeof bootId !== 'string') return undefined;
    return { pid: pid as number, startTime, bootId };
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  const running = identify(holder.pid);
  return running !== undefined && running.startTime === holder.startTime && running.bootId === holder.bootId;
}

/** Linux only (/proc); elsewhere undefined, and the guard alone decides. */
function identify(pid: number): Holder | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and brackets: fields count from its last one. Field 3 is the state, 22 the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startTime = fields[19];
    if (startTime === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const bootId = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { pid, startTime, bootId };
  } catch {
    return undefined;
  }
}

function describe(holder: Holder | undefined): string {
  return holder === undefined ? 'another process' : `process ${holder.pid}`;
}
