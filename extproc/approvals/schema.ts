import type { DatabaseSync } from 'node:sqlite';
import { openPrivateDatabase } from '../index/sqlite/database.ts';

/**
 * Tickets and events only come (inv. 8): the triggers refuse every change through SQL, also `insert or replace`. They do
 * not stop someone who may write the file. `live` and `grants` are what is quickly found of it, and can be made again.
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
create trigger if not exists tickets_no_update before update on tickets
  begin select raise(abort, 'a ticket does not change'); end;
create trigger if not exists tickets_no_delete before delete on tickets
  begin select raise(abort, 'a ticket does not change'); end;
create trigger if not exists tickets_no_replace before insert on tickets
  when exists (select 1 from tickets where ticket = new.ticket)
  begin select raise(abort, 'a ticket does not change'); end;
create trigger if not exists events_no_update before update on events
  begin select raise(abort, 'an event does not change'); end;
create trigger if not exists events_no_delete before delete on events
  begin select raise(abort, 'an event does not change'); end;
create trigger if not exists events_no_replace before insert on events
  when exists (select 1 from events where number = new.number)
  begin select raise(abort, 'an event does not change'); end;
`;

/** Opens the tickets of a data directory. What was committed survives a power failure: a use must not count twice. */
export function openTickets(file: string): DatabaseSync {
  const database = openPrivateDatabase(file, 'FULL');
  database.exec(schema);
  return database;
}
