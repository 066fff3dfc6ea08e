import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { orIndexFailed } from './database.ts';
import { uuidFloor } from './uuid-floor.ts';

/** Far longer than an exchange may be open, which is how far back shipping begins again after it was killed. */
const rememberedMs = 30 * 24 * 60 * 60 * 1_000;

/** Which class an exchange was first shipped with: a policy that changed meanwhile must not put it into a second index. */
export class SqliteRetentionClasses {
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #prune: StatementSync;
  readonly #now: () => Date;

  constructor(database: DatabaseSync, now: () => Date) {
    this.#select = database.prepare('select retention_class from retention_classes where exchange_id = ?');
    this.#insert = database.prepare(
      'insert or ignore into retention_classes (exchange_id, retention_class) values (?, ?)',
    );
    this.#prune = database.prepare('delete from retention_classes where exchange_id < ?');
    this.#now = now;
  }

  of(exchangeId: string): string | null {
    return orIndexFailed('look up a retention class', () => {
      const found = this.#select.get(exchangeId)?.retention_class;
      return typeof found === 'string' ? found : null;
    });
  }

  /** Must run inside a transaction of the caller. */
  insertAll(classes: ReadonlyMap<string, string>): void {
    if (classes.size === 0) return;
    this.#prune.run(uuidFloor(this.#now().getTime() - rememberedMs));
    for (const [exchangeId, retentionClass] of classes) this.#insert.run(exchangeId, retentionClass);
  }
}
