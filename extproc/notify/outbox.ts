import type { DatabaseSync } from 'node:sqlite';
import { inTransaction, openPrivateDatabase } from '../index/sqlite/database.ts';
import type { Notice } from './notice.ts';
import type { SourceName } from './source.ts';

/** One message to one target that was not delivered yet. */
export type Delivery = { notice: Notice; target: string; attempts: number; firstMs: number };

export type DeliveryResult = 'delivered' | 'given_up';

/** Undelivered messages at once (inv. 10): at it no more events are read, and they wait with their tickets. */
export const undeliveredMax = 10_000;
/** Longer than any ticket lives, so that no occasion is told twice. */
const keptMs = 30 * 86_400_000;

const schema = `
create table if not exists cursors (source text primary key, number integer not null) strict;
create table if not exists deliveries (
  id text not null,
  target text not null,
  ticket text not null,
  notice text not null,
  first_ms integer not null,
  due_ms integer not null,
  attempts integer not null,
  result text,
  primary key (id, target)
) strict;
create index if not exists deliveries_due on deliveries (target, due_ms) where result is null;
create index if not exists deliveries_done on deliveries (first_ms) where result is not null;
`;

/**
 * What has to be told and was not, on disk: an event is turned into messages in one transaction with the place up to
 * which events were read, and a message leaves only after it was delivered. So each is delivered at least once, under
 * one id, whenever the processor dies.
 */
export class Outbox {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = openPrivateDatabase(file, 'FULL');
    inTransaction(this.#database, () => {
      this.#database.exec(schema);
      takeOverCursor(this.#database);
    });
  }

  close(): void {
    this.#database.close();
  }

  /** The last event that was read. */
  cursorOf(source: SourceName): number {
    return Number(this.#database.prepare('select number from cursors where source = ?').get(source)?.number ?? 0);
  }

  get undelivered(): number {
    return Number(this.#database.prepare('select count(*) as n from deliveries where result is null').get()?.n);
  }

  /** Together with the place up to which events were read. What is there already stays as it is. */
  add(
    deliveries: readonly { notice: Notice; target: string }[],
    cursor: { source: SourceName; number: number } | null,
    nowMs: number,
  ): void {
    inTransaction(this.#database, () => {
      const insert = this.#database.prepare('insert or ignore into deliveries values (?, ?, ?, ?, ?, ?, 0, null)');
      for (const { notice, target } of deliveries)
        insert.run(notice.id, target, notice.ticket, JSON.stringify(notice), nowMs, nowMs);
      if (cursor === null) return;
      this.#database.prepare('insert or replace into cursors values (?, ?)').run(cursor.source, cursor.number);
    });
  }

  has(id: string): boolean {
    return this.#database.prepare('select 1 from deliveries where id = ? limit 1').get(id) !== undefined;
  }

  /** The next that is due for a target, or null. */
  next(target: string, nowMs: number): Delivery | null {
    const row = this.#database
      .prepare(
        `select notice, attempts, first_ms from deliveries
         where result is null and target = ? and due_ms <= ? order by due_ms, rowid limit 1`,
      )
      .get(target, nowMs);
    if (row === undefined) return null;
    const notice = noticeIn(row);
    return { notice, target, attempts: Number(row.attempts), firstMs: Number(row.first_ms) };
  }

  /** Tried and not delivered; to be tried again then. */
  again({ notice, target }: Delivery, dueMs: number): void {
    this.#database
      .prepare('update deliveries set attempts = attempts + 1, due_ms = ? where id = ? and target = ?')
      .run(dueMs, notice.id, target);
  }

  done({ notice, target }: Pick<Delivery, 'notice' | 'target'>, result: DeliveryResult): void {
    this.#database
      .prepare('update deliveries set attempts = attempts + 1, result = ? where id = ? and target = ?')
      .run(result, notice.id, target);
  }

  /** Undelivered messages for targets that are not configured any more. */
  orphans(targets: readonly string[]): Delivery[] {
    return this.#database
      .prepare('select notice, target, attempts, first_ms from deliveries where result is null limit ?')
      .all(undeliveredMax)
      .filter(({ target }) => !targets.includes(String(target)))
      .map((row) => ({
        notice: noticeIn(row),
        target: String(row.target),
        attempts: Number(row.attempts),
        firstMs: Number(row.first_ms),
      }));
  }

  prune(nowMs: number): void {
    this.#database.prepare('delete from deliveries where result is not null and first_ms < ?').run(nowMs - keptMs);
  }
}

/** From a file of an earlier version, which knew tickets alone. */
function takeOverCursor(database: DatabaseSync): void {
  const table = database.prepare("select 1 from sqlite_master where type = 'table' and name = 'cursor'").get();
  if (table === undefined) return;
  database.exec("insert or ignore into cursors select 'approvals', number from cursor; drop table cursor");
}

/** One that an earlier version wrote is about a ticket. */
function noticeIn(row: Record<string, unknown>): Notice {
  const written = JSON.parse(String(row.notice)) as Notice;
  return { ...{ about: 'approval', asked: null, wasGranted: false }, ...written };
}
