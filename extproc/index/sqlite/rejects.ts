import type { DatabaseSync } from 'node:sqlite';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import type { Reject, Rejects } from '../rejects.ts';
import { orIndexFailed } from './database.ts';
import { rejectJson, restored } from './stored.ts';

/** The list of refused documents; over a read-only connection only what changes it fails. */
export class SqliteRejects implements Rejects {
  readonly #database: DatabaseSync;
  readonly #now: () => Date;

  constructor(database: DatabaseSync, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  keep(document: Masked<ExchangeDocument>, reason: string): void {
    // The fault may be in any field, also in this one.
    const claimedId: unknown = document.event?.id;
    const id = typeof claimedId === 'string' ? claimedId : '';
    const json = rejectJson(document);
    orIndexFailed('keep a refused document', () =>
      this.#database
        .prepare(
          `insert into rejects (id, time, reason, document) select $id, $time, $reason, $document
           where not exists (select 1 from rejects where id = $id and document = $document)`,
        )
        .run({
          $id: id,
          $time: this.#now().toISOString(),
          $reason: reason,
          $document: json,
        }),
    );
  }

  remove(id: string): void {
    orIndexFailed('take a document off the list', () =>
      this.#database.prepare('delete from rejects where id = ?').run(id),
    );
  }

  *each(): Generator<Reject, void, void> {
    const next = this.#database.prepare('select * from rejects where number > ? order by number limit 1');
    for (let last = 0; ; ) {
      const row = orIndexFailed('read the refused documents', () => next.get(last));
      if (row === undefined) return;
      last = Number(row.number);
      yield rejectOf(row);
    }
  }

  count(): number {
    return orIndexFailed('count the refused documents', () =>
      Number(this.#database.prepare('select count(*) as count from rejects').get()?.count),
    );
  }
}

function rejectOf(row: Record<string, unknown>): Reject {
  return {
    id: String(row.id),
    time: String(row.time),
    reason: String(row.reason),
    document: restored(row.document),
  };
}
