import type { DatabaseSync } from 'node:sqlite';
import { openPrivateDatabase, orIndexFailed } from '../index/sqlite/database.ts';
import type { LinePlace, LogPlace } from './follower.ts';
import { type Found, FoundRows } from './found-rows.ts';
import type { LogLine } from './line.ts';
import type { RecordedExchange } from './recorded.ts';
import type { SourceMinute, SourceMinuteStore } from './source-minutes.ts';
import { Sql } from './sql.ts';
import { coverageFile, prepareCoverage } from './tables.ts';

/** `waiting`: the log has not told of it. `logged`: it has. `missed`: it did not in time. */
const states = { waiting: 0, logged: 1, missed: 2 } as const;
type State = keyof typeof states;

export type Known = { recorded: RecordedExchange; state: State };

/** A line that waits for its exchange; `number` is null before it was stored. */
export type WaitingLine = { number: number | null; line: LogLine; at: LinePlace };

/** All that one step of the comparison changes; stored as a whole or not at all. */
export type Changes = {
  place: LogPlace | null;
  found: Found[];
  waiting: WaitingLine[];
  /** Numbers of lines that wait no longer. */
  settled: number[];
  logged: string[];
  /** Records that were made from the log, and those that count what it told of: it does not have to tell of them. */
  late: { exchangeId: string; endedMs: number }[];
  missed: string[];
  minutes: SourceMinute[];
  closedMinutes: SourceMinute[];
};

/** Keeps what the comparison needs across restarts, in `coverage.sqlite` of the data directory. Must be closed. */
export class CoverageStore implements SourceMinuteStore {
  readonly found: FoundRows;
  readonly #sql: Sql;

