import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** A table for each that a row of `exchanges` has something in, and the column with its number. */
const tables = [
  ['exchange_text', 'rowid'],
  ['exchange_skills', 'number'],
  ['exchange_findings', 'number'],
  ['exchange_usage', 'number'],
  ['exchanges', 'number'],
] as const;

/** Takes one document out of all tables of the index. Must run inside a transaction of the caller. */
export class RowRemover {
  readonly #statements: readonly StatementSync[];

  constructor(database: DatabaseSync) {
    this.#statements = tables.map(([table, column]) => database.prepare(`delete from ${table} where ${column} = ?`));
  }

  remove(number: number): void {
    for (const statement of this.#statements) statement.run(number);
  }
}
