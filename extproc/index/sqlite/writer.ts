import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SkilltapeError } from '../../errors.ts';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import type { Delivery, IndexSink } from '../port.ts';
import type { Rejects } from '../rejects.ts';
import type { SeenTurns, Turns } from '../seen-turns.ts';
import { inTransaction, openPrivateDatabase, orIndexFailed, refusedForGood } from './database.ts';
import { SqliteRejects } from './rejects.ts';
import { type ExchangeRow, rowOf } from './row.ts';
import { indexFile, prepareSchema } from './schema.ts';
import { SqliteSeenTurns } from './turns.ts';

/** The writing side of the embedded index; one writer and any number of readers. Must be closed. */
export class SqliteIndex implements IndexSink {
  readonly turns: SeenTurns;
  readonly rejects: Rejects;
  readonly #database: DatabaseSync;
  readonly #seenTurns: SqliteSeenTurns;
  readonly #insertExchange: StatementSync;
  readonly #insertText: StatementSync;

  constructor(database: DatabaseSync, now: () => Date) {
    this.#database = database;
    this.#seenTurns = new SqliteSeenTurns(database);
    this.turns = this.#seenTurns;
    this.rejects = new SqliteRejects(database, now);
    this.#insertExchange = database.prepare(
      `insert into exchanges (id, time_ms, session, connection, outcome, user_id, user_email, user_name, document)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
    );
    this.#insertText = database.prepare('insert into exchange_text (rowid, input, output) values (?, ?, ?)');
  }

  /** Opens or creates `index.sqlite` in the data directory. Throws SkilltapeError `index_failed`. */
  static open(dataDirectory: string, now: () => Date = () => new Date()): SqliteIndex {
    return orIndexFailed('open the index', () => {
      // FULL: the journal is freed once the cursor is past a document, so a power cut must not take it from here.
      const database = openPrivateDatabase(indexFile(dataDirectory), 'FULL');
      try {
        prepareSchema(database);
        return new SqliteIndex(database, now);
      } catch (thrown) {
        database.close();
        throw thrown;
      }
    });
  }

  deliver(document: Masked<ExchangeDocument>): Promise<Delivery> {
    return this.deliverWithTurns(document, { scope: '', hashes: [] });
  }

  /** Stores the document and remembers its turns together or not at all; a rejected document leaves no turns. */
  async deliverWithTurns(document: Masked<ExchangeDocument>, turns: Turns): Promise<Delivery> {
    let row: ExchangeRow;
    try {
      row = rowOf(document);
    } catch (thrown) {
      return this.#reject(document, SkilltapeError.from(thrown).message);
    }
    try {
      return inTransaction(this.#database, () => {
        const isNew = this.#insert(row);
        this.#seenTurns.insertAll(turns.scope, turns.hashes, row.id);
        return { kind: isNew ? 'accepted' : 'duplicate' };
      });
    } catch (thrown) {
      const reason = SkilltapeError.from(thrown).message;
      return refusedForGood(thrown) ? this.#reject(document, reason) : { kind: 'retry', reason };
    }
  }

  close(): void {
    this.#database.close();
  }

  #insert(row: ExchangeRow): boolean {
    const { user } = row;
    const result = this.#insertExchange.run(
      row.id,
      row.timeMs,
      row.session,
      row.connection,
      row.outcome,
      user?.id ?? null,
      user?.email ?? null,
      user?.name ?? null,
      row.json,
    );
    if (result.changes === 0) return false;
    this.#insertText.run(result.lastInsertRowid, row.input, row.output);
    return true;
  }

  #reject(document: Masked<ExchangeDocument>, reason: string): Delivery {
    try {
      this.rejects.keep(document, reason);
      return { kind: 'rejected', reason };
    } catch (thrown) {
      // "rejected" is only said of a document that stands in the list; until then it is delivered again.
      return {
        kind: 'retry',
        reason: `${reason}; ${SkilltapeError.from(thrown).message}`,
      };
    }
  }
}
