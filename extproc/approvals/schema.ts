import type { DatabaseSync } from 'node:sqlite';
import { openPrivateDatabase } from '../index/sqlite/database.ts';
import { onlyGrows } from '../index/sqlite/only-grows.ts';

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
create table if not exists events (
  number integer primary key autoincrement,
  ticket text not null references tickets (ticket),
  event text not null
) strict;
create index if not exists events_by_ticket on events (ticket, number);
create table if not exists live (ticket text primary key, caller text not null, until_ms integer not null) strict;
create index if not exists live_by_caller on live (caller);
create index if not exists live_by_end on live (until_ms);
create table if not exists grants (key text not null, ticket text not null, until_ms integer not null) strict;
create index if not exists grants_by_key on grants (key, until_ms);
${onlyGrows({ table: 'tickets', key: ['ticket'], refusal: 'a ticket does not change' })}
${onlyGrows({ table: 'events', key: ['number'], refusal: 'an event does not change' })}
`;

/** Opens the tickets of a data directory. What was committed survives a power failure: a use must not count twice. */
export function openTickets(file: string): DatabaseSync {
  const database = openPrivateDatabase(file, 'FULL');
  database.exec(schema);
  return database;
}
