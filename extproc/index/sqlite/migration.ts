import type { DatabaseSync } from 'node:sqlite';
import { type ExchangeRow, rowOf } from './row.ts';
import { DerivedRows } from './row-writer.ts';
import { restored } from './stored.ts';
import { addedIn2, addedIn3, immutableTrigger } from './tables.ts';

/** Documents held in memory at once. */
const chunkRows = 200;

/**
 * Brings an index of version 1 to this one: adds what it had not and fills it from the stored documents, which stay as
 * they are. Must run inside a transaction of the caller; takes time linear in the size of the index.
 */
export function migrateFrom1(database: DatabaseSync): void {
  database.exec(`
    drop trigger exchanges_immutable;
    drop index exchanges_by_time;
    alter table exchanges add column noise text;
    alter table exchanges add column request_model text not null default '';
    alter table exchanges add column response_model text not null default '';
  `);
  database.exec(addedIn2 + addedIn3);
  const derived = new DerivedRows(database);
  const update = database.prepare(
    'update exchanges set noise = ?, request_model = ?, response_model = ? where number = ?',
  );
  for (const [number, row] of storedRows(database)) {
    update.run(row.noise, row.requestModel, row.responseModel, number);
    derived.insert(number, row);
  }
  database.exec(immutableTrigger);
}

/** The same for version 2, which had no table of what was masked. */
export function migrateFrom2(database: DatabaseSync): void {
  database.exec(addedIn3);
  const derived = new DerivedRows(database);
  for (const [number, row] of storedRows(database)) derived.insertMasked(number, row);
}

function* storedRows(database: DatabaseSync): Generator<[number: number, row: ExchangeRow], void, void> {
  const chunk = database.prepare('select number, document from exchanges where number > ? order by number limit ?');
  for (let last = 0; ; ) {
    const rows = chunk.all(last, chunkRows);
    for (const { number, document } of rows) {
      last = Number(number);
      const row = rowOrNull(document);
      if (row !== null) yield [last, row];
    }
    if (rows.length < chunkRows) return;
  }
}

/** One document that cannot be read any more must not lock up all others; it is found as it was before. */
function rowOrNull(document: unknown): ExchangeRow | null {
  try {
    return rowOf(restored(document));
  } catch {
    return null;
  }
}
