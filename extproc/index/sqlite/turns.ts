import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SeenTurns } from '../seen-turns.ts';
import { inTransaction, orIndexFailed } from './database.ts';

/** The turns seen so far, in the file of the index, so that both are rebuilt together. */
export class SqliteSeenTurns implements SeenTurns {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare('select exchange_id from seen_turns where scope = ? and hash = ?');
    this.#insert = database.prepare('insert or ignore into seen_turns (scope, hash, exchange_id) values (?, ?, ?)');
  }

  firstSeenBy(scope: string, hash: string): string | null {
    return orIndexFailed('look up a turn', () => {
      const id = this.#select.get(scope, hash)?.exchange_id;
      return typeof id === 'string' ? id : null;
    });
  }

  remember(scope: string, hashes: readonly string[], exchangeId: string): void {
    orIndexFailed('remember turns', () =>
      inTransaction(this.#database, () => this.insertAll(scope, hashes, exchangeId)),
    );
  }

  /** Must run inside a transaction of the caller. */
  insertAll(scope: string, hashes: readonly string[], exchangeId: string): void {
    for (const hash of hashes) this.#insert.run(scope, hash, exchangeId);
  }
}
