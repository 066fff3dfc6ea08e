import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SeenTurns, Turns } from '../seen-turns.ts';
import { orIndexFailed } from './database.ts';

/** The turns seen so far. */
export class SqliteSeenTurns implements SeenTurns {
  readonly #select: StatementSync;
  readonly #insert: StatementSync;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare('select exchange_id from seen_turns where scope = ? and hash = ?');
    this.#insert = database.prepare('insert or ignore into seen_turns (scope, hash, exchange_id) values (?, ?, ?)');
  }

  firstSeenBy(scope: string, hash: string): string | null {
    return orIndexFailed('look up a turn', () => {
      const id = this.#select.get(scope, hash)?.exchange_id;
      return typeof id === 'string' ? id : null;
    });
  }

  /** Must run inside a transaction of the caller. */
  insert({ scope, hashes, exchangeId }: Turns): void {
    for (const hash of hashes) this.#insert.run(scope, hash, exchangeId);
  }
}
