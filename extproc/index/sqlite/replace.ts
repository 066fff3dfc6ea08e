import type { DatabaseSync } from 'node:sqlite';
import { SkilltapeError } from '../../errors.ts';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import type { IndexReplace, Replacement } from '../port.ts';
import { inTransaction, orIndexFailed, refusedForGood } from './database.ts';
import { type ExchangeRow, rowOf } from './row.ts';
import { RowRemover } from './row-remover.ts';
import { RowWriter } from './row-writer.ts';
import { openForChanges } from './schema.ts';
import { restored } from './stored.ts';

type Stored = { number: number; id: string; json: string };

/**
 * Replaces documents beside the thread that ships, which may be in another process: each exchange in a transaction of its
 * own, so that neither waits long for the other. Must be closed.
 */
export class SqliteReplace implements IndexReplace {
  readonly #database: DatabaseSync;
  readonly #rows: RowWriter;
  readonly #remover: RowRemover;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#rows = new RowWriter(database);
    this.#remover = new RowRemover(database);
  }

  /** Throws SkilltapeError `index_failed`, also where there is no index. */
  static open(dataDirectory: string): SqliteReplace {
    return new SqliteReplace(openForChanges(dataDirectory));
  }

  async replace(documents: readonly Masked<ExchangeDocument>[]): Promise<Replacement> {
    let rows: ExchangeRow[];
    try {
      rows = documents.map(rowOf);
    } catch (thrown) {
      return { kind: 'rejected', reason: SkilltapeError.from(thrown).message };
    }
    try {
      return inTransaction(this.#database, () => this.#replace(rows));
    } catch (thrown) {
      const { message: reason } = SkilltapeError.from(thrown);
      return refusedForGood(thrown) ? { kind: 'rejected', reason } : { kind: 'retry', reason };
    }
  }

  async stored(exchangeId: string): Promise<Masked<ExchangeDocument>[]> {
    return orIndexFailed('read from the index', () => {
      const stored = this.#storedOf(exchangeId);
      return stored[0]?.id === exchangeId ? stored.map(({ json }) => restored(json)) : [];
    });
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #replace(rows: readonly ExchangeRow[]): Replacement {
    const id = rows[0]?.id ?? '';
    const stored = this.#storedOf(id);
    if (!stored.some((one) => one.id === id)) return { kind: 'absent' };
    const wanted = new Map(rows.map((row) => [row.id, row.json]));
    if (stored.length === rows.length && stored.every((one) => wanted.get(one.id) === one.json))
      return { kind: 'unchanged' };
    for (const { number } of stored) this.#remover.remove(number);
    for (const row of rows) this.#rows.insert(row);
    return { kind: 'replaced' };
  }

  /** Documents of a batch have their exchange's id with a full stop and a number; "/" follows the full stop. */
  #storedOf(id: string): Stored[] {
    return this.#database
      .prepare(
        "select number, id, document from exchanges where id = $id or (id >= $id || '.' and id < $id || '/') order by id",
      )
      .all({ $id: id })
      .map((row) => ({ number: Number(row.number), id: String(row.id), json: String(row.document) }));
  }
}
