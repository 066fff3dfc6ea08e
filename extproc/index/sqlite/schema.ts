import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { SkilltapeError } from '../../errors.ts';
import { inTransaction, openForReading, openPrivateDatabase, orIndexFailed } from './database.ts';
import { migrateFrom1, migrateFrom2 } from './migration.ts';
import {
  addedIn2,
  addedIn3,
  exchangesTable,
  failedMaskingIndex,
  immutableTrigger,
  liftedIndex,
  retentionIndex,
  textTable,
  wouldIndex,
} from './tables.ts';

const schemaVersion = 3;

/** The one file of the embedded index; deleting it (with -wal and -shm) loses no record (inv. 7). */
export function indexFile(dataDirectory: string): string {
  return join(dataDirectory, 'index.sqlite');
}

/**
 * Lays the tables of the index into a new file and brings those of an older one up to date, both as a whole or not at
 * all; refuses a file that a newer skilltape wrote.
 */
export function prepareSchema(database: DatabaseSync): void {
  inTransaction(database, () => {
    database.exec('create table if not exists schema_version (version integer not null) strict');
    const version = storedVersion(database);
    if (version === null) database.exec(exchangesTable + textTable + addedIn2 + addedIn3 + immutableTrigger);
    else if (version === 1) migrateFrom1(database);
    else if (version === 2) migrateFrom2(database);
    else return;
    database.exec('delete from schema_version');
    database.prepare('insert into schema_version (version) values (?)').run(schemaVersion);
  });
  checkSchema(database);
  database.exec(failedMaskingIndex + wouldIndex + liftedIndex + retentionIndex);
}

export function checkSchema(database: DatabaseSync): void {
  const version = storedVersion(database);
  if (version === schemaVersion) return;
  throw new SkilltapeError(
    'index_failed',
    `the index has schema version ${version ?? 'none'}; this skilltape reads version ${schemaVersion}`,
    {
      remedy:
        version !== null && version > schemaVersion
          ? 'use the newer skilltape that wrote it, or rebuild the index'
          : 'start `skilltape serve` once: it brings the index up to date',
    },
  );
}

function storedVersion(database: DatabaseSync): number | null {
  const row = database.prepare('select max(version) as version from schema_version').get();
  return typeof row?.version === 'number' ? row.version : null;
}

/**
 * For whoever changes what is in it, beside the thread that ships; each commit is on disk. Throws SkilltapeError
 * `index_failed`, also where there is no index.
 */
export function openForChanges(dataDirectory: string): DatabaseSync {
  return orIndexFailed('open the index', () => {
    const file = indexFile(dataDirectory);
    // Opening it for writing would make one.
    openForReading(file).close();
    const database = openPrivateDatabase(file, 'FULL');
    try {
      checkSchema(database);
      return database;
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  });
}
