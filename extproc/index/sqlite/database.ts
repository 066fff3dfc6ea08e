import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { diskFault } from '../../disk-fault.ts';
import { SkilltapeError } from '../../errors.ts';

/**
 * Of whoever ships: a delivery touches more pages than the usual 2 MB hold, and SQLite then writes and reads the same
 * ones several times in one transaction. Negative: KiB.
 */
export const shippingCache = 'pragma cache_size = -8192';

/** How long one connection waits for another one's write. */
const busyTimeoutMs = 5_000;

/**
 * Opens a database that only its owner may read: the file gets mode 600, a directory made for it 700.
 * `synchronous` FULL makes each commit survive a power cut; with NORMAL the last commits may be lost, never torn.
 * Throws `disk_failed` with the remedy where the disk does not allow it.
 */
export function openPrivateDatabase(file: string, synchronous: 'NORMAL' | 'FULL'): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    createPrivateFile(file);
    database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    database.exec('pragma journal_mode = WAL');
    database.exec(`pragma synchronous = ${synchronous}`);
    return database;
  } catch (thrown) {
    database?.close();
    throw diskFault(thrown, file) ?? thrown;
  }
}

/** Opens for reading only, beside a writer in another thread or process. Throws `index_failed` when there is no file. */
export function openForReading(file: string): DatabaseSync {
  if (!existsSync(file))
    throw new SkilltapeError('index_failed', `there is no database at ${file}`, {
      remedy: 'name the data directory of a skilltape that has recorded something',
    });
  return new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs });
}

/**
 * An existing file must not be opened here: closing a descriptor drops the POSIX locks that other connections of
 * this process hold on the file, and two writers could then damage it. SQLite gives -wal and -shm the same mode.
 */
function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
    if ((statSync(file).mode & 0o777) !== 0o600) chmodSync(file, 0o600);
  }
}

/** Runs `work` in one write transaction; nothing of it stays when it throws. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('begin immediate');
  try {
    const result = work();
    database.exec('commit');
    return result;
  } catch (thrown) {
    // A full disk rolls back by itself; a second rollback would hide the cause.
    if (database.isTransaction) database.exec('rollback');
    throw thrown;
  }
}

/** Runs `work` and turns whatever SQLite throws into an `index_failed` that says what was being done. */
export function orIndexFailed<T>(doing: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof SkilltapeError && thrown.code !== 'disk_failed') throw thrown;
    const { message, remedy } = SkilltapeError.from(thrown);
    throw new SkilltapeError('index_failed', `could not ${doing}: ${message}`, {
      cause: thrown,
      ...(remedy !== undefined && { remedy }),
    });
  }
}

const tooBig = 18;
const constraint = 19;
const mismatch = 20;

/** True when SQLite refused the values themselves, so that trying again cannot help. */
export function refusedForGood(thrown: unknown): boolean {
  if (!(thrown instanceof Error && 'errcode' in thrown) || typeof thrown.errcode !== 'number') return false;
  const primaryCode = thrown.errcode & 0xff;
  return primaryCode === tooBig || primaryCode === constraint || primaryCode === mismatch;
}
