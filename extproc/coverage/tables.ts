import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { SkilltapeError } from '../errors.ts';
import { inTransaction } from '../index/sqlite/database.ts';

export function coverageFile(dataDirectory: string): string {
  return join(dataDirectory, 'coverage.sqlite');
}

const version = 1;

/**
 * - `exchanges`: what was recorded, and whether the log has told of it (`state`). Kept for a day behind what is shipped,
 *   because shipping may begin again behind its place.
 * - `lines`: lines for which the record has nothing yet. Method and path are there only for a line without exchange.
 * - `days`: what was found, by the UTC day of the request; `places`: which part of the log these were.
 */
const tables = `
create table state (name text primary key, value text not null) strict, without rowid;
create table exchanges (
  exchange_id text primary key,
  request_id text not null,
  state integer not null,
  ended_ms real not null,
  recorded text not null
) strict, without rowid;
create index exchanges_by_request on exchanges (request_id);
create index exchanges_by_state on exchanges (state, ended_ms);
create table lines (
  number integer primary key,
  exchange_id text not null,
  request_id text not null,
  end_ms integer not null,
  inode integer not null,
  "offset" integer not null,
  line text not null
) strict;
create index lines_by_end on lines (end_ms);
create index lines_by_exchange on lines (exchange_id);
create index lines_by_request on lines (request_id);
create table days (day text, kind text, count integer not null, primary key (day, kind)) strict, without rowid;
create table places (
  day text primary key,
  from_place text not null,
  to_place text not null,
  told integer not null
) strict, without rowid;
create table gaps (
  number integer primary key,
  time_ms integer not null,
  kind text not null,
  exchange_id text not null,
  request_id text not null,
  reason text not null
) strict;
create index gaps_by_kind on gaps (kind, number);
create index gaps_by_time on gaps (time_ms);
create table source_minutes (
  minute_ms integer not null,
  source text not null,
  value text not null,
  primary key (minute_ms, source)
) strict, without rowid;
`;

/** Throws `index_failed` for a file of a newer skilltape. */
export function prepareCoverage(database: DatabaseSync): void {
  // Paths of requests wait here for a record that masks them; a deleted row must not stay readable in a free page.
  database.exec('pragma secure_delete = on');
  inTransaction(database, () => {
    if (isPrepared(database)) return;
    database.exec(tables);
    database.exec(`pragma user_version = ${version}`);
  });
}

/** False for a file without tables yet. Throws `index_failed` for one of a newer skilltape. */
export function isPrepared(database: DatabaseSync): boolean {
  const found = Number(database.prepare('pragma user_version').get()?.user_version ?? 0);
  if (found === version || found === 0) return found === version;
  throw new SkilltapeError('index_failed', `coverage.sqlite has version ${found}, not ${version}`, {
    remedy: 'use the newer skilltape that wrote it',
  });
}
