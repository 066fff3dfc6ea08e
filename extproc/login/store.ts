import fs from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';

const stored = z.object({
  version: z.literal(1),
  settings: z.object({
    issuer: z.string(),
    clientId: z.string(),
    scope: z.string(),
    resource: z.string().nullable(),
    audience: z.string().nullable(),
    caFile: z.string().nullable(),
    kind: z.enum(['access_token', 'id_token']),
  }),
  token: z.string(),
  refreshToken: z.string().nullable(),
  obtainedAtMs: z.number(),
  expiresAtMs: z.number(),
  subject: z.string(),
});

/** A login as it is kept: how it was made, and what came of it. */
export type StoredLogin = z.infer<typeof stored>;

const fileMaxBytes = 256 * 1024;
const lockWaitMaxMs = 45_000;
const lockRetryMs = 50;
/** SQLITE_BUSY. */
const busy = 5;

/**
 * The login of this user in one file that nobody else may read. It is replaced by a rename, so that a reader sees the old
 * or the new one and never half of it; `exclusively` is for one process at a time, whatever becomes of that process.
 */
export class LoginStore {
  readonly #directory: string;
  readonly #file: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#file = join(directory, 'login.json');
  }

  /**
   * Null when nobody is logged in.
   * @throws SkilltapeError `usage`: others may read or change it, or it is no login
   */
  read(): StoredLogin | null {
    const link = fs.lstatSync(this.#file, { throwIfNoEntry: false });
    if (link === undefined) return null;
    this.#guard(link);
    if (link.size > fileMaxBytes) throw this.#unusable('it is too large');
    try {
      return stored.parse(JSON.parse(fs.readFileSync(this.#file, 'utf8')));
    } catch {
      // What it says is a secret: no word of it goes into an error.
      throw this.#unusable('it is no login that was written here');
    }
  }

  write(login: StoredLogin): void {
    fs.mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#guardDirectory();
    const temporary = join(this.#directory, `login.${process.pid}.tmp`);
    fs.rmSync(temporary, { force: true });
    try {
      const descriptor = fs.openSync(temporary, 'wx', 0o600);
      try {
        fs.writeSync(descriptor, `${JSON.stringify(login)}\n`);
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
      fs.renameSync(temporary, this.#file);
    } catch (thrown) {
      fs.rmSync(temporary, { force: true });
      throw thrown;
    }
  }

  remove(): void {
    fs.rmSync(this.#file, { force: true });
  }

  /**
   * Runs `use` while no other process does. The lock is the kernel's (taken by SQLite, Node has no call for it), so it ends
   * with its process.
   * @throws SkilltapeError `internal`: another process held it for too long
   */
  async exclusively<T>(use: () => Promise<T>): Promise<T> {
    fs.mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#guardDirectory();
    const path = join(this.#directory, 'login.lock');
    const deadline = performance.now() + lockWaitMaxMs;
    for (;;) {
      const lock = takeLock(path);
      if (lock !== null) {
        try {
          return await use();
        } finally {
          lock.close();
        }
      }
      if (performance.now() > deadline) {
        throw new SkilltapeError('internal', `another skilltape token has held ${path} for ${lockWaitMaxMs} ms`, {
          remedy: 'end the process that hangs',
        });
      }
      await new Promise((resolve) => setTimeout(resolve, lockRetryMs));
    }
  }

  #guard(link: fs.Stats): void {
    this.#guardDirectory();
    if (!link.isFile()) throw this.#unusable('it is no plain file');
    if (link.uid !== process.geteuid?.()) throw this.#unusable('it belongs to another user');
    if ((link.mode & 0o077) === 0) return;
    throw new SkilltapeError('usage', `others may read ${this.#file} (mode 0${(link.mode & 0o777).toString(8)})`, {
      remedy: `chmod 600 ${this.#file}; if others did read it, log in again with skilltape token login`,
    });
  }

  /** Who may write to the folder can put a login of their own there, and read what is typed into it. */
  #guardDirectory(): void {
    const { uid, mode } = fs.statSync(this.#directory);
    if (uid === process.geteuid?.() && (mode & 0o022) === 0) return;
    throw new SkilltapeError('usage', `others may write to ${this.#directory}`, {
      remedy: `chmod 700 ${this.#directory}`,
    });
  }

  #unusable(why: string): SkilltapeError {
    const remedy = 'remove it, and log in again with skilltape token login';
    return new SkilltapeError('usage', `${this.#file} cannot be used: ${why}`, { remedy });
  }
}

function takeLock(path: string): DatabaseSync | null {
  let lock: DatabaseSync | undefined;
  try {
    // Made by SQLite with the mode of the process: it holds nothing.
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch (thrown) {
    lock?.close();
    if (thrown instanceof Error && (thrown as { errcode?: unknown }).errcode === busy) return null;
    throw thrown;
  }
}
