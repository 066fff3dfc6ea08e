/**
 * Sealed values by session and token, in `reveal.sqlite` of the data directory. It holds nothing readable but sessions and
 * tokens, which stand in the index as well.
 */
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { inTransaction, openForReading, openPrivateDatabase } from '../index/sqlite/database.ts';

/** `context` is what the data key was sealed for, `pair` the person's pair that it is sealed to. */
export type SealedBatch = {
  context: string;
  sealedKey: Uint8Array;
  pair: string;
  retentionClass: string;
  rows: readonly { session: string; token: string; counter: number; value: Uint8Array }[];
};

export type SealedRow = { token: string; counter: number; value: Uint8Array; context: string; sealedKey: Uint8Array };

const schema = `
create table if not exists data_keys (
  number integer primary key autoincrement,
  context text not null,
  sealed blob not null,
  retention_class text not null,
  made_ms integer not null
) strict;
create index if not exists data_keys_by_age on data_keys (retention_class, made_ms);
create table if not exists sealed_values (
  session text not null,
  token text not null,
  pair text not null,
  key_number integer not null references data_keys (number),
  counter integer not null,
  value blob not null,
  primary key (session, token, pair)
) strict, without rowid;
create index if not exists sealed_values_by_key on sealed_values (key_number);
`;

/** At the limit this part of the keys goes with its values, the oldest first. */
const prunedPart = 16;

export function revealFile(dataDirectory: string): string {
  return join(dataDirectory, 'reveal.sqlite');
}

export class RevealStore {
  readonly #database: DatabaseSync;
  readonly #maxBytes: number;
  readonly #addKey: StatementSync;
  readonly #addValue: StatementSync;

  private constructor(database: DatabaseSync, maxBytes: number) {
    this.#database = database;
    this.#maxBytes = maxBytes;
    this.#addKey = database.prepare(
      'insert into data_keys (context, sealed, retention_class, made_ms) values (?, ?, ?, ?)',
    );
    this.#addValue = database.prepare(
      'insert or ignore into sealed_values (session, token, pair, key_number, counter, value) values (?, ?, ?, ?, ?, ?)',
    );
  }

  /** Throws `disk_failed`, or what SQLite throws. */
  static open(dataDirectory: string, maxBytes: number): RevealStore {
    // A power failure may take the last values; an exchange is indexed without them then.
    const database = openPrivateDatabase(revealFile(dataDirectory), 'NORMAL');
    try {
      // What is deleted must not stay readable in free pages, sealed as it is.
      database.exec('pragma secure_delete = on');
      inTransaction(database, () => database.exec(schema));
      return new RevealStore(database, maxBytes);
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  }

  /** Each value once for a session, a token and a pair; returns how many are new. */
  add(batches: readonly SealedBatch[], nowMs: number): number {
    return inTransaction(this.#database, () => {
      let added = 0;
      for (const { context, sealedKey, retentionClass, pair, rows } of batches) {
        const { lastInsertRowid: number } = this.#addKey.run(context, sealedKey, retentionClass, nowMs);
        for (const { session, token, counter, value } of rows)
          added += Number(this.#addValue.run(session, token, pair, number, counter, value).changes);
      }
      return added;
    });
  }

  /** Removes what is older than its retention class allows, and the oldest where there is too much; returns how many values. */
  prune(olderThanMs: (retentionClass: string) => number): number {
    return inTransaction(this.#database, () => {
      let removed = 0;
      const classes = this.#database.prepare('select distinct retention_class as name from data_keys').all();
      for (const { name } of classes) {
        const before = olderThanMs(String(name));
        removed += this.#remove('retention_class = ? and made_ms < ?', String(name), before);
      }
      if (this.bytes() > this.#maxBytes) {
        const bounds = this.#database.prepare('select min(number) as first, max(number) as last from data_keys').get();
        const [first, last] = [Number(bounds?.first ?? 0), Number(bounds?.last ?? 0)];
        removed += this.#remove('number <= ?', first + Math.ceil((last - first) / prunedPart));
      }
      return removed;
    });
  }

  /** Of what is in use; pages that pruning freed are used again. */
  bytes(): number {
    const number = (name: string) => Number(Object.values(this.#database.prepare(`pragma ${name}`).get() ?? {})[0]);
    return (number('page_count') - number('freelist_count')) * number('page_size');
  }

  close(): void {
    this.#database.close();
  }

  #remove(condition: string, ...values: (string | number)[]): number {
    const keys = `select number from data_keys where ${condition}`;
    const { changes } = this.#database
      .prepare(`delete from sealed_values where key_number in (${keys})`)
      .run(...values);
    this.#database.prepare(`delete from data_keys where ${condition}`).run(...values);
    return Number(changes);
  }
}

/** The sealed values of some tokens of a session; several where the person's pair changed. Throws `index_failed`. */
export function readSealed(dataDirectory: string, session: string, tokens: readonly string[]): SealedRow[] {
  const database = openForReading(revealFile(dataDirectory));
  try {
    const find = database.prepare(
      'select token, counter, value, context, sealed from sealed_values join data_keys on number = key_number where session = ? and token = ? order by number desc',
    );
    return tokens.flatMap((token) =>
      find.all(session, token).map((row) => ({
        token,
        counter: Number(row.counter),
        value: row.value as Uint8Array,
        context: String(row.context),
        sealedKey: row.sealed as Uint8Array,
      })),
    );
  } finally {
    database.close();
  }
}
