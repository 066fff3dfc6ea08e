import { existsSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CountedUse, StoredUse, SumOfUse } from '../counted.ts';
import { openForReading, orIndexFailed } from './database.ts';
import { uuidFloor } from './uuid-floor.ts';

/** Budgets go by the day and by the session; one that goes on after this time begins at nothing. */
const rememberedMs = 31 * 24 * 60 * 60 * 1_000;
const prunedAtOnceMax = 5_000;

const sums = `count(*) as requests, coalesce(sum(input_tokens), 0) as inputTokens,
  coalesce(sum(output_tokens), 0) as outputTokens, coalesce(sum(spend), 0) as spend,
  count(*) - count(spend) as unpricedRequests`;

/** What exchanges used, each of them once however often it is shipped. */
export class SqliteCounted implements StoredUse {
  readonly #insert: StatementSync;
  readonly #prune: StatementSync;
  readonly #ofPerson: StatementSync;
  readonly #ofSession: StatementSync;
  readonly #now: () => Date;

  constructor(database: DatabaseSync, now: () => Date) {
    this.#insert = database.prepare(
      `insert or ignore into counted (exchange_id, person, session, input_tokens, output_tokens, spend)
       values (?, ?, ?, ?, ?, ?)`,
    );
    this.#prune = database.prepare(
      `delete from counted where exchange_id in
         (select exchange_id from counted where exchange_id < ? limit ${prunedAtOnceMax})`,
    );
    this.#ofPerson = database.prepare(
      `select ${sums} from counted where person = ? and exchange_id >= ? and exchange_id < ?`,
    );
    this.#ofSession = database.prepare(`select ${sums} from counted where session = ? and exchange_id < ?`);
    this.#now = now;
  }

  /** Must run inside a transaction of the caller. */
  insertAll(uses: readonly CountedUse[]): void {
    if (uses.length === 0) return;
    this.#prune.run(uuidFloor(this.#now().getTime() - rememberedMs));
    for (const { exchangeId, person, session, inputTokens, outputTokens, spend } of uses)
      this.#insert.run(exchangeId, person, session, inputTokens, outputTokens, spend);
  }

  ofPerson(person: string, fromMs: number, beforeId: string): SumOfUse {
    return orIndexFailed('add up what a person used', () =>
      sumOf(this.#ofPerson.get(person, uuidFloor(fromMs), beforeId)),
    );
  }

  ofSession(session: string, beforeId: string): SumOfUse {
    return orIndexFailed('add up what a session used', () => sumOf(this.#ofSession.get(session, beforeId)));
  }
}

/**
 * The same in the file of a `SqliteMemory`, read beside its writer in another thread or process; nothing was used as long
 * as the file or its table is not there. Must be closed.
 */
export function openCountedForReading(file: string): StoredUse & { close(): void } {
  let database: DatabaseSync | null = null;
  let counted: SqliteCounted | null = null;
  const opened = (): SqliteCounted | null => {
    if (counted !== null) return counted;
    if (database === null && !existsSync(file)) return null;
    database ??= openForReading(file);
    if (!hasTable(database)) return null;
    counted = new SqliteCounted(database, () => new Date());
    return counted;
  };
  return {
    ofPerson: (...asked) => orIndexFailed('add up what a person used', () => opened()?.ofPerson(...asked) ?? nothing),
    ofSession: (...asked) =>
      orIndexFailed('add up what a session used', () => opened()?.ofSession(...asked) ?? nothing),
    close: () => database?.close(),
  };
}

const nothing: SumOfUse = { requests: 0, inputTokens: 0, outputTokens: 0, spend: 0, unpricedRequests: 0 };

function hasTable(database: DatabaseSync): boolean {
  return database.prepare("select 1 from sqlite_schema where type = 'table' and name = 'counted'").get() !== undefined;
}

function sumOf(row: Record<string, unknown> | undefined): SumOfUse {
  return {
    requests: Number(row?.requests ?? 0),
    inputTokens: Number(row?.inputTokens ?? 0),
    outputTokens: Number(row?.outputTokens ?? 0),
    spend: Number(row?.spend ?? 0),
    unpricedRequests: Number(row?.unpricedRequests ?? 0),
  };
}
