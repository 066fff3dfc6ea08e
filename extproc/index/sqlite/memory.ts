import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { CountedUse } from '../counted.ts';
import type { Link } from '../links.ts';
import type { ShipMemory } from '../memory.ts';
import type { OwnedThing } from '../owners.ts';
import { type RejectsBound, unboundedRejects } from '../rejects.ts';
import type { Turns } from '../seen-turns.ts';
import { SqliteCounted } from './counted.ts';
import { inTransaction, openForReading, openPrivateDatabase, orIndexFailed, shippingCache } from './database.ts';
import { SqliteLinks } from './links.ts';
import { prepareMemory } from './memory-tables.ts';
import { SqliteOwners } from './owners.ts';
import { Pruning } from './pruning.ts';
import { SqliteRejects } from './rejects.ts';
import { SqliteRetentionClasses } from './retention-classes.ts';
import { indexFile } from './schema.ts';
import { SqliteSeenTurns } from './turns.ts';

/**
 * Beside the embedded index the memory stands in its file, so that deleting the index forgets both: text that is in no
 * index is new again.
 */
export function memoryFile(dataDirectory: string, indexKind: 'sqlite' | 'elasticsearch'): string {
  return indexKind === 'sqlite' ? indexFile(dataDirectory) : join(dataDirectory, 'memory.sqlite');
}

export type MemoryBounds = { rememberedDays: number; rejects: RejectsBound };

/** What shipping remembers, in one file; one writer and any number of readers. Must be closed. */
export class SqliteMemory implements ShipMemory {
  readonly turns: SqliteSeenTurns;
  readonly links: SqliteLinks;
  readonly rejects: SqliteRejects;
  readonly #classes: SqliteRetentionClasses;
  readonly #counted: SqliteCounted;
  readonly #owners: SqliteOwners;
  readonly #database: DatabaseSync;
  readonly #pruning: Pruning;

  constructor(database: DatabaseSync, now: () => Date, { rememberedDays, rejects }: MemoryBounds) {
    this.#database = database;
    this.#pruning = new Pruning(database, now, rememberedDays);
    this.turns = new SqliteSeenTurns(database);
    this.links = new SqliteLinks(database);
    this.rejects = new SqliteRejects(database, now, rejects);
    this.#classes = new SqliteRetentionClasses(database, now);
    this.#counted = new SqliteCounted(database, now);
    this.#owners = new SqliteOwners(database);
  }

  /** Opens or creates the file; what is older than `rememberedDays` is forgotten. Throws SkilltapeError `index_failed`. */
  static open(file: string, now: () => Date = () => new Date(), bounds: Partial<MemoryBounds> = {}): SqliteMemory {
    return orIndexFailed('open what shipping remembers', () => {
      // FULL: the journal is freed behind a refused document, so a power cut must not take it from here.
      const database = openPrivateDatabase(file, 'FULL');
      try {
        database.exec(shippingCache);
        prepareMemory(database);
        return new SqliteMemory(database, now, { rememberedDays: 365, rejects: unboundedRejects, ...bounds });
      } catch (thrown) {
        database.close();
        throw thrown;
      }
    });
  }

  /** To look into, beside whoever writes it; `remember` and `forget` fail. Throws `index_failed` when there is no file. */
  static openForReading(file: string): SqliteMemory {
    return orIndexFailed('open what shipping remembers', () => {
      const bounds = { rememberedDays: 365, rejects: unboundedRejects };
      return new SqliteMemory(openForReading(file), () => new Date(), bounds);
    });
  }

  retentionClassOf(exchangeId: string): string | null {
    return this.#classes.of(exchangeId);
  }

  remember(
    turns: readonly Turns[],
    links: readonly Link[],
    retentionClasses: ReadonlyMap<string, string> = new Map(),
    counted: readonly CountedUse[] = [],
    owned: readonly OwnedThing[] = [],
  ): void {
    const nothing = [links.length, retentionClasses.size, counted.length, owned.length].every((count) => count === 0);
    if (nothing && turns.every(({ hashes }) => hashes.length === 0)) return;
    orIndexFailed('remember an exchange', () =>
      inTransaction(this.#database, () => {
        for (const each of turns) this.turns.insert(each);
        this.links.insertAll(links);
        this.#classes.insertAll(retentionClasses);
        this.#counted.insertAll(counted);
        this.#owners.insertAll(owned);
        this.#pruning.prune();
      }),
    );
  }

  forget(documentIds: readonly string[]): void {
    if (documentIds.length > 0) this.#forget(documentIds, (column) => `${column} = $id`);
  }

  forgetExchange(exchangeId: string): void {
    // A document of a batch has its exchange's id with a full stop and a number; "/" follows the full stop.
    this.#forget([exchangeId], (column) => `${column} = $id or (${column} >= $id || '.' and ${column} < $id || '/')`);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #forget(ids: readonly string[], condition: (column: string) => string): void {
    orIndexFailed('forget an exchange', () =>
      inTransaction(this.#database, () => {
        for (const [table, column] of [
          ['seen_turns', 'exchange_id'],
          ['links', 'event_id'],
        ] as const) {
          const statement = this.#database.prepare(`delete from ${table} where ${condition(column)}`);
          for (const id of ids) statement.run({ $id: id });
        }
      }),
    );
  }
}

/** The refused documents for a look at them, read-only. Throws `index_failed` when there is no file. */
export function openRejectsForReading(file: string): SqliteRejects & { close(): void } {
  return orIndexFailed('open the refused documents', () => {
    const database = openForReading(file);
    return Object.assign(new SqliteRejects(database, () => new Date(), unboundedRejects), {
      close: () => database.close(),
    });
  });
}
