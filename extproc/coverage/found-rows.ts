import { type Counts, countsOf, type Finding, type Gap } from './finding.ts';
import type { LinePlace } from './follower.ts';
import type { Sql } from './sql.ts';

/** `gap` is null for what is no gap. */
export type Found = { kind: Finding; timeMs: number; at: LinePlace | null; gap: Gap | null };

/** One UTC day; `from` and `to` are places in the log, as inode and byte. */
export type DayRow = { day: string; counts: Counts; from: string; to: string };

/** What was found: counts by day, which part of a log they are of, and the newest gaps. */
export class FoundRows {
  readonly #sql: Sql;
  readonly #gapsKeptMax: number;

  constructor(sql: Sql, gapsKeptMax: number) {
    this.#sql = sql;
    this.#gapsKeptMax = gapsKeptMax;
  }

  totals(): Counts {
    return countsFrom(this.#sql.rows('select kind, sum(count) as count from days group by kind'));
  }

  /** Days before this one that were not told yet, each once. */
  takeUntold(day: string): DayRow[] {
    const rows = this.#sql.rows('select day from places where told = 0 and day < ? order by day', day);
    if (rows.length === 0) return [];
    const days = rows.map((row) => this.dayRow(String(row.day)));
    this.#sql.change(() => this.#sql.prepared('update places set told = 1 where told = 0 and day < ?').run(day));
    return days;
  }

  dayRow(day: string): DayRow {
    const counts = countsFrom(this.#sql.rows('select kind, count from days where day = ?', day));
    const place = this.#sql.row('select from_place, to_place from places where day = ?', day);
    return { day, counts, from: String(place?.from_place ?? ''), to: String(place?.to_place ?? '') };
  }

  /** Must run inside a transaction. */
  insert(found: readonly Found[]): void {
    const count = this.#sql.prepared(
      'insert into days values (?, ?, ?) on conflict do update set count = count + excluded.count',
    );
    const place = this.#sql.prepared(
      `insert into places values (?, ?, ?, 0) on conflict do update set told = 0,
         to_place = iif(excluded.to_place = '', to_place, excluded.to_place)`,
    );
    const gap = this.#sql.prepared(
      'insert into gaps (time_ms, kind, exchange_id, request_id, reason) values (?, ?, ?, ?, ?)',
    );
    const sums = new Map<string, { day: string; kind: Finding; count: number }>();
    const ranges = new Map<string, { from: string; to: string }>();
    for (const each of found) {
      const day = dayOf(each.timeMs);
      const sum = sums.get(`${day} ${each.kind}`) ?? { day, kind: each.kind, count: 0 };
      sums.set(`${day} ${each.kind}`, { ...sum, count: sum.count + 1 });
      const to = each.at === null ? '' : `${each.at.inode}:${each.at.offset}`;
      const range = ranges.get(day) ?? { from: to, to };
      ranges.set(day, { from: range.from === '' ? to : range.from, to: to === '' ? range.to : to });
      if (each.gap === null) continue;
      gap.run(
        Math.trunc(each.gap.timeMs),
        each.gap.kind,
        each.gap.exchangeId,
        each.gap.envoyRequestId,
        each.gap.reason,
      );
    }
    for (const sum of sums.values()) count.run(sum.day, sum.kind, sum.count);
    for (const [day, { from, to }] of ranges) place.run(day, from, to);
    this.#dropOldGaps(found);
  }

  /** Of each kind for itself: a flood of one must not push out an alarm. */
  #dropOldGaps(found: readonly Found[]): void {
    const drop = this.#sql.prepared(
      `delete from gaps where kind = $kind and number <=
         (select number from gaps where kind = $kind order by number desc limit 1 offset $kept)`,
    );
    const kinds = new Set(found.flatMap(({ gap }) => (gap === null ? [] : [gap.kind])));
    for (const kind of kinds) drop.run({ $kind: kind, $kept: this.#gapsKeptMax });
  }
}

export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

export function countsFrom(rows: readonly Record<string, unknown>[]): Counts {
  return countsOf(new Map(rows.map(({ kind, count }) => [kind as Finding, Number(count)])));
}
