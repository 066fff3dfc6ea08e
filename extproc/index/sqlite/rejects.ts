import type { DatabaseSync } from 'node:sqlite';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import type { Reject, Rejects, RejectsBound } from '../rejects.ts';
import { orIndexFailed } from './database.ts';
import { rejectJson, restored } from './stored.ts';

/** The list of refused documents; over a read-only connection only what changes it fails. */
export class SqliteRejects implements Rejects {
  readonly #database: DatabaseSync;
  readonly #now: () => Date;
  readonly #bound: RejectsBound;
  /** Never less than there is; unknown until the first is kept. */
  #bytesAtMost = Number.POSITIVE_INFINITY;

  constructor(database: DatabaseSync, now: () => Date, bound: RejectsBound) {
    this.#database = database;
    this.#now = now;
    this.#bound = bound;
  }

  keep(document: Masked<ExchangeDocument>, reason: string): void {
    this.insert(document, reason);
    this.makeRoom();
  }

  /** For whoever has a transaction of its own, and makes room behind it: what is rolled back was not dropped. */
  insert(document: Masked<ExchangeDocument>, reason: string): void {
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
    this.#bytesAtMost += Buffer.byteLength(json);
  }

  remove(id: string): void {
    orIndexFailed('take a document off the list', () =>
      this.#database.prepare('delete from rejects where id = ?').run(id),
    );
  }

  /** Goes an eighth below the limit, so that not each document that comes at it has the whole list counted. */
  makeRoom(): void {
    const { maxBytes, onDropped } = this.#bound;
    if (this.#bytesAtMost <= maxBytes) return;
    const dropped = orIndexFailed('make room among the refused documents', () => {
      const sizes = this.#database.prepare(
        'select number, octet_length(document) as bytes from rejects order by number',
      );
      const rows = sizes.all().map(({ number, bytes }) => ({ number: Number(number), bytes: Number(bytes) }));
      this.#bytesAtMost = rows.reduce((sum, { bytes }) => sum + bytes, 0);
      if (this.#bytesAtMost <= maxBytes) return 0;
      let count = 0;
      for (const { bytes } of rows.slice(0, -1)) {
        if (this.#bytesAtMost <= maxBytes - maxBytes / 8) break;
        this.#bytesAtMost -= bytes;
        count += 1;
      }
      this.#database.prepare('delete from rejects where number <= ?').run(rows[count - 1]?.number ?? 0);
      return count;
    });
    if (dropped > 0) onDropped(dropped);
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
