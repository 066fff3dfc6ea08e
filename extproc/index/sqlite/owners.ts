import { existsSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { OwnedThing, StoredOwners } from '../owners.ts';
import { openForReading, orIndexFailed } from './database.ts';

/** To whom things were given first. They outlive the documents of their exchange: no text stands here. */
export class SqliteOwners implements StoredOwners {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare('select owner from owners where key = ?');
  }

  ownerOf(key: string): string | null {
    return orIndexFailed('look up an owner', () => {
      const owner = this.#select.get(key)?.owner;
      return typeof owner === 'string' ? owner : null;
    });
  }

  /** Must run inside a transaction of the caller. */
  insertAll(things: readonly OwnedThing[]): void {
    if (things.length === 0) return;
    const insert = this.#database.prepare('insert or ignore into owners (key, owner, exchange_id) values (?, ?, ?)');
    for (const { key, owner, exchangeId } of things) insert.run(key, owner, exchangeId);
  }
}

/**
 * The owners in the file of a `SqliteMemory`, read beside its writer in another thread; nobody owns anything as long as
 * the file or its table is not there. Must be closed.
 */
export function openOwnersForReading(file: string): StoredOwners & { close(): void } {
  let database: DatabaseSync | null = null;
  let owners: SqliteOwners | null = null;
  return {
    ownerOf(key) {
      return orIndexFailed('look up an owner', () => {
        if (owners === null) {
          if (database === null && !existsSync(file)) return null;
          database ??= openForReading(file);
          if (!hasOwners(database)) return null;
          owners = new SqliteOwners(database);
        }
        return owners.ownerOf(key);
      });
    },
    close() {
      database?.close();
    },
  };
}

function hasOwners(database: DatabaseSync): boolean {
  return database.prepare("select 1 from sqlite_schema where type = 'table' and name = 'owners'").get() !== undefined;
}
