import type { DatabaseSync } from 'node:sqlite';
import { openPrivateDatabase } from '../index/sqlite/database.ts';
import { onlyGrows } from '../index/sqlite/only-grows.ts';

/** Whom something is for, as an index has it. */
export const holderColumns = "json_extract(wanted, '$.holder.issuer'), json_extract(wanted, '$.holder.subject')";

/**
 * What was asked for and what happened to it only come (inv. 8). `live` and `in_force` are what is quickly found
 * of it, and can be made again.
 */
const schema = `
create table if not exists asked (
  id text primary key,
  asked_ms integer not null,
  until_ms integer not null,
  wanted text not null,
  terms text not null
) strict;
create table if not exists events (
  number integer primary key autoincrement,
  id text not null references asked (id),
  event text not null
) strict;
create index if not exists asked_by_holder on asked (${holderColumns}, id);
create index if not exists events_by_id on events (id, number);
create table if not exists live (id text primary key, asker text not null, until_ms integer not null) strict;
create index if not exists live_by_asker on live (asker);
create index if not exists live_by_end on live (until_ms);
create table if not exists in_force (id text primary key) strict;
${onlyGrows({ table: 'asked', key: ['id'], refusal: 'what was asked for does not change' })}
${onlyGrows({ table: 'events', key: ['number'], refusal: 'an event does not change' })}
`;

/** Opens the grants of a data directory. What was committed survives a power failure: a grant that was taken back stays so. */
export function openGrants(file: string): DatabaseSync {
  const database = openPrivateDatabase(file, 'FULL');
  database.exec(schema);
  return database;
}
