import { existsSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Link, Links } from '../links.ts';
import { openForReading, orIndexFailed } from './database.ts';

/** What earlier exchanges brought, by keyed hash. */
export class SqliteLinks implements Links {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare('select event_id, session from links where key = ?');
  }

  find(key: string): { eventId: string; session: string } | null {
    return orIndexFailed('look up a link', () => {
      const row = this.#select.get(key);
      return row === undefined ? null : { eventId: String(row.event_id), session: String(row.session) };
    });
  }

  /** Must run inside a transaction of the caller. */
  insertAll(links: readonly Link[]): void {
    const insert = this.#database.prepare('insert or ignore into links (key, event_id, session) values (?, ?, ?)');
    for (const { key, eventId, session } of links) insert.run(key, eventId, session);
  }
}

/**
 * The links in the file of a `SqliteMemory`, read beside its writer in another thread; nothing is found as long as the
 * file or its tables are not there. Each `find` reads what is committed then. Must be closed.
 */
export function openLinksForReading(file: string): Links & { close(): void } {
  let database: DatabaseSync | null = null;
  let links: SqliteLinks | null = null;
  return {
    find(key) {
      return orIndexFailed('look up a link', () => {
        if (links === null) {
          if (database === null && !existsSync(file)) return null;
          database ??= openForReading(file);
          if (!hasLinks(database)) return null;
          links = new SqliteLinks(database);
        }
        return links.find(key);
      });
    },
    close() {
      database?.close();
    },
  };
}

function hasLinks(database: DatabaseSync): boolean {
  return database.prepare("select 1 from sqlite_schema where type = 'table' and name = 'links'").get() !== undefined;
}
