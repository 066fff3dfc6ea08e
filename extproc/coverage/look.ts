import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { openForReading, orIndexFailed } from '../index/sqlite/database.ts';
import type { Gap, GapKind } from './finding.ts';
import { countsFrom, type DayRow, dayOf } from './found-rows.ts';
import { coverageFile, isPrepared } from './tables.ts';

/** What coverage found, for a look from another process. Throws SkilltapeError `index_failed`. Must be closed. */
export type CoverageLook = {
  /** Days from this time on, the newest first; a day is there when something was found in it. */
  days(since: Date): DayRow[];
  /** The newest first. */
  gaps(since: Date, limit: number): Gap[];
  /** What ended before was compared, ISO 8601 in UTC; null before the log was once read to its end. */
  comparedUntil(): string | null;
  close(): void;
};

/** Null where nothing was ever compared. */
export function openCoverageLook(dataDirectory: string): CoverageLook | null {
  const file = coverageFile(dataDirectory);
  if (!existsSync(file)) return null;
  const database = orIndexFailed('open what coverage found', () => openForReading(file));
  try {
    if (orIndexFailed('read what coverage found', () => isPrepared(database))) return lookInto(database);
  } catch (thrown) {
    database.close();
    throw thrown;
  }
  database.close();
  return null;
}

function lookInto(database: DatabaseSync): CoverageLook {
  const rows = (sql: string, ...values: (string | number)[]): Record<string, unknown>[] =>
    orIndexFailed('read what coverage found', () => database.prepare(sql).all(...values));
  return {
    days(since) {
      const byDay = Map.groupBy(rows('select * from days where day >= ?', dayOf(since.getTime())), ({ day }) => day);
      const places = new Map(rows('select * from places').map((row) => [row.day, row]));
      return [...byDay]
        .map(([day, counts]) => {
          const place = places.get(day);
          const range = { from: String(place?.from_place ?? ''), to: String(place?.to_place ?? '') };
          return { day: String(day), counts: countsFrom(counts), ...range };
        })
        .sort((a, b) => b.day.localeCompare(a.day));
    },
    gaps: (since, limit) =>
      rows(
        'select * from gaps where time_ms >= ? order by time_ms desc, number desc limit ?',
        since.getTime(),
        limit,
      ).map((row) => ({
        kind: row.kind as GapKind,
        timeMs: Number(row.time_ms),
        exchangeId: String(row.exchange_id),
        envoyRequestId: String(row.request_id),
        reason: String(row.reason),
      })),
    comparedUntil() {
      const [row] = rows("select value from state where name = 'compared'");
      return row === undefined ? null : new Date(Number(row.value)).toISOString();
    },
    close: () => database.close(),
  };
}
