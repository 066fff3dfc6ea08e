/** Takes sealed values away by the day on which they were sealed, or by the keys that they are sealed to. */
import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction, openPrivateDatabase } from '../index/sqlite/database.ts';
import { revealFile } from './store.ts';

const dayMs = 86_400_000;

/** By class, and the number of the day since 1970. */
const keysOfDay = `select number from data_keys where retention_class = ? and made_ms / ${dayMs} = ?`;

type Day = { retentionClass: string; day: string };

/** Beside the thread that ships. Nothing is there where no values are kept. Must be closed. */
export class RevealRetention {
  readonly #database: DatabaseSync | null;

  private constructor(database: DatabaseSync | null) {
    this.#database = database;
  }

  /** Throws `disk_failed`, or what SQLite throws. */
  static open(dataDirectory: string): RevealRetention {
    const file = revealFile(dataDirectory);
    if (!existsSync(file)) return new RevealRetention(null);
    const database = openPrivateDatabase(file, 'FULL');
    database.exec('pragma secure_delete = on');
    return new RevealRetention(database);
  }

  days(): (Day & { values: number })[] {
    const rows = this.#database
      ?.prepare(
        `select retention_class as class, made_ms / ${dayMs} as day, count(value) as count
         from data_keys left join sealed_values on key_number = number group by 1, 2 order by 1, 2`,
      )
      .all();
    return (rows ?? []).map((row) => ({
      retentionClass: String(row.class),
      day: new Date(Number(row.day) * dayMs).toISOString().slice(0, 10),
      values: Number(row.count),
    }));
  }

  sessions({ retentionClass, day }: Day): { session: string; values: number }[] {
    const rows = this.#database
      ?.prepare(`select session, count(*) as count from sealed_values where key_number in (${keysOfDay}) group by 1`)
      .all(retentionClass, Date.parse(day) / dayMs);
    return (rows ?? []).map((row) => ({ session: String(row.session), values: Number(row.count) }));
  }

  remove({ retentionClass, day }: Day, except: ReadonlySet<string> = new Set()): number {
    return this.#remove(keysOfDay, [retentionClass, Date.parse(day) / dayMs], except);
  }

  removeKeys(keyIds: readonly string[]): number {
    const keys = `select key_number from sealed_values where pair in (${keyIds.map(() => '?').join(', ')})`;
    return this.#remove(keys, keyIds);
  }

  close(): void {
    // The log of changes has what was deleted until it begins anew.
    this.#database?.exec('pragma wal_checkpoint(truncate)');
    this.#database?.close();
  }

  #remove(keys: string, values: readonly (string | number)[], except: ReadonlySet<string> = new Set()): number {
    const database = this.#database;
    if (database === null) return 0;
    return inTransaction(database, () => {
      const numbers = database.prepare(keys).all(...values);
      // Once for all keys of a day: each was made for few values.
      database.exec('create temp table if not exists kept (session text primary key) strict; delete from kept');
      const keep = database.prepare('insert into kept (session) values (?)');
      for (const session of except) keep.run(session);
      const [value, key] = [
        database.prepare(
          'delete from sealed_values where key_number = ? and session not in (select session from kept)',
        ),
        database.prepare(
          'delete from data_keys where number = ? and not exists (select 1 from sealed_values where key_number = number)',
        ),
      ];
      let removed = 0;
      for (const row of numbers) {
        const [number = 0] = Object.values(row).map(Number);
        removed += Number(value.run(number).changes);
        key.run(number);
      }
      return removed;
    });
  }
}
