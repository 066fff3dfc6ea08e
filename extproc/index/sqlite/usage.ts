import type { DatabaseSync } from 'node:sqlite';
import { checkUsageKeys, tooManyUsageRows, usageRowsMax } from '../limits.ts';
import type { UsageKey, UsageQuery, UsageRow } from '../port.ts';
import { rowsOfUser } from './candidates.ts';
import { Conditions } from './conditions.ts';
import { orIndexFailed } from './database.ts';

const expressions: Record<UsageKey, string> = {
  user: 'person',
  session: 'session',
  skill: "coalesce(skill, '')",
  model: 'model',
  day: "coalesce(strftime('%Y-%m-%d', time_ms / 1000, 'unixepoch'), '')",
  connection: 'connection',
};

/** Sums over `exchange_usage`, which holds the exchanges and batch results that reported any tokens. */
export function sumUsage(database: DatabaseSync, query: UsageQuery): UsageRow[] {
  checkUsageKeys(query.by);
  const conditions = new Conditions();
  if (query.from !== undefined) conditions.add('time_ms >= ?', query.from.getTime());
  if (query.to !== undefined) conditions.add('time_ms < ?', query.to.getTime());
  if (query.connection !== undefined) conditions.add('connection = ?', query.connection);
  if (query.user !== undefined) {
    const { select, values } = rowsOfUser(query.user);
    conditions.add(`number in (${select})`, ...values);
  }
  const columns = [...query.by.map((key) => expressions[key]), 'model', 'service_tier'];
  const places = columns.map((_, at) => at + 1).join(', ');
  const rows = orIndexFailed('sum up tokens', () =>
    database
      // total() and not sum(): what an upstream reports must not end in an integer overflow.
      .prepare(
        `select ${columns.map((column, at) => `${column} as column${at}`).join(', ')}, count(*) as exchanges,
           total(exists (select 1 from exchanges as one
             where one.number = exchange_usage.number and one.outcome <> 'complete')) as partial,
           total(uncached_input) as uncached_input, total(cache_read) as cache_read,
           total(cache_creation_5m) as cache_creation_5m, total(cache_creation_1h) as cache_creation_1h,
           total(output) as output, total(web_search_requests) as web_search_requests
         from exchange_usage ${query.by.includes('skill') ? 'left join exchange_skills using (number)' : ''}
         ${conditions.where()} group by ${places} order by ${places} limit ${usageRowsMax + 1}`,
      )
      .all(...conditions.values),
  );
  if (rows.length > usageRowsMax) throw tooManyUsageRows();
  return rows.map((row) => rowOf(row, query.by.length));
}

function rowOf(row: Record<string, unknown>, keys: number): UsageRow {
  return {
    group: Array.from({ length: keys }, (_, at) => String(row[`column${at}`])),
    model: String(row[`column${keys}`]),
    serviceTier: String(row[`column${keys + 1}`]),
    exchanges: Number(row.exchanges),
    partial: Number(row.partial),
    tokens: {
      uncachedInput: Number(row.uncached_input),
      cacheRead: Number(row.cache_read),
      cacheCreation5m: Number(row.cache_creation_5m),
      cacheCreation1h: Number(row.cache_creation_1h),
      output: Number(row.output),
    },
    webSearchRequests: Number(row.web_search_requests),
  };
}
