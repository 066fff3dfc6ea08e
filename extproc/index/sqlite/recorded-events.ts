import { onlyGrows } from './only-grows.ts';

/** `table` has what events happen to, under `key`; both only come (inv. 8), and `refusal` says so of the table. */
export type Recorded = { table: string; key: string; refusal: string };

/**
 * The statements of a schema for the events of what is in a table, and what keeps both as they were written. Behind the
 * table, to which they refer.
 */
export function recordedEvents({ table, key, refusal }: Recorded): string {
  return `
create table if not exists events (
  number integer primary key autoincrement,
  ${key} text not null references ${table} (${key}),
  event text not null
) strict;
create index if not exists events_by_${key} on events (${key}, number);
${onlyGrows({ table, key: [key], refusal })}
${onlyGrows({ table: 'events', key: ['number'], refusal: 'an event does not change' })}
`;
}

/** What ends by itself, by whoever it counts against and by its end; quickly found of the events, and can be made again. */
export function liveTable({ key, counted }: { key: string; counted: string }): string {
  return `
create table if not exists live (${key} text primary key, ${counted} text not null, until_ms integer not null) strict;
create index if not exists live_by_${counted} on live (${counted});
create index if not exists live_by_end on live (until_ms);
`;
}
