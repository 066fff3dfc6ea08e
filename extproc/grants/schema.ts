import type { DatabaseSync } from 'node:sqlite';
import { openPrivateDatabase } from '../index/sqlite/database.ts';
import { liveTable, recordedEvents } from '../index/sqlite/recorded-events.ts';

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
create index if not exists asked_by_holder on asked (${holderColumns}, id);
create table if not exists in_force (id text primary key) strict;
${recordedEvents({ table: 'asked', key: 'id', refusal: 'what was asked for does not change' })}
${liveTable({ key: 'id', counted: 'asker' })}
`;

/** Opens the grants of a data directory. What was committed survives a power failure: a grant that was taken back stays so. */
export function openGrants(file: string): DatabaseSync {
  const database = openPrivateDatabase(file, 'FULL');
  database.exec(schema);
  return database;
}
