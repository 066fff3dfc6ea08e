import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { SkilltapeError } from '../../errors.ts';
import { inTransaction } from './database.ts';

const schemaVersion = 1;

/**
 * `exchange_text` keeps its own copy of the flat texts under the same row number: it is normalised for search, while
 * `document` stays as delivered.
 */
const schema = `
create table exchanges (
  number integer primary key,
  id text not null unique,
  time_ms integer not null,
  session text not null,
  connection text not null,
  outcome text not null,
  user_id text,
  user_email text,
  user_name text,
  document text not null
) strict;
create index exchanges_by_time on exchanges (time_ms, id);
create index exchanges_by_session on exchanges (session, time_ms, id);
create index exchanges_by_connection on exchanges (connection, time_ms, id);
create index exchanges_by_user_id on exchanges (user_id, time_ms, id);
create index exchanges_by_user_email on exchanges (user_email, time_ms, id);
create index exchanges_by_user_name on exchanges (user_name, time_ms, id);
create trigger exchanges_immutable before update on exchanges
  begin select raise(abort, 'an indexed exchange does not change'); end;
create virtual table exchange_text using fts5(input, output, tokenize = 'unicode61 remove_diacritics 2');
create table seen_turns (
  scope text not null,
  hash text not null,
  exchange_id text not null,
  primary key (scope, hash)
) strict, without rowid;
create table rejects (
  number integer primary key,
  id text not null,
  time text not null,
  reason text not null,
  document text not null
) strict;
create index rejects_by_id on rejects (id);
`;

/** The one file of the embedded index; deleting it (with -wal and -shm) loses no record (inv. 7). */
export function indexFile(dataDirectory: string): string {
  return join(dataDirectory, 'index.sqlite');
}

/** Lays the schema into a new file; refuses a file that another version of skilltape wrote. */
export function prepareSchema(database: DatabaseSync): void {
  inTransaction(database, () => {
    database.exec('create table if not exists schema_version (version integer not null) strict');
    if (storedVersion(database) !== null) return;
    database.exec(schema);
    database.prepare('insert into schema_version (version) values (?)').run(schemaVersion);
  });
  checkSchema(database);
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
          : 'rebuild the index',
    },
  );
}

function storedVersion(database: DatabaseSync): number | null {
  const row = database.prepare('select max(version) as version from schema_version').get();
  return typeof row?.version === 'number' ? row.version : null;
}
