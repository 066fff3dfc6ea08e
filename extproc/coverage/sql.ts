import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { inTransaction, orIndexFailed } from '../index/sqlite/database.ts';

/** One connection with its statements, each prepared once. Throws SkilltapeError `index_failed`. */
export class Sql {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** In one transaction. */
  change(work: () => unknown): void {
    orIndexFailed('store what coverage found', () => inTransaction(this.#database, work));
  }

  rows(sql: string, ...values: (string | number)[]): Record<string, unknown>[] {
    return orIndexFailed('read what coverage keeps', () => this.prepared(sql).all(...values));
  }

  row(sql: string, ...values: (string | number)[]): Record<string, unknown> | null {
    return this.rows(sql, ...values)[0] ?? null;
  }

  close(): void {
    this.#database.close();
  }
}
