import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SkilltapeError } from '../../errors.ts';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import type { Delivery, IndexSink } from '../port.ts';
import { type RejectsBound, unboundedRejects } from '../rejects.ts';
import { inTransaction, openPrivateDatabase, orIndexFailed, refusedForGood, shippingCache } from './database.ts';
import { type MemoryBounds, SqliteMemory } from './memory.ts';
import { prepareMemory } from './memory-tables.ts';
import { SqliteRejects } from './rejects.ts';
import { type ExchangeRow, rowOf } from './row.ts';
import { RowWriter } from './row-writer.ts';
import { indexFile, prepareSchema } from './schema.ts';

/** The writing side of the embedded index; one writer and any number of readers. Must be closed. */
export class SqliteIndex implements IndexSink {
  readonly #database: DatabaseSync;
  readonly #rows: RowWriter;
  /** In the same file, so that what was stored and what was refused are on disk together. */
  readonly #rejects: SqliteRejects;
  /** Around each document, so compiled once. */
  readonly #savepoint: Record<'begin' | 'keep' | 'undo', StatementSync>;

  constructor(database: DatabaseSync, now: () => Date, rejects: RejectsBound) {
    this.#database = database;
    this.#rows = new RowWriter(database);
    this.#rejects = new SqliteRejects(database, now, rejects);
    this.#savepoint = {
      begin: database.prepare('savepoint document'),
      keep: database.prepare('release document'),
      undo: database.prepare('rollback to document'),
    };
  }

  /** Opens or creates `index.sqlite` in the data directory. Throws SkilltapeError `index_failed`. */
  static open(
    dataDirectory: string,
    now: () => Date = () => new Date(),
    rejects: RejectsBound = unboundedRejects,
  ): SqliteIndex {
    return orIndexFailed('open the index', () => {
      // FULL: the journal is freed once the cursor is past a document, so a power cut must not take it from here.
      const database = openPrivateDatabase(indexFile(dataDirectory), 'FULL');
      try {
        // What the search merges away must not stay readable in free pages after it was deleted.
        database.exec('pragma secure_delete = on');
        database.exec(shippingCache);
        prepareSchema(database);
        prepareMemory(database);
        return new SqliteIndex(database, now, rejects);
      } catch (thrown) {
        database.close();
        throw thrown;
      }
    });
  }

  /** One transaction and one sync for all; a document that can never be stored is left out of it alone. */
  async deliver(documents: readonly Masked<ExchangeDocument>[]): Promise<readonly Delivery[]> {
    if (documents.length === 0) return [];
    try {
      const deliveries = inTransaction(this.#database, () => documents.map((document) => this.#take(document)));
      this.#rejects.makeRoom();
      return deliveries;
    } catch (thrown) {
      // "rejected" is only said of a document that stands in the list; until then it is delivered again.
      const { message: reason } = SkilltapeError.from(thrown);
      return documents.map(() => ({ kind: 'retry', reason }));
    }
  }

  /**
   * What shipping remembers, on the same connection and closed with it: of two connections each would read its pages
   * anew after the other one wrote.
   */
  memory(bounds: MemoryBounds): SqliteMemory {
    return new SqliteMemory(this.#database, () => new Date(), bounds);
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #take(document: Masked<ExchangeDocument>): Delivery {
    let row: ExchangeRow;
    try {
      row = rowOf(document);
    } catch (thrown) {
      return this.#reject(document, thrown);
    }
    // The text may be refused after the row of its exchange was taken.
    this.#savepoint.begin.run();
    try {
      const isNew = this.#rows.insert(row);
      this.#savepoint.keep.run();
      return { kind: isNew ? 'accepted' : 'duplicate' };
    } catch (thrown) {
      if (!refusedForGood(thrown)) throw thrown;
      this.#savepoint.undo.run();
      this.#savepoint.keep.run();
      return this.#reject(document, thrown);
    }
  }

  #reject(document: Masked<ExchangeDocument>, thrown: unknown): Delivery {
    const { message: reason } = SkilltapeError.from(thrown);
    this.#rejects.insert(document, reason);
    return { kind: 'rejected', reason };
  }
}
