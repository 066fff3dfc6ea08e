import type { DatabaseSync } from 'node:sqlite';
import { reducedDocument } from '../../transcript/reduced-document.ts';
import type { DayOfClass, IndexDay, IndexedPerson, IndexRetention, Matching } from '../retention.ts';
import { folded } from '../text-form.ts';
import { inTransaction, orIndexFailed } from './database.ts';
import { matchesAny, type Values } from './retention-matching.ts';
import { rowOf } from './row.ts';
import { RowRemover } from './row-remover.ts';
import { RowWriter } from './row-writer.ts';
import { openForChanges } from './schema.ts';
import { restored } from './stored.ts';
import { classOf, dayNumberOf, keepOf } from './tables.ts';

const dayMs = 86_400_000;
/** Documents in one transaction: a document may have megabytes, and the thread that ships waits. */
const atOnceMax = 100;
/** Of exchanges that are asked for in one statement. */
const idsAtOnceMax = 1_000;

type Row = { number: number; json: unknown };

/** Beside the thread that ships, which may be in another process. Must be closed. */
export class SqliteRetention implements IndexRetention {
  readonly #database: DatabaseSync;
  readonly #rows: RowWriter;
  readonly #remover: RowRemover;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#rows = new RowWriter(database);
    this.#remover = new RowRemover(database);
  }

  /** Throws SkilltapeError `index_failed`, also where there is no index. */
  static open(dataDirectory: string): SqliteRetention {
    const database = openForChanges(dataDirectory);
    return orIndexFailed('open the index', () => {
      try {
        // What is deleted must not stay readable, neither in free pages nor as words of the search (FTS5 keeps them by default).
        database.exec('pragma secure_delete = on');
        database.exec("insert into exchange_text (exchange_text, rank) values ('secure-delete', 1)");
        return new SqliteRetention(database);
      } catch (thrown) {
        database.close();
        throw thrown;
      }
    });
  }

  async days(): Promise<IndexDay[]> {
    return this.#counted('');
  }

  async matchingDays(any: readonly Matching[]): Promise<IndexDay[]> {
    const { term, values } = matchesAny(any);
    return this.#counted(`where ${term}`, values);
  }

  async unmatched(ids: readonly string[], any: readonly Matching[]): Promise<ReadonlySet<string>> {
    const { term, values } = matchesAny(any);
    return orIndexFailed('look for what is held', () => {
      const select = this.#database.prepare(
        `select id from exchanges where id in (select value from json_each($ids)) and not coalesce(${term}, 1)`,
      );
      const found = new Set<string>();
      for (let at = 0; at < ids.length; at += idsAtOnceMax) {
        const some = JSON.stringify(ids.slice(at, at + idsAtOnceMax));
        for (const { id } of select.all({ ...values, $ids: some })) found.add(String(id));
      }
      return found;
    });
  }

  async unmatchedSessions(
    sessions: readonly string[],
    any: readonly Matching[],
    { from, to }: { from: Date; to: Date },
  ): Promise<ReadonlySet<string>> {
    const { term, values } = matchesAny(any);
    return orIndexFailed('look for what is held', () => {
      const select = this.#database.prepare(
        `select value as session from json_each($sessions)
         where exists (select 1 from exchanges where session = value and time_ms >= $from and time_ms < $to)
           and not exists (select 1 from exchanges where session = value and coalesce(${term}, 1))`,
      );
      const found = new Set<string>();
      for (let at = 0; at < sessions.length; at += idsAtOnceMax) {
        const some = JSON.stringify(sessions.slice(at, at + idsAtOnceMax));
        const rows = select.all({ ...values, $sessions: some, $from: from.getTime(), $to: to.getTime() });
        for (const { session } of rows) found.add(String(session));
      }
      return found;
    });
  }

  async daysWith(matching: Matching): Promise<DayOfClass[]> {
    const { term, values } = matchesAny([matching]);
    return orIndexFailed('look for what is held', () =>
      this.#database
        .prepare(`select distinct ${classOf} as class, ${dayNumberOf} as day from exchanges where ${term}`)
        .all(values)
        .map((row) => ({ retentionClass: String(row.class), day: dayAt(Number(row.day)) })),
    );
  }

  async reduce(of: DayOfClass, except: readonly Matching[] = []): Promise<number> {
    return this.#each(of, `and ${keepOf} = 'full'`, except, ({ number, json }) => {
      const row = rowOf(reducedDocument(restored(json)));
      this.#remover.remove(number);
      this.#rows.insert(row);
    });
  }

  async remove(of: DayOfClass, except: readonly Matching[] = []): Promise<number> {
    return this.#each(of, '', except, ({ number }) => this.#remover.remove(number));
  }

  async removePerson({ issuer, ids }: IndexedPerson, before: Date): Promise<number> {
    return orIndexFailed('delete the documents of a person', () => {
      const select = this.#database.prepare(
        `select number from exchanges where user_id in (${ids.map(() => '?').join(', ')})
           and document ->> '$.user.domain' = ? and document ->> '$.user.id' in (${ids.map(() => '?').join(', ')})
           and time_ms < ? limit ${atOnceMax}`,
      );
      return this.#inBatches(() =>
        select
          .all(...ids.map(folded), issuer, ...ids, before.getTime())
          .map(({ number }) => this.#remover.remove(Number(number))),
      );
    });
  }

  async close(): Promise<void> {
    try {
      // The log of changes has what was deleted until it begins anew; a reader that is in it now keeps it for the next time.
      this.#database.exec('pragma wal_checkpoint(truncate)');
    } finally {
      this.#database.close();
    }
  }

  #counted(where: string, values: Values = {}): IndexDay[] {
    return orIndexFailed('count the documents of each day', () =>
      this.#database
        .prepare(
          `select ${classOf} as class, ${dayNumberOf} as day, count(*) as documents, sum(${keepOf} = 'full') as full
           from exchanges ${where} group by 1, 2 order by 1, 2`,
        )
        .all(values)
        .map((row) => ({
          ...{ retentionClass: String(row.class), day: dayAt(Number(row.day)) },
          ...{ documents: Number(row.documents), withContent: Number(row.full) },
        })),
    );
  }

  #each(
    { retentionClass, day }: DayOfClass,
    condition: string,
    except: readonly Matching[],
    change: (row: Row) => void,
  ): number {
    return orIndexFailed('change the documents of a day', () => {
      const { term, values } = matchesAny(except);
      const select = this.#database.prepare(
        `select number, document as json from exchanges
         where ${classOf} = $class and ${dayNumberOf} = $day ${condition} and not coalesce(${term}, 1)
         limit ${atOnceMax}`,
      );
      const of = { $class: retentionClass, $day: Date.parse(day) / dayMs };
      return this.#inBatches(() =>
        select.all({ ...values, ...of }).map((row) => change({ number: Number(row.number), json: row.json })),
      );
    });
  }

  /** Until a batch finds nothing more. */
  #inBatches(batch: () => unknown[]): number {
    for (let done = 0; ; ) {
      const { length } = inTransaction(this.#database, batch);
      done += length;
      if (length < atOnceMax) return done;
    }
  }
}

function dayAt(number: number): string {
  return new Date(number * dayMs).toISOString().slice(0, 10);
}
