import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { SkilltapeError } from '../errors.ts';
import { inTransaction, openPrivateDatabase } from '../index/sqlite/database.ts';
import { onlyGrows } from '../index/sqlite/only-grows.ts';
import type { Masked } from '../masking/masked.ts';
import { type Look, type LookLog, lookKinds, type RecordedLook } from './look-log.ts';
import type { LookingPerson, Operator } from './operator.ts';

const listLimitDefault = 1_000;
const notRecorded = 'this look could not be recorded, so nothing is shown';

const schema = `
create table if not exists looks (
  number integer primary key autoincrement,
  time text not null,
  os_user text not null,
  uid integer not null,
  sudo_user text,
  what text not null,
  subject text not null,
  why text,
  person text
) strict;
${onlyGrows({ table: 'looks', key: ['number'], refusal: 'a recorded look does not change' })}
`;

/** Keeps looks in `looks.sqlite` of the data directory; opens it at the first use. */
export class SqliteLookLog implements LookLog {
  readonly #file: string;
  readonly #now: () => Date;
  #database: DatabaseSync | null = null;

  constructor(dataDirectory: string, now: () => Date = () => new Date()) {
    this.#file = looksFile(dataDirectory);
    this.#now = now;
  }

  record(look: Look): void {
    this.#orFailed(notRecorded, (database) => insertLook(database, look, this.#now()));
  }

  list(limit: number = listLimitDefault): RecordedLook[] {
    return this.#orFailed('the recorded looks could not be read', (database) =>
      database.prepare('select * from looks order by number desc limit ?').all(limit).map(lookOf),
    );
  }

  close(): void {
    this.#database?.close();
    this.#database = null;
  }

  #orFailed<T>(message: string, work: (database: DatabaseSync) => T): T {
    try {
      this.#database ??= open(this.#file);
      return work(this.#database);
    } catch (thrown) {
      throw lookFailed(thrown, message, this.#file);
    }
  }
}

/** Gives the database of the looks to `work` and closes it. Throws SkilltapeError `look_failed`. */
export function withLooks<T>(dataDirectory: string, work: (database: DatabaseSync) => T): T {
  const file = looksFile(dataDirectory);
  let database: DatabaseSync | undefined;
  try {
    database = open(file);
    return work(database);
  } catch (thrown) {
    throw lookFailed(thrown, notRecorded, file);
  } finally {
    database?.close();
  }
}

/** What stands in the columns of the account when a person looked by the console. */
const nobody: Operator = { osUser: '', uid: -1 };

/** Returns the number of the look. */
export function insertLook(database: DatabaseSync, { who, what, subject, why }: Look, now: Date): number {
  const account = 'osUser' in who ? who : nobody;
  const person = 'osUser' in who ? null : JSON.stringify(who);
  const { lastInsertRowid } = database
    .prepare(
      'insert into looks (time, os_user, uid, sudo_user, what, subject, why, person) values (?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      ...[now.toISOString(), account.osUser, account.uid, account.sudoUser ?? null],
      ...[what, subject, why ?? null, person],
    );
  return Number(lastInsertRowid);
}

function looksFile(dataDirectory: string): string {
  return join(dataDirectory, 'looks.sqlite');
}

function lookFailed(thrown: unknown, message: string, file: string): SkilltapeError {
  return new SkilltapeError('look_failed', `${message}: ${SkilltapeError.from(thrown).message}`, {
    cause: thrown,
    remedy: `make ${file} writable for the user who looks, on a disk that has room`,
  });
}

function open(file: string): DatabaseSync {
  // FULL: the look is on disk before anything is shown.
  const database = openPrivateDatabase(file, 'FULL');
  try {
    inTransaction(database, () => {
      database.exec(schema);
      addPersons(database);
    });
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** To a file of an earlier version, which knew accounts alone. */
function addPersons(database: DatabaseSync): void {
  const columns = database.prepare('pragma table_info(looks)').all();
  if (!columns.some(({ name }) => name === 'person')) database.exec('alter table looks add column person text');
}

/** Only masked subjects and reasons are ever written here, so what is read back is masked. */
function lookOf(row: Record<string, unknown>): RecordedLook {
  const what = lookKinds.find((kind) => kind === row.what);
  if (what === undefined) throw new Error(`look ${row.number} has an unknown kind`);
  return {
    number: Number(row.number),
    time: String(row.time),
    who: whoOf(row),
    what,
    subject: String(row.subject) as Masked<string>,
    ...(typeof row.why === 'string' ? { why: row.why as Masked<string> } : {}),
  };
}

function whoOf(row: Record<string, unknown>): Look['who'] {
  if (typeof row.person === 'string') return JSON.parse(row.person) as LookingPerson;
  return {
    osUser: String(row.os_user),
    uid: Number(row.uid),
    ...(typeof row.sudo_user === 'string' ? { sudoUser: row.sudo_user } : {}),
  };
}