  constructor(database: DatabaseSync, gapsKeptMax: number) {
    this.#sql = new Sql(database);
    this.found = new FoundRows(this.#sql, gapsKeptMax);
  }

  /** Throws SkilltapeError `index_failed`. */
  static open(dataDirectory: string, gapsKeptMax: number): CoverageStore {
    return orIndexFailed('open what coverage keeps', () => {
      // NORMAL: after a power cut some of the last steps are made again, from the log and the index.
      const database = openPrivateDatabase(coverageFile(dataDirectory), 'NORMAL');
      try {
        prepareCoverage(database);
        return new CoverageStore(database, gapsKeptMax);
      } catch (thrown) {
        database.close();
        throw thrown;
      }
    });
  }

  close(): void {
    this.#sql.close();
  }

  /** An exchange that is noted again keeps its state. */
  note(exchanges: readonly RecordedExchange[]): void {
    if (exchanges.length === 0) return;
    const insert = this.#sql.prepared(
      'insert or ignore into exchanges (exchange_id, request_id, state, ended_ms, recorded) values (?, ?, ?, ?, ?)',
    );
    this.#sql.change(() => {
      for (const each of exchanges) {
        insert.run(each.exchangeId, each.envoyRequestId, states.waiting, each.endedMs, JSON.stringify(each));
      }
    });
  }

  exchange(exchangeId: string): Known | null {
    const row = this.#sql.row('select state, recorded from exchanges where exchange_id = ?', exchangeId);
    return row === null ? null : knownOf(row);
  }

  /** All attempts of one request, the last one first: Envoy's second attempt has the request id of the first. */
  attempts(envoyRequestId: string): Known[] {
    if (envoyRequestId === '') return [];
    const sql = 'select state, recorded from exchanges where request_id = ? order by exchange_id desc limit 8';
    return this.#sql.rows(sql, envoyRequestId).map(knownOf);
  }

  place(): LogPlace | null {
    const row = this.#sql.row("select value from state where name = 'place'");
    return row === null ? null : (JSON.parse(String(row.value)) as LogPlace);
  }

  /** When the log was first followed; set once. */
  sinceMs(nowMs: number): number {
    this.#sql.change(() =>
      this.#sql.prepared("insert or ignore into state values ('since', ?)").run(String(Math.trunc(nowMs))),
    );
    return Number(this.#sql.row("select value from state where name = 'since'")?.value);
  }

  /** Lines whose exchange was recorded meanwhile, and those that ended before `untilMs`; the oldest first. */
  ready(untilMs: number, limit: number): WaitingLine[] {
    // From the exchanges on: they are few where lines wait for shipping. A cross join keeps SQLite to that order.
    const met = `select number from exchanges cross join lines on lines.exchange_id = exchanges.exchange_id
        where exchanges.state = ${states.waiting}
      union select number from exchanges cross join lines on lines.request_id = exchanges.request_id
        where exchanges.state = ${states.waiting} and lines.exchange_id = '' and lines.request_id <> ''`;
    const sql = `select * from lines where number in (select number from (${met}) limit ?)
      union select * from lines where end_ms < ? order by number limit ?`;
    return this.#sql.rows(sql, limit, untilMs, limit).map((row) => ({
      number: Number(row.number),
      line: JSON.parse(String(row.line)) as LogLine,
      at: { inode: Number(row.inode), offset: Number(row.offset) },
    }));
  }

  waitingLines(): number {
    return Number(this.#sql.row('select count(*) as count from lines')?.count);
  }

  /** When the oldest waiting line ended, but for those that are about to be settled. */
  oldestWaitingMs(but: readonly number[]): number | null {
    const sql = `select min(end_ms) as oldest from lines where number not in (select value from json_each(?))`;
    const oldest = this.#sql.row(sql, JSON.stringify(but))?.oldest;
    return typeof oldest === 'number' ? oldest : null;
  }

  /** Recorded between the two times, and not told of by the log. */
  unlogged(fromMs: number, untilMs: number, limit: number): RecordedExchange[] {
    const sql = `select state, recorded from exchanges where state = ${states.waiting}
      and ended_ms >= ? and ended_ms < ?
      and not exists (select 1 from lines where lines.exchange_id = exchanges.exchange_id)
      and not exists (select 1 from lines where request_id <> '' and lines.request_id = exchanges.request_id)
      order by ended_ms limit ?`;
    return this.#sql.rows(sql, fromMs, untilMs, limit).map((row) => knownOf(row).recorded);
  }

  sourceMinute(source: string, minuteMs: number): SourceMinute | null {
    const row = this.#sql.row('select value from source_minutes where minute_ms = ? and source = ?', minuteMs, source);
    return row === null ? null : (JSON.parse(String(row.value)) as SourceMinute);
  }

  sourcesIn(minuteMs: number): number {
    return Number(this.#sql.row('select count(*) as count from source_minutes where minute_ms = ?', minuteMs)?.count);
  }

  minutesBefore(timeMs: number, limit: number): SourceMinute[] {
    const sql = 'select value from source_minutes where minute_ms < ? order by minute_ms limit ?';
    return this.#sql.rows(sql, timeMs, limit).map(({ value }) => JSON.parse(String(value)) as SourceMinute);
  }

  /** `comparedUntilMs`: for whoever looks from another process. */
  apply(changes: Changes, comparedUntilMs: number | null): void {
    this.#sql.change(() => {
      if (comparedUntilMs !== null) {
        this.#sql.prepared("insert or replace into state values ('compared', ?)").run(String(comparedUntilMs));
      }
      this.#applyLines(changes);
      this.#applyExchanges(changes);
      this.found.insert(changes.found);
      const put = this.#sql.prepared('insert or replace into source_minutes values (?, ?, ?)');
      for (const each of changes.minutes) put.run(each.minuteMs, each.source, JSON.stringify(each));
      const close = this.#sql.prepared('delete from source_minutes where minute_ms = ? and source = ?');
      for (const { minuteMs, source } of changes.closedMinutes) close.run(minuteMs, source);
    });
  }

  /** Forgets exchanges that were settled and ended before. */
  prune(beforeMs: number): void {
    const sql = `delete from exchanges where state = ? and ended_ms < ?`;
    this.#sql.change(() => {
      for (const state of [states.logged, states.missed]) this.#sql.prepared(sql).run(state, beforeMs);
    });
  }

  #applyLines({ place, waiting, settled }: Changes): void {
    if (place !== null) {
      this.#sql.prepared("insert or replace into state values ('place', ?)").run(JSON.stringify(place));
    }
    const wait = this.#sql.prepared(
      'insert into lines (exchange_id, request_id, end_ms, inode, "offset", line) values (?, ?, ?, ?, ?, ?)',
    );
    for (const { line, at } of waiting) {
      // What a caller wrote waits only where it is needed for a record.
      const kept = line.exchangeId === '' ? line : { ...line, method: '', path: '' };
      wait.run(line.exchangeId, line.envoyRequestId, line.endMs, at.inode, at.offset, JSON.stringify(kept));
    }
    const settle = this.#sql.prepared('delete from lines where number = ?');
    for (const number of settled) settle.run(number);
  }

  #applyExchanges({ logged, late, missed }: Changes): void {
    const add = this.#sql.prepared(
      "insert into exchanges values (?, '', ?, ?, '') on conflict do update set state = excluded.state, request_id = ''",
    );
    for (const { exchangeId, endedMs } of late) add.run(exchangeId, states.logged, endedMs);
    const set = this.#sql.prepared('update exchanges set state = ? where exchange_id = ?');
    for (const exchangeId of logged) set.run(states.logged, exchangeId);
    for (const exchangeId of missed) set.run(states.missed, exchangeId);
  }
}

function knownOf(row: Record<string, unknown>): Known {
  const state = (Object.keys(states) as State[]).find((name) => states[name] === row.state) ?? 'waiting';
  return { state, recorded: JSON.parse(String(row.recorded)) as RecordedExchange };
}
