import type { DatabaseSync } from 'node:sqlite';
import { openPrivateDatabase } from '../index/sqlite/database.ts';
import { liveTable, recordedEvents } from '../index/sqlite/recorded-events.ts';

/**
 * Tickets and events only come (inv. 8). `live` and `grants` are what is quickly found of it, and can be made again.
 */
const schema = `
create table if not exists tickets (
  ticket text primary key,
  binding text not null,
  caller text not null,
  opened_ms integer not null,
  until_ms integer not null,
  terms text not null,
  scopes text not null,
  summary text not null
) strict;
create index if not exists tickets_by_binding on tickets (binding, opened_ms);
create table if not exists grants (key text not null, ticket text not null, until_ms integer not null) strict;
create index if not exists grants_by_key on grants (key, until_ms);
${recordedEvents({ table: 'tickets', key: 'ticket', refusal: 'a ticket does not change' })}
${liveTable({ key: 'ticket', counted: 'caller' })}
`;

/** Opens the tickets of a data directory. What was committed survives a power failure: a use must not count twice. */
export function openTickets(file: string): DatabaseSync {
  const database = openPrivateDatabase(file, 'FULL');
  database.exec(schema);
  return database;
}
