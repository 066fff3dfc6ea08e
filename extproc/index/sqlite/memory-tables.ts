import type { DatabaseSync } from 'node:sqlite';
import { SkilltapeError } from '../../errors.ts';
import { inTransaction } from './database.ts';

/** Of the tables below; the tables of the index in the same file have a version of their own. */
const memoryVersion = 4;

/**
 * An index of version 1 has turns and rejects already, and no table of their version; they are taken over. Version 2
 * brought `retention_classes`, version 3 `counted`, version 4 `owners`.
 */
const tables = `
create table if not exists seen_turns (
  scope text not null,
  hash text not null,
  exchange_id text not null,
  primary key (scope, hash)
) strict, without rowid;
create index if not exists seen_turns_by_exchange on seen_turns (exchange_id);
create table if not exists links (
  key text not null primary key,
  event_id text not null,
  session text not null
) strict, without rowid;
create index if not exists links_by_event on links (event_id);
create table if not exists retention_classes (
  exchange_id text not null primary key,
  retention_class text not null
) strict, without rowid;
create table if not exists counted (
  exchange_id text not null primary key,
  person text not null,
  session text not null,
  input_tokens integer not null,
  output_tokens integer not null,
  spend real
) strict, without rowid;
create index if not exists counted_by_person on counted (person, exchange_id, input_tokens, output_tokens, spend);
create index if not exists counted_by_session on counted (session, exchange_id, input_tokens, output_tokens, spend);
create table if not exists owners (
  key text not null primary key,
  owner text not null,
  exchange_id text not null
) strict, without rowid;
create index if not exists owners_by_exchange on owners (exchange_id);
create table if not exists rejects (
  number integer primary key,
  id text not null,
  time text not null,
  reason text not null,
  document text not null
) strict;
create index if not exists rejects_by_id on rejects (id);
`;

/** Lays the tables of the memory into a file that may hold an index too. Throws `index_failed` for a newer one. */
export function prepareMemory(database: DatabaseSync): void {
  inTransaction(database, () => {
    database.exec('create table if not exists memory_version (version integer not null) strict');
    const version = Number(database.prepare('select max(version) as version from memory_version').get()?.version ?? 0);
    if (version === memoryVersion) return;
    if (version > memoryVersion)
      throw new SkilltapeError('index_failed', `what shipping remembers has version ${version}, not ${memoryVersion}`, {
        remedy: 'use the newer skilltape that wrote it',
      });
    database.exec(tables);
    database.prepare('insert into memory_version (version) values (?)').run(memoryVersion);
  });
}
