import type { DatabaseSync } from 'node:sqlite';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import type { Reject, Rejects } from '../rejects.ts';
import { orIndexFailed } from './database.ts';
import { rejectJson, restored } from './row.ts';

const listLimitDefault = 1_000;

/** The list of refused documents, in the file of the index; over a read-only connection only `keep` fails. */
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

  list(limit: number = listLimitDefault): Reject[] {
    return orIndexFailed('list the refused documents', () =>
      this.#database
        .prepare('select id, time, reason, document from rejects order by number limit ?')
        .all(limit)
        .map((row) => ({
          id: String(row.id),
          time: String(row.time),
          reason: String(row.reason),
          document: restored(row.document),
        })),
    );
  }

  count(): number {
    return orIndexFailed('count the refused documents', () =>
      Number(this.#database.prepare('select count(*) as count from rejects').get()?.count),
    );
  }
}
